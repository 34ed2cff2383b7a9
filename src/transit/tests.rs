use super::departures::Departures;
use super::planner::Unknown;
use super::testing::{EVERY_DAY, Naive, demo, demo_path, feed, id_of, paris, shared_data};
use super::{Timetable, TimetableError};
use crate::model::Timestamp;
use jiff::civil::date;
use std::path::Path;
use std::time::Duration;

const TRIPS: &str = "route_id,service_id,trip_id,trip_short_name\nL,S,t1,101\n";
/// `stop_times.txt` of one trip: `arrival,departure,stop,pickup,drop_off` per row.
fn one_trip(rows: &[&str]) -> String {
    let mut text =
        "trip_id,stop_sequence,arrival_time,departure_time,stop_id,pickup_type,drop_off_type\n".to_owned();
    for (rank, row) in rows.iter().enumerate() {
        text.push_str(&format!("t1,{rank},{row}\n"));
    }
    text
}

fn load(folder: &Path) -> Timetable {
    Timetable::load(folder, "Essai").unwrap()
}

fn simple(rows: &[&str]) -> Timetable {
    let folder =
        feed(&[("trips.txt", TRIPS), ("calendar.txt", EVERY_DAY), ("stop_times.txt", &one_trip(rows))]);
    load(folder.path())
}

fn ask(table: &Timetable, from: &str, to: Option<&str>, local: &str) -> Departures {
    table.departures(from, to, paris(local), 100).unwrap()
}

fn times(found: &Departures) -> Vec<String> {
    found.rows.iter().map(|row| row.time.strftime("%d %H:%M").to_string()).collect()
}

#[test]
fn one_row_says_all_that_the_feed_knows() {
    let table = simple(&["08:00:00,08:00:00,P1,0,1", "08:20:00,08:22:00,Q,0,0", "08:40:00,08:40:00,R,1,0"]);
    let found = ask(&table, "P", Some("Q"), "2026-05-05T07:00");
    let row = &found.rows[0];
    assert_eq!(row.time, date(2026, 5, 5).at(8, 0, 0, 0));
    assert_eq!(row.arrival, Some(date(2026, 5, 5).at(8, 20, 0, 0)));
    assert_eq!((row.train.as_deref(), row.brand.as_deref()), (Some("101"), Some("Ligne")));
    assert_eq!((row.terminus.as_str(), row.platform.as_deref()), ("Rade", Some("1")));
    assert_eq!((found.total, found.direct, found.incomplete), (1, true, false));
    let names: Vec<&str> = table.stations().iter().map(|station| station.name.as_str()).collect();
    assert_eq!(names, ["Pont", "Quai", "Rade"]);
    assert_eq!(table.station("P").unwrap().name, "Pont");
}

#[test]
fn at_the_asked_minute_counts_and_the_end_of_the_line_does_not() {
    let table = simple(&["08:00:00,08:00:00,P1,0,0", "08:20:00,08:22:00,Q,0,0", "08:40:00,08:40:00,R,0,0"]);
    for (from, to, at, expected) in [
        ("P", None, "2026-05-05T08:00", 1),
        ("P", None, "2026-05-05T08:01", 0),
        ("Q", Some("R"), "2026-05-05T08:22", 1),
        ("Q", Some("P"), "2026-05-05T05:00", 0),
        ("R", None, "2026-05-05T05:00", 0),
    ] {
        assert_eq!(ask(&table, from, to, at).total, expected, "{from} {to:?} {at}");
    }
    assert!(!ask(&table, "Q", Some("P"), "2026-05-05T05:00").direct);
}

#[test]
fn closed_doors_are_not_offered() {
    let table = simple(&["08:00:00,08:00:00,P1,0,1", "08:20:00,08:22:00,Q,1,1", "08:40:00,08:40:00,R,1,0"]);
    assert_eq!(ask(&table, "P", Some("Q"), "2026-05-05T05:00").total, 0); // cannot be left there
    assert_eq!(ask(&table, "Q", Some("R"), "2026-05-05T05:00").total, 0); // cannot be boarded there
    assert_eq!(ask(&table, "P", Some("R"), "2026-05-05T05:00").total, 1);
}

