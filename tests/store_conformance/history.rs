//! What became of trains.

use crate::given::at;
use crate::support::TestDb;
use guichet::model::{Moment, PastCall, PastTrain, StationRef, Timestamp, TrainKey};
use guichet::store::MAX_KEY_BYTES;
use std::sync::Arc;

const SECOND: i64 = 1_000_000;

fn train(trip: &str, day: &str, late: i64, as_of: i64) -> PastTrain {
    let moment = |at: i64| {
        let scheduled = Timestamp(at * SECOND);
        Some(Moment { scheduled, expected: Some(Timestamp(scheduled.0 + late * SECOND)) })
    };
    let call = |name: &str, arrival, departure| PastCall {
        station: StationRef { id: name.to_lowercase(), name: name.into() },
        arrival,
        departure,
        skipped: name == "Laval",
    };
    PastTrain {
        key: TrainKey { trip: trip.into(), day: day.parse().unwrap() },
        number: Some("8745".into()),
        brand: None,
        terminus: "Brest".into(),
        cancelled: late < 0,
        calls: vec![
            call("Vitré", None, moment(1_000)),
            call("Laval", None, None),
            call("Brest", moment(2_000), None),
        ],
        as_of: at(as_of),
    }
}

pub async fn the_last_word_about_a_train_is_kept(db: Arc<TestDb>) {
    let keep = async |train: PastTrain| {
        let mut tx = db.store.begin().await.unwrap();
        tx.keep_past(&train).await.unwrap();
        tx.commit().await.unwrap();
    };
    let first = train("t1", "2026-05-05", 60, 1);
    let day = first.key.day;
    keep(first.clone()).await;
    let of_day = async || db.store.read().await.unwrap().past_numbered("8745", day).await.unwrap();
    assert_eq!(of_day().await, [first]);
    // Another instance that is behind changes nothing.
    let last = train("t1", "2026-05-05", 120, 5);
    keep(last.clone()).await;
    keep(train("t1", "2026-05-05", 90, 4)).await;
    assert_eq!(of_day().await, std::slice::from_ref(&last));

    let gone = train("t2", "2026-05-05", -1, 2);
    let next_day = train("t1", "2026-05-06", 0, 3);
    keep(gone.clone()).await;
    keep(next_day.clone()).await;
    keep(train(&"x".repeat(MAX_KEY_BYTES + 1), "2026-05-05", 0, 1)).await;
    let mut tx = db.store.begin().await.unwrap();
    assert_eq!(tx.past(&next_day.key).await.unwrap().as_ref(), Some(&next_day));
    assert_eq!(tx.past_numbered("8745", day).await.unwrap(), [last, gone]);
    assert_eq!(tx.past_numbered("1", day).await.unwrap(), []);
    assert_eq!(tx.past_since(day).await.unwrap().len(), 3);
    assert_eq!(tx.forget_past(next_day.key.day).await.unwrap(), 2);
    assert_eq!(tx.past_since(day).await.unwrap(), [next_day]);
}
