use super::*;
use crate::transit::reload::expiry;
use crate::transit::{Timetable, TimetableHandle};

/// What is said of a file, by a house that serves `live`.
fn said_of(bytes: &[u8], live: Option<Made>, edit: impl Fn(&mut Config)) -> Result<(), String> {
    let house = House::new("");
    let path = house.folder.path().join("new.zip");
    let table = TimetableHandle::default();
    if let Some(live) = live {
        std::fs::write(&path, live.zip()).unwrap();
        table.replace(Timetable::load(&path, "").unwrap());
    }
    std::fs::write(&path, bytes).unwrap();
    let mut config = house.config.clone();
    edit(&mut config);
    let judge = super::super::checks::Judge { config: config.timetable, table };
    judge.accept(&path, now()).map(drop).map_err(|refusal| refusal.to_string())
}

fn refused(bytes: &[u8], live: Option<Made>, expected: &str) {
    let said = said_of(bytes, live, |_| {}).unwrap_err();
    assert!(said.contains(expected), "{said}\nshould contain\n{expected}");
}

#[test]
fn a_feed_must_load_and_not_have_ended() {
    assert_eq!(said_of(&WHOLE_YEAR.zip(), None, |_| {}), Ok(()));
    refused(b"<!doctype html><title>Not found</title>", None, "no zip archive");
    refused(b"", None, "no zip archive");
    refused(b"PK\x03\x04 and no directory", None, "damaged zip archive");
    refused(&zip_of([("readme.txt", b"hello".as_slice())].into_iter()), None, "agency.txt");
    refused(&Made { trains: 0, ..WHOLE_YEAR }.zip(), None, "holds no train that ever runs");
    refused(&Made { last: "20260504", ..WHOLE_YEAR }.zip(), None, "its last day was 2026-05-04");
    // Its last day is today; or it has not begun, and nothing else is there.
    assert_eq!(said_of(&Made { last: "20260505", ..WHOLE_YEAR }.zip(), None, |_| {}), Ok(()));
    assert_eq!(said_of(&Made { first: "20260601", ..WHOLE_YEAR }.zip(), None, |_| {}), Ok(()));
}

#[test]
fn a_bit_that_fell_over_is_found() {
    let mut zip = WHOLE_YEAR.zip();
    let inside = zip.windows(14).position(|window| window == b"stop_times.txt").unwrap() + 30;
    zip[inside] ^= 0x10;
    refused(&zip, None, "damaged zip archive");
}

#[test]
fn a_feed_must_not_lose_its_trains() {
    let fewer = |trains: u32| Made { trains, ..WHOLE_YEAR }.zip();
    refused(
        &fewer(4),
        Some(WHOLE_YEAR),
        "from 2026-05-05 to 2026-05-11 it has 28 trains where the one in service has 70",
    );
    assert_eq!(said_of(&fewer(5), Some(WHOLE_YEAR), |_| {}), Ok(()));
    assert_eq!(said_of(&fewer(4), Some(WHOLE_YEAR), |config| config.timetable.min_share = 0.0), Ok(()));
    refused(&Made { first: "20260601", ..WHOLE_YEAR }.zip(), Some(WHOLE_YEAR), "it has 0 trains");
    // Anything is better than what has ended; and beyond its end nothing is compared.
    let ended = Made { last: "20260504", ..WHOLE_YEAR };
    assert_eq!(said_of(&fewer(1), Some(ended), |_| {}), Ok(()));
    let ending = Made { last: "20260506", trains: 4, ..WHOLE_YEAR };
    assert_eq!(said_of(&fewer(2), Some(ending), |_| {}), Ok(()));
}

#[test]
fn a_bomb_is_not_unpacked() {
    let zeros = vec![b'0'; 3_000_000];
    let limit = |config: &mut Config| config.timetable.max_unpacked_bytes = 1_000_000;
    let bomb = zip_of([("stop_times.txt", zeros.as_slice())].into_iter());
    assert!(bomb.len() < 10_000);
    assert!(said_of(&bomb, None, limit).unwrap_err().contains("timetable.max_unpacked_bytes (1000000)"));
    // One that says of itself that it is small: the size in the central directory is overwritten.
    let mut liar = bomb.clone();
    let size = u32::try_from(zeros.len()).unwrap().to_le_bytes();
    let entries: Vec<usize> = (0..liar.len() - 4).filter(|&at| liar[at..at + 4] == size).collect();
    assert!(!entries.is_empty());
    entries.iter().for_each(|&at| liar[at..at + 4].copy_from_slice(&100_u32.to_le_bytes()));
    let said = said_of(&liar, None, limit).unwrap_err();
    assert!(said.contains("max_unpacked_bytes") || said.contains("damaged"), "{said}");
    // Many small ones count together; what is not read does not count.
    let part = vec![b'0'; 600_000];
    let many = zip_of([("stops.txt", part.as_slice()), ("trips.txt", part.as_slice())].into_iter());
    assert!(said_of(&many, None, limit).unwrap_err().contains("max_unpacked_bytes"));
    let mut files = WHOLE_YEAR.files();
    files.push(("shapes.txt", "0".repeat(3_000_000)));
    files.push(("map.pdf", "0".repeat(3_000_000)));
    let large = zip_of(files.iter().map(|(name, text)| (*name, text.as_bytes())));
    assert_eq!(said_of(&large, None, limit), Ok(()));
}

#[test]
fn a_folder_has_the_same_limit() {
    let house = House::new("");
    WHOLE_YEAR.write(house.folder.path());
    let mut config = house.config.timetable.clone();
    let judge = |config| super::super::checks::Judge { config, table: TimetableHandle::default() };
    assert!(judge(config.clone()).accept(house.folder.path(), now()).is_ok());
    config.max_unpacked_bytes = 200;
    let said = judge(config).accept(house.folder.path(), now()).unwrap_err().to_string();
    assert!(said.contains("timetable.max_unpacked_bytes (200)"), "{said}");
}

#[test]
fn the_end_is_warned_of_and_said() {
    let folder = tempfile::tempdir().unwrap();
    WHOLE_YEAR.write(folder.path());
    let table = Timetable::load(folder.path(), "").unwrap();
    for (at, expected) in [
        ("2026-05-05T12:00", None),
        ("2026-12-24T23:59", None),
        ("2026-12-25T00:01", Some("ends on 2026-12-31: 6 more days; a newer feed is needed")),
        ("2026-12-31T23:59", Some("ends on 2026-12-31: 0 more days; a newer feed is needed")),
        (
            "2027-01-01T00:01",
            Some("is valid from 2026-01-01 to 2026-12-31 only; questions about trains go to people"),
        ),
        (
            "2025-12-31T00:01",
            Some("is valid from 2026-01-01 to 2026-12-31 only; questions about trains go to people"),
        ),
    ] {
        assert_eq!(expiry(&table, paris(at), 7).as_deref(), expected, "{at}");
    }
    assert_eq!(expiry(&table, paris("2026-12-31T12:00"), 0), None);
}