#[test]
fn what_has_no_exact_time_makes_the_answer_incomplete() {
    let untimed = simple(&["08:00:00,08:00:00,P1,0,0", ",,Q,0,0", "08:40:00,08:40:00,R,0,0"]);
    assert!(ask(&untimed, "Q", Some("R"), "2026-05-05T05:00").incomplete);
    let reached = ask(&untimed, "P", Some("Q"), "2026-05-05T05:00");
    assert_eq!((reached.rows[0].arrival, reached.incomplete), (None, false));
    let by_phone = simple(&["08:00:00,08:00:00,P1,2,0", "08:40:00,08:40:00,R,0,0"]);
    let found = ask(&by_phone, "P", None, "2026-05-05T05:00");
    assert_eq!((found.total, found.incomplete), (0, true));
}

#[test]
fn trains_after_midnight_belong_to_the_evening() {
    let table = simple(&["24:20:00,24:20:00,P1,0,0", "25:00:00,25:00:00,Q,0,0"]);
    for (at, expected) in [
        ("2026-05-05T23:50", vec!["06 00:20"]),             // tonight's
        ("2026-05-05T00:10", vec!["05 00:20", "06 00:20"]), // last night's, then tonight's
        ("2026-05-05T00:30", vec!["06 00:20"]),
    ] {
        assert_eq!(times(&ask(&table, "P", Some("Q"), at)), expected, "{at}");
    }
}

#[test]
fn days_on_which_clocks_change_count_from_noon() {
    let table = simple(&["08:00:00,08:00:00,P1,0,0", "09:00:00,09:00:00,Q,0,0"]);
    for (at, expected) in [
        ("2026-03-29T00:30", "2026-03-29T06:00:00Z"),
        ("2026-10-25T00:30", "2026-10-25T07:00:00Z"),
        ("2026-06-01T00:30", "2026-06-01T06:00:00Z"),
    ] {
        let found = ask(&table, "P", None, at);
        assert_eq!(found.rows[0].at.to_string(), expected);
        assert_eq!(found.rows[0].time.hour(), 8);
    }
    // A night train of the day of 25 hours: 25:30 is twelve hours before noon plus 25:30, so 01:30 of the next morning.
    let night = simple(&["25:30:00,25:30:00,P1,0,0", "26:00:00,26:00:00,Q,0,0"]);
    assert_eq!(times(&ask(&night, "P", None, "2026-10-25T12:00")), ["26 01:30"]);
    // Clocks go forward at 02:00 on the 29th: 25:30 of the 28th is 01:30, and 26:30 is 03:30.
    let spring = simple(&["26:30:00,26:30:00,P1,0,0", "27:00:00,27:00:00,Q,0,0"]);
    assert_eq!(times(&ask(&spring, "P", None, "2026-03-28T12:00")), ["29 03:30"]);
}

#[test]
fn outside_its_days_the_timetable_does_not_answer() {
    let table = simple(&["08:00:00,08:00:00,P1,0,0", "09:00:00,09:00:00,Q,0,0"]);
    for at in ["2025-12-31T12:00", "2027-01-01T00:10"] {
        let error = table.departures("P", None, paris(at), 5).unwrap_err();
        assert!(matches!(error, Unknown::OutOfRange { .. }), "{at}: {error}");
    }
    assert_eq!(ask(&table, "P", None, "2026-12-31T07:00").total, 1);
    assert_eq!(table.departures("X", None, paris("2026-05-05T07:00"), 5), Err(Unknown::Station("X".into())));
    assert_eq!(table.departures("P", Some("P"), paris("2026-05-05T07:00"), 5), Err(Unknown::SameStation));
    // Hostile instants.
    assert!(table.departures("P", None, Timestamp(i64::MAX), 5).is_err());
    assert!(table.departures("P", None, Timestamp(i64::MIN), 5).is_err());
}

