use super::*;
use crate::config::Span;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const DAY: Duration = Duration::from_secs(24 * 3600);

/// Until it is the same twice.
async fn settle(house: &House, reloader: &mut Reloader) -> Outcome {
    assert_eq!(house.check(reloader).await, Outcome::Changing);
    house.check(reloader).await
}

#[tokio::test]
async fn a_changed_folder_is_put_in_service_when_it_has_settled() {
    let mut house = House::new("");
    let gtfs = house.folder.path().join("gtfs");
    std::fs::create_dir(&gtfs).unwrap();
    WHOLE_YEAR.write(&gtfs);
    house.config.timetable.gtfs = Secret::new(gtfs.to_str().unwrap());
    let mut reloader = house.start();
    assert_eq!(served(&reloader).as_deref(), Some("Pont"));
    assert_eq!(house.check(&mut reloader).await, Outcome::Unchanged);

    Made { name: "Pont Neuf", ..WHOLE_YEAR }.write(&gtfs);
    assert_eq!(house.check(&mut reloader).await, Outcome::Changing);
    // Still being written.
    std::fs::write(gtfs.join("shapes.txt"), "shape_id\n").unwrap();
    assert_eq!(house.check(&mut reloader).await, Outcome::Changing);
    assert_eq!(served(&reloader).as_deref(), Some("Pont"));
    assert_eq!(house.check(&mut reloader).await, Outcome::Replaced);
    assert_eq!(served(&reloader).as_deref(), Some("Pont Neuf"));
    assert_eq!(house.check(&mut reloader).await, Outcome::Unchanged);
}

#[tokio::test]
async fn a_broken_or_vanished_archive_leaves_the_one_before() {
    let mut house = House::new("");
    let path = house.folder.path().join("feed.zip");
    house.config.timetable.gtfs = Secret::new(path.to_str().unwrap());
    // Not there at the start, then it comes.
    let mut reloader = house.start();
    assert_eq!(served(&reloader), None);
    assert!(reloader.timetable().problem().unwrap().contains("feed.zip: it cannot be read"));
    let zip = WHOLE_YEAR.zip();
    std::fs::write(&path, &zip).unwrap();
    assert_eq!(settle(&house, &mut reloader).await, Outcome::Replaced);
    assert_eq!(reloader.timetable().problem(), None);

    std::fs::write(&path, &zip[..zip.len() / 2]).unwrap();
    let refused = settle(&house, &mut reloader).await;
    assert!(why(&refused).contains("damaged zip archive"), "{refused:?}");
    assert_eq!(house.check(&mut reloader).await, refused);
    assert!(reloader.timetable().problem().unwrap().contains("damaged"));
    assert_eq!(served(&reloader).as_deref(), Some("Pont"));

    std::fs::remove_file(&path).unwrap();
    assert!(matches!(house.check(&mut reloader).await, Outcome::Failed(_)));
    assert_eq!(served(&reloader).as_deref(), Some("Pont"));

    std::fs::write(&path, Made { name: "Pont Neuf", ..WHOLE_YEAR }.zip()).unwrap();
    assert_eq!(settle(&house, &mut reloader).await, Outcome::Replaced);
    assert_eq!((served(&reloader).as_deref(), reloader.timetable().problem()), (Some("Pont Neuf"), None));
}

#[tokio::test]
async fn what_begins_tomorrow_replaces_what_ends_tomorrow_and_not_today() {
    let mut house = House::new("");
    let path = house.folder.path().join("feed.zip");
    house.config.timetable.gtfs = Secret::new(path.to_str().unwrap());
    house.config.timetable.min_share = 0.6;
    std::fs::write(&path, Made { last: "20260506", ..WHOLE_YEAR }.zip()).unwrap();
    let mut reloader = house.start();
    std::fs::write(&path, Made { first: "20260506", name: "Pont Neuf", ..WHOLE_YEAR }.zip()).unwrap();
    // Today's trains would be lost.
    let refused = settle(&house, &mut reloader).await;
    assert!(why(&refused).contains("from 2026-05-05 to 2026-05-06 it has 10 trains where"), "{refused:?}");
    house.clock.advance(DAY);
    assert_eq!(house.check(&mut reloader).await, Outcome::Replaced);
    assert_eq!(served(&reloader).as_deref(), Some("Pont Neuf"));
}

#[tokio::test]
async fn nothing_configured_is_nothing_to_do() {
    let house = House::new("");
    let mut reloader = house.start();
    assert_eq!(house.check(&mut reloader).await, Outcome::Unchanged);
    assert_eq!((served(&reloader), reloader.timetable().problem()), (None, None));
    reloader.run(CancellationToken::new()).await;
}

#[tokio::test]
async fn run_looks_again_until_it_is_stopped() {
    let mut house = House::new("");
    let path = house.folder.path().join("feed.zip");
    house.config.timetable.gtfs = Secret::new(path.to_str().unwrap());
    house.config.files.poll = Span::seconds(0);
    let reloader = house.start();
    let (table, stopping) = (reloader.timetable(), CancellationToken::new());
    let running = tokio::spawn(reloader.run(stopping.clone()));
    std::fs::write(&path, WHOLE_YEAR.zip()).unwrap();
    let loaded = async {
        while table.get().is_none() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), loaded).await.unwrap();
    stopping.cancel();
    running.await.unwrap();
}
