//! Feeds spoiled at random: whatever comes, it is loaded or refused, and what is loaded answers without a panic.

use super::*;
use crate::transit::live::LiveHandle;
use crate::transit::planner::{BoardQuery, Ends, JourneyQuery, Planner as _, When};
use crate::transit::reload::checks::Judge;
use crate::transit::{LiveLimits, Local, TimetableHandle};
use futures::executor::block_on;
use proptest::prelude::*;
use proptest::sample::{Index, select};

/// What people and programs write where something else was meant.
const ODD: [&str; 22] = [
    "",
    " ",
    "-1",
    "0",
    "1",
    "2",
    "3",
    "99",
    "4294967295",
    "4294967296",
    "99999999999999999999",
    "1e9",
    "P",
    "Q",
    "S",
    "t1",
    "24:00:00",
    "167:59:59",
    "25:61:61",
    "20260230",
    "99991231",
    "\"",
];

/// All the files we read, so that all of them get spoiled.
fn files() -> Vec<(&'static str, String)> {
    let mut files = Made { trains: 4, ..WHOLE_YEAR }.files();
    files.extend([
        ("calendar_dates.txt", "service_id,date,exception_type\nS,20260505,2\nS,20270101,1\n".to_owned()),
        ("transfers.txt", "from_stop_id,to_stop_id,transfer_type,min_transfer_time\nP,Q,2,120\nQ,Q,3,\n".to_owned()),
        (
            "frequencies.txt",
            "trip_id,start_time,end_time,headway_secs,exact_times\nt1,06:00:00,07:00:00,1200,1\nt2,06:00:00,07:00:00,1200,0\n"
                .to_owned(),
        ),
        (
            "feed_info.txt",
            "feed_publisher_name,feed_publisher_url,feed_lang,feed_start_date,feed_end_date,feed_version\n\
             Maker,https://m.invalid,fr,20260101,20261231,2026-01-01\n"
                .to_owned(),
        ),
    ]);
    files
}

/// One spoiled place.
#[derive(Debug, Clone)]
enum Spoil {
    /// A field of a row, headers included, becomes something odd.
    Field(Index, Index, Index, &'static str),
    /// A row comes twice.
    Twice(Index, Index),
    /// A byte becomes another.
    Byte(Index, Index, u8),
    /// A file ends early.
    Cut(Index, Index),
    Gone(Index),
}

fn spoil() -> impl Strategy<Value = Spoil> {
    let at = any::<Index>;
    prop_oneof![
        6 => (at(), at(), at(), select(&ODD[..])).prop_map(|(file, row, field, odd)| Spoil::Field(file, row, field, odd)),
        1 => (at(), at()).prop_map(|(file, row)| Spoil::Twice(file, row)),
        2 => (at(), at(), any::<u8>()).prop_map(|(file, byte, to)| Spoil::Byte(file, byte, to)),
        1 => (at(), at()).prop_map(|(file, length)| Spoil::Cut(file, length)),
        1 => at().prop_map(Spoil::Gone),
    ]
}

fn spoiled(spoils: &[Spoil]) -> Vec<(&'static str, Vec<u8>)> {
    let mut files: Vec<_> = files().into_iter().map(|(name, text)| (name, text.into_bytes())).collect();
    for spoil in spoils {
        let (Spoil::Field(file, ..)
        | Spoil::Twice(file, _)
        | Spoil::Byte(file, ..)
        | Spoil::Cut(file, _)
        | Spoil::Gone(file)) = spoil;
        let rank = file.index(files.len());
        let bytes = &mut files[rank].1;
        let mut rows: Vec<Vec<u8>> =
            bytes.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
        match spoil {
            Spoil::Field(_, row, field, odd) if !rows.is_empty() => {
                let row = row.get_mut(&mut rows);
                let mut fields: Vec<&[u8]> = row.split(|byte| *byte == b',' || *byte == b'\n').collect();
                *field.get_mut(&mut fields) = odd.as_bytes();
                *row = fields.join(&b',');
                row.push(b'\n');
                *bytes = rows.concat();
            }
            Spoil::Twice(_, row) if !rows.is_empty() => {
                rows.push(row.get(&rows).clone());
                *bytes = rows.concat();
            }
            Spoil::Byte(_, at, to) if !bytes.is_empty() => *at.get_mut(bytes) = *to,
            Spoil::Cut(_, length) if !bytes.is_empty() => bytes.truncate(length.index(bytes.len())),
            Spoil::Gone(_) if files.len() > 1 => drop(files.remove(rank)),
            _ => {}
        }
    }
    files
}

/// True when it was loaded.
fn tried(path: &Path) -> bool {
    let judge = Judge { config: House::new("").config.timetable, table: TimetableHandle::default() };
    let Ok(table) = judge.accept(path, now()) else { return false };
    let stations: Vec<String> = table.stations().iter().map(|station| station.id.clone()).collect();
    let planner =
        Local::new(TimetableHandle::new(table), LiveHandle::default(), LiveLimits::default(), false);
    for from in stations.iter().take(3) {
        let query =
            BoardQuery { station: from.clone(), other: None, ends: Ends::Departures, at: now(), limit: 5 };
        let _ = block_on(planner.board(&query, now()));
        for to in stations.iter().take(3) {
            for when in [When::DepartAfter(now()), When::ArriveBefore(now())] {
                let query = JourneyQuery { from: from.clone(), to: to.clone(), via: None, when, limit: 3 };
                let _ = block_on(planner.journeys(&query, now()));
            }
        }
    }
    true
}

#[test]
fn the_unspoiled_feed_is_good() {
    let folder = tempfile::tempdir().unwrap();
    spoiled(&[]).iter().for_each(|(name, bytes)| std::fs::write(folder.path().join(name), bytes).unwrap());
    assert!(tried(folder.path()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn spoiled_folders_never_panic(spoils in prop::collection::vec(spoil(), 1..4)) {
        let folder = tempfile::tempdir().unwrap();
        for (name, bytes) in spoiled(&spoils) {
            std::fs::write(folder.path().join(name), bytes).unwrap();
        }
        tried(folder.path());
    }

    #[test]
    fn spoiled_archives_never_panic(
        bytes in prop::collection::vec((any::<Index>(), any::<u8>()), 1..8),
        cut in prop::option::weighted(0.2, any::<Index>()),
    ) {
        let files = files();
        let mut zip = zip_of(files.iter().map(|(name, text)| (*name, text.as_bytes())));
        for (at, to) in bytes {
            *at.get_mut(&mut zip) = to;
        }
        if let Some(cut) = cut {
            zip.truncate(cut.index(zip.len()));
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("feed.zip");
        std::fs::write(&path, zip).unwrap();
        tried(&path);
    }
}