#[test]
fn feed_info_bounds_the_days_and_dates_the_data() {
    let info = "feed_publisher_name,feed_publisher_url,feed_lang,feed_start_date,feed_end_date,feed_version\n\
                Maker (invented),https://m.invalid,fr,20260301,20260630,2026-02-14 build 3\n";
    let rows = one_trip(&["08:00:00,08:00:00,P1,0,0", "09:00:00,09:00:00,Q,0,0"]);
    let folder = feed(&[
        ("trips.txt", TRIPS),
        ("calendar.txt", EVERY_DAY),
        ("stop_times.txt", &rows),
        ("feed_info.txt", info),
    ]);
    let table = load(folder.path());
    assert_eq!(table.validity(), (date(2026, 3, 1), date(2026, 6, 30)));
    assert_eq!(table.source().as_of, date(2026, 2, 14));
    let boast = info.replace("20260301,20260630", "20250101,20400101");
    std::fs::write(folder.path().join("feed_info.txt"), boast).unwrap();
    assert_eq!(load(folder.path()).validity(), (date(2026, 1, 1), date(2026, 12, 31)));
    assert!(table.source().invented);
    assert_eq!(table.source().label, "Essai");
    assert_eq!(Timetable::load(folder.path(), "").unwrap().source().label, "Maker (invented)");
}

#[test]
fn exact_frequencies_are_expanded_and_headways_are_not_times() {
    let rows = one_trip(&["00:00:00,00:00:00,P1,0,0", "00:10:00,00:10:00,Q,0,0"]);
    let frequencies = |exact: &str| {
        format!("trip_id,start_time,end_time,headway_secs,exact_times\nt1,06:00:00,07:00:00,1200,{exact}\n")
    };
    for (exact, expected) in [("1", vec!["05 06:00", "05 06:20", "05 06:40"]), ("0", vec![]), ("", vec![])] {
        let folder = feed(&[
            ("trips.txt", TRIPS),
            ("calendar.txt", EVERY_DAY),
            ("stop_times.txt", &rows),
            ("frequencies.txt", &frequencies(exact)),
        ]);
        let found = ask(&load(folder.path()), "P", Some("Q"), "2026-05-05T05:00");
        assert_eq!(times(&found), expected, "{exact}");
        assert_eq!(found.incomplete, exact != "1");
        let later = ask(&load(folder.path()), "P", Some("Q"), "2026-05-05T06:20");
        assert_eq!(times(&later), expected.get(1..).unwrap_or_default());
    }
}

#[test]
fn calendar_dates_alone_are_a_calendar() {
    let rows = one_trip(&["08:00:00,08:00:00,P1,0,0", "09:00:00,09:00:00,Q,0,0"]);
    let dates = "service_id,date,exception_type\nS,20260505,1\nS,20260507,1\n";
    let folder = feed(&[("trips.txt", TRIPS), ("calendar_dates.txt", dates), ("stop_times.txt", &rows)]);
    let table = load(folder.path());
    assert_eq!(table.validity(), (date(2026, 5, 5), date(2026, 5, 7)));
    assert_eq!(ask(&table, "P", None, "2026-05-05T05:00").total, 1);
    assert_eq!(ask(&table, "P", None, "2026-05-06T05:00").total, 0);
}

#[test]
fn broken_feeds_are_refused_with_file_and_cure() {
    let rows = one_trip(&["08:00:00,08:00:00,P1,0,0", "09:00:00,09:00:00,NOWHERE,0,0"]);
    let folder = feed(&[("trips.txt", TRIPS), ("calendar.txt", EVERY_DAY), ("stop_times.txt", &rows)]);
    let error = Timetable::load(folder.path(), "").unwrap_err().to_string();
    assert!(error.contains("stop_times.txt names the stop 'NOWHERE'"), "{error}");

    let rows = one_trip(&["08:00:00,08:00:00,P1,0,0", "900:00:00,900:00:00,Q,0,0"]);
    let folder = feed(&[("trips.txt", TRIPS), ("calendar.txt", EVERY_DAY), ("stop_times.txt", &rows)]);
    assert!(matches!(Timetable::load(folder.path(), ""), Err(TimetableError::Value { .. })));

    let folder = feed(&[("trips.txt", TRIPS)]);
    let error = Timetable::load(folder.path(), "").unwrap_err().to_string();
    assert!(error.contains("stop_times.txt"), "{error}");
    assert!(Timetable::load(Path::new("/nowhere"), "").is_err());

    let rows = one_trip(&["08:00:00,08:00:00,P1,0,0", "09:00:00,09:00:00,Q,0,0"]);
    let folder = feed(&[("trips.txt", TRIPS), ("stop_times.txt", &rows)]);
    assert!(matches!(Timetable::load(folder.path(), ""), Err(TimetableError::Empty { .. })));
}

