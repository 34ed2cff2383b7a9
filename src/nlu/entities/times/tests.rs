use super::*;
use jiff::tz::TimeZone;

/// Tuesday 17 June 2025, 12:00 in Paris.
fn shown(message: &str, now: &str) -> Vec<(String, String)> {
    let now: jiff::civil::DateTime = now.parse().unwrap();
    let now = now.to_zoned_datetime(TimeZone::get("Europe/Paris").unwrap()).unwrap();
    let text = Normalised::new(message);
    let local = |at: Timestamp| {
        at.to_jiff().to_zoned_datetime(now.time_zone().clone()).strftime("%m-%d %H:%M").to_string()
    };
    let pair = |mention: &Mention| match mention.value {
        EntityValue::Time { start, end } => {
            let surface = message[text.original_span(mention.tokens.clone())].to_owned();
            let value = if start == end { local(start) } else { format!("{}>{}", local(start), local(end)) };
            (surface, value)
        }
        _ => panic!("a time is a time"),
    };
    find(&text, &now).iter().map(pair).collect()
}

#[test]
fn reads_times_as_people_write_them() {
    for (message, surface, value) in [
        ("demain", "demain", "06-18 00:00>06-19 00:00"),
        ("ce soir", "ce soir", "06-17 18:00>06-18 00:00"),
        ("vers 18h", "vers 18h", "06-17 17:30>06-17 18:30"),
        ("le train de 7h12 demain", "7h12 demain", "06-18 07:12"),
        ("le 7h12", "7h12", "06-18 07:12"),
        ("le 10h30 a du retard", "10h30", "06-17 10:30"),
        ("dans 20 min", "dans 20 min", "06-17 12:20"),
        ("dans une demi-heure", "dans une demi-heure", "06-17 12:30"),
        ("in an hour", "in an hour", "06-17 13:00"),
        ("samedi matin", "samedi matin", "06-21 04:00>06-21 12:00"),
        ("le 24/12", "le 24/12", "12-24 00:00>12-25 00:00"),
        ("24 décembre à 8h", "24 décembre à 8h", "12-24 08:00"),
        ("tomorrow at half past six", "tomorrow at half past six", "06-18 06:30"),
        ("tonight", "tonight", "06-17 18:00>06-18 04:00"),
        ("at quarter to seven", "quarter to seven", "06-17 18:45"),
        ("6pm", "6pm", "06-17 18:00"),
        ("7:15 am", "7:15 am", "06-18 07:15"),
        ("dix-sept heures trente", "dix-sept heures trente", "06-17 17:30"),
        ("demain après-midi", "demain après-midi", "06-18 12:00>06-18 18:00"),
        ("dimanche prochain", "dimanche prochain", "06-22 00:00>06-23 00:00"),
        ("this weekend", "this weekend", "06-21 00:00>06-23 00:00"),
        ("samedi 21 à 9h", "samedi 21 à 9h", "06-21 09:00"),
        ("après 20h", "après 20h", "06-17 20:00>06-18 00:00"),
        ("avant 20h", "avant 20h", "06-17 12:00>06-17 20:00"),
        ("now", "now", "06-17 12:00"),
    ] {
        let expected = vec![(surface.to_owned(), value.to_owned())];
        assert_eq!(shown(message, "2025-06-17T12:00"), expected, "{message}");
    }
}

#[test]
fn leaves_what_is_no_time() {
    for message in ["20 min de retard", "3 hours late", "line 4", "50 euros", "la mer", "j'ai 2 valises", "a"]
    {
        assert_eq!(shown(message, "2025-06-17T12:00"), vec![], "{message}");
    }
}

#[test]
fn follows_the_clocks_when_they_change() {
    // 30 March 2025: 02:00 becomes 03:00. 26 October: 03:00 becomes 02:00.
    assert_eq!(shown("2h30", "2025-03-30T01:00")[0].1, "03-30 03:30");
    assert_eq!(shown("demain", "2025-10-25T12:00")[0].1, "10-26 00:00>10-27 00:00");
    assert_eq!(shown("dans 2 heures", "2025-10-26T01:30")[0].1, "10-26 02:30");
}
