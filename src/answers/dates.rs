//! Days in words. French and English; every other language gets English until its words are here.

use crate::model::Lang;
use jiff::civil::Date;

const MONTHS_FR: [&str; 12] = [
    "janvier",
    "février",
    "mars",
    "avril",
    "mai",
    "juin",
    "juillet",
    "août",
    "septembre",
    "octobre",
    "novembre",
    "décembre",
];
const MONTHS_EN: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const DAYS_FR: [&str; 7] = ["lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"];
const DAYS_EN: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// Further from today than this, in days, a date needs its year.
const NEAR: i32 = 180;

/// `day` as customers say it on `today`: none for today itself, "demain", "samedi 20 décembre".
pub fn day_words(day: Date, today: Date, lang: Lang) -> Option<String> {
    let away = (day - today).get_days();
    let french = lang == Lang::FR;
    let near = match away {
        0 => return None,
        1 => Some(if french { "demain" } else { "tomorrow" }),
        -1 => Some(if french { "hier" } else { "yesterday" }),
        _ => None,
    };
    if let Some(word) = near {
        return Some(word.to_owned());
    }
    let year = if away.abs() > NEAR { format!(" {}", day.year()) } else { String::new() };
    Some(format!("{} {}{year}", weekday(day, lang), day_and_month(day, french)))
}

/// "lundi", "Monday".
pub fn weekday(day: Date, lang: Lang) -> &'static str {
    let names = if lang == Lang::FR { DAYS_FR } else { DAYS_EN };
    names[day.weekday().to_monday_zero_offset() as usize % 7]
}

fn day_and_month(day: Date, french: bool) -> String {
    let month = (day.month() - 1) as usize % 12;
    match (french, day.day()) {
        (true, 1) => format!("1er {}", MONTHS_FR[month]),
        (true, number) => format!("{number} {}", MONTHS_FR[month]),
        (false, number) => format!("{number} {}", MONTHS_EN[month]),
    }
}

/// A date that no reader takes for another: 01/11/2026 in French, 1 November 2026 in English.
pub(super) fn full_date(day: Date, lang: Lang) -> String {
    if lang == Lang::FR {
        return day.strftime("%d/%m/%Y").to_string();
    }
    format!("{} {}", day_and_month(day, false), day.year())
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn days_in_words() {
        let today = date(2026, 12, 18);
        for (day, fr, en) in [
            (today, None, None),
            (date(2026, 12, 19), Some("demain"), Some("tomorrow")),
            (date(2026, 12, 17), Some("hier"), Some("yesterday")),
            (date(2026, 12, 20), Some("dimanche 20 décembre"), Some("Sunday 20 December")),
            (date(2027, 1, 1), Some("vendredi 1er janvier"), Some("Friday 1 January")),
            (date(2027, 8, 2), Some("lundi 2 août 2027"), Some("Monday 2 August 2027")),
        ] {
            assert_eq!(day_words(day, today, Lang::FR).as_deref(), fr);
            assert_eq!(day_words(day, today, Lang::EN).as_deref(), en);
        }
        assert_eq!(full_date(date(2026, 11, 1), Lang::FR), "01/11/2026");
        assert_eq!(full_date(date(2026, 11, 1), Lang::EN), "1 November 2026");
    }
}