#[test]
fn the_demo_answers_at_every_hour_and_as_a_naive_scan_does() {
    let table = demo();
    assert!(table.source().invented);
    assert_eq!(table.source().as_of, date(2026, 11, 1));
    let naive = Naive::read(&demo_path());
    for (from, to) in [("Vitré", "Rennes"), ("Rennes", "Paris Montparnasse"), ("Paris Nord", "Saint-Denis")]
    {
        let (from, to) = (id_of(&table, from), id_of(&table, to));
        // A weekday, a Sunday, a holiday, both clock changes, the last day.
        for day in ["2026-12-16", "2026-12-20", "2027-07-14", "2026-03-29", "2026-10-25", "2035-12-30"] {
            for hour in ["00:10", "05:00", "12:34", "18:05", "23:55"] {
                let at = paris(&format!("{day}T{hour}"));
                let found = table.departures(&from, Some(&to), at, 1000).unwrap();
                let noon = paris(&format!("{day}T12:00"));
                let until = noon.plus(Duration::from_secs(16 * 3600));
                let rows: Vec<_> =
                    found.rows.iter().map(|row| (row.at, paris(&row.arrival.unwrap().to_string()))).collect();
                assert_eq!(rows, naive.trains(&from, &to, at, until), "{from} {to} {day} {hour}");
            }
        }
    }
    let (from, to) = (id_of(&table, "Vitré"), id_of(&table, "Rennes"));
    for hour in 5..24 {
        let at = paris(&format!("2026-12-20T{hour:02}:59"));
        assert!(table.departures(&from, Some(&to), at, 1).unwrap().total > 0, "{hour}");
    }
}

#[test]
fn sncf_feed_tells_the_trains_it_holds() {
    let Some(path) = shared_data("gtfs/sncf-tgv-2024-12.zip") else {
        return;
    };
    let table = Timetable::load(&path, "SNCF").unwrap();
    let from = id_of(&table, "Paris Gare de Lyon Hall 1 - 2");
    let to = id_of(&table, "Lyon Part Dieu");
    let at = paris("2025-01-10T00:00");
    let found = table.departures(&from, Some(&to), at, 100).unwrap();
    assert_eq!(found.total, 23);
    let first = &found.rows[0];
    assert_eq!((first.train.as_deref(), first.brand.as_deref()), (Some("6641"), Some("TGV INOUI")));
    let ouigo = found.rows.iter().filter(|row| row.brand.as_deref() == Some("OUIGO"));
    assert_eq!(ouigo.count(), 2);
    assert_eq!((table.source().as_of, table.source().invented), (date(2024, 12, 20), false));
    // feed_info claims 2025-05-19; the last train runs seven weeks before.
    assert_eq!(table.validity(), (date(2024, 12, 20), date(2025, 3, 30)));
    let naive = Naive::read(&path);
    let until = paris("2025-01-11T04:00");
    let rows: Vec<_> =
        found.rows.iter().map(|row| (row.at, paris(&row.arrival.unwrap().to_string()))).collect();
    assert_eq!(rows, naive.trains(&from, &to, at, until));
    assert!(table.departures(&from, None, paris("2026-01-10T00:00"), 5).is_err());
}

#[test]
fn other_agencies_feeds_load() {
    for name in ["metra.zip", "cairns_gtfs.zip", "nyc_subway_gtfs.zip", "sample_gtfs.zip"] {
        let Some(path) = shared_data(&format!("gtfs/{name}")) else {
            continue;
        };
        let table = Timetable::load(&path, "").unwrap_or_else(|error| panic!("{name}: {error}"));
        let (_, last) = table.validity();
        let trains = |days: i64| {
            let day = last.checked_sub(jiff::Span::new().days(days)).unwrap();
            let early = day.at(4, 0, 0, 0).to_zoned_datetime(table.zone().clone()).unwrap();
            let at = Timestamp::from_jiff(early.timestamp());
            let found =
                table.stations().iter().map(|station| table.departures(&station.id, None, at, 3).unwrap());
            found.filter(|found| found.total > 0 || found.incomplete).count()
        };
        assert!((0..7).any(|days| trains(days) > 0), "{name}");
    }
}
