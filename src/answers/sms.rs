//! Station names that stay short in an SMS.

use crate::sms::plain;

/// Station names longer than this lose the end of a long word.
const SHORT_NAME: usize = 16;
/// Words at least this long are cut, to [`STEM`] letters and a full stop.
const LONG_WORD: usize = 8;
const STEM: usize = 5;

/// A station's name for SMS: GSM-7, "Saint" as "St", and the longest words after the first cut until it is short.
/// "Paris Montparnasse" becomes "Paris Montp.". The first word tells the town and is kept whole.
pub fn short_name(name: &str) -> String {
    let mut words = words(&plain(name));
    let length =
        |words: &[(String, char)]| words.iter().map(|(word, _)| word.chars().count() + 1).sum::<usize>() - 1;
    while !words.is_empty() && length(&words) > SHORT_NAME {
        let kept = if words[0].0.starts_with("St") && words[0].0.len() <= 3 { 2 } else { 1 };
        let longest = words.iter_mut().skip(kept).max_by_key(|(word, _)| word.chars().count());
        match longest {
            Some((word, _)) if word.chars().count() >= LONG_WORD => {
                *word = word.chars().take(STEM).chain(['.']).collect();
            }
            _ => break,
        }
    }
    let mut short: String =
        words.into_iter().flat_map(|(word, after)| word.chars().chain([after]).collect::<Vec<_>>()).collect();
    short.pop(); // the separator after the last word
    short
}

/// Words with the separator behind each, "Saint" and "Sainte" shortened.
fn words(name: &str) -> Vec<(String, char)> {
    let mut found = Vec::new();
    for piece in name.split_inclusive([' ', '-']) {
        let word = piece.trim_end_matches([' ', '-']);
        let word = match word {
            "Saint" => "St",
            "Sainte" => "Ste",
            word => word,
        };
        found.push((word.to_owned(), if piece.ends_with('-') { '-' } else { ' ' }));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_names() {
        for (name, short) in [
            ("Rennes", "Rennes"),
            ("Paris Montparnasse", "Paris Montp."),
            ("Paris Gare de Lyon", "Paris Gare de Lyon"),
            ("Lyon Part-Dieu", "Lyon Part-Dieu"),
            ("Bordeaux Saint-Jean", "Bordeaux St-Jean"),
            ("Saint-Étienne Châteaucreux", "St-Étienne Chate."),
            ("Saint-Pierre-des-Corps", "St-Pierre-des-Corps"),
            ("Besançon Viotte", "Besancon Viotte"),
            ("", ""),
        ] {
            assert_eq!(short_name(name), short, "{name}");
        }
    }
}
