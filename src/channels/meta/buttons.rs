//! Labels of choices within the room that a button has. The whole label travels behind the button and comes back when
//! it is pressed, so that a shortened one reads as if it had been typed.

/// A choice as a button.
#[derive(Debug, PartialEq)]
pub struct Button {
    /// Unique among the buttons.
    pub title: String,
    /// What the customer chooses.
    pub label: String,
}

/// The choices with titles of at most `room` characters; none when there are more than `most`, for then the text
/// numbers them.
pub fn fit(choices: &[String], most: usize, room: usize) -> Vec<Button> {
    if choices.len() > most {
        return Vec::new();
    }
    let short = |label: &String| cut(label, room);
    let titles: Vec<String> = choices.iter().map(short).collect();
    let numbered = |(at, label): (usize, &String)| {
        let twice = titles.iter().filter(|title| **title == titles[at]).count() > 1;
        let title = if twice { cut(&format!("{}. {label}", at + 1), room) } else { titles[at].clone() };
        Button { title, label: label.clone() }
    };
    choices.iter().enumerate().map(numbered).collect()
}

/// At most `room` characters, with an ellipsis where something was cut off.
pub fn cut(text: &str, room: usize) -> String {
    if text.chars().count() <= room {
        return text.to_owned();
    }
    let kept: String = text.chars().take(room.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

/// What a pressed button says: the whole label that travelled behind it, or the title when something else did.
pub fn pressed(title: &str, behind: &str) -> String {
    let start = title.trim_end_matches('…');
    let start =
        start.split_once(". ").filter(|(n, _)| n.parse::<usize>().is_ok()).map_or(start, |(_, rest)| rest);
    if title.is_empty() || (!start.is_empty() && behind.starts_with(start)) {
        behind.to_owned()
    } else {
        title.to_owned()
    }
}
