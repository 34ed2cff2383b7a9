//! What became of trains.

use super::driver::{Row, values};
use super::{MAX_KEY_BYTES, StoreError, Tx, sql};
use crate::model::{Moment, PastCall, PastTrain, StationRef, Timestamp, TrainKey};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// One call as it is stored; times in seconds, the feeds' own unit.
#[derive(Serialize, Deserialize)]
struct Call(String, String, Option<i64>, Option<i64>, Option<i64>, Option<i64>, u8);

const SECOND: i64 = 1_000_000;

impl Call {
    fn of(call: &PastCall) -> Self {
        let times = |moment: Option<Moment>| {
            let seconds = |at: Timestamp| at.0.div_euclid(SECOND);
            (moment.map(|m| seconds(m.scheduled)), moment.and_then(|m| m.expected).map(seconds))
        };
        let ((arrival, arrived), (departure, departed)) = (times(call.arrival), times(call.departure));
        let StationRef { id, name } = call.station.clone();
        Self(id, name, arrival, arrived, departure, departed, u8::from(call.skipped))
    }

    fn call(self) -> PastCall {
        let Self(id, name, arrival, arrived, departure, departed, skipped) = self;
        let at = |seconds: i64| Timestamp(seconds.saturating_mul(SECOND));
        let moment = |scheduled: Option<i64>, expected: Option<i64>| {
            Some(Moment { scheduled: at(scheduled?), expected: expected.map(at) })
        };
        PastCall {
            station: StationRef { id, name },
            arrival: moment(arrival, arrived),
            departure: moment(departure, departed),
            skipped: skipped != 0,
        }
    }
}

impl Tx {
    /// Keeps the last word about a train; an older one changes nothing. A train whose id or number is longer than
    /// [`MAX_KEY_BYTES`] is not kept.
    pub async fn keep_past(&mut self, past: &PastTrain) -> Result<(), StoreError> {
        let PastTrain { key, number, brand, terminus, cancelled, calls, as_of } = past;
        let length = |text: Option<&str>| text.map_or(0, str::len);
        if key.trip.len().max(length(number.as_deref())) > MAX_KEY_BYTES {
            return Ok(());
        }
        let calls: Vec<Call> = calls.iter().map(Call::of).collect();
        let calls = serde_json::to_string(&calls)?;
        let values = values![
            key.day.to_string(),
            key.trip.as_str(),
            number.as_deref(),
            brand.as_deref(),
            terminus.as_str(),
            i64::from(*cancelled),
            calls,
            *as_of
        ];
        self.execute(&sql::PAST_UPSERT, values).await?;
        Ok(())
    }

    pub async fn past(&mut self, key: &TrainKey) -> Result<Option<PastTrain>, StoreError> {
        let values = values![key.day.to_string(), key.trip.as_str()];
        self.fetch_one(&sql::PAST_OF_TRAIN, values).await?.as_ref().map(past).transpose()
    }

    /// Every run of that number on that service day.
    pub async fn past_numbered(&mut self, number: &str, day: Date) -> Result<Vec<PastTrain>, StoreError> {
        let rows = self.fetch(&sql::PAST_NUMBERED, values![number, day.to_string()]).await?;
        rows.iter().map(past).collect()
    }

    /// Of that service day and those after it.
    pub async fn past_since(&mut self, day: Date) -> Result<Vec<PastTrain>, StoreError> {
        let rows = self.fetch(&sql::PAST_SINCE, values![day.to_string()]).await?;
        rows.iter().map(past).collect()
    }

    /// Forgets the service days before `day`. How many trains that were.
    pub async fn forget_past(&mut self, day: Date) -> Result<u64, StoreError> {
        self.execute(&sql::PAST_FORGET, values![day.to_string()]).await
    }
}

fn past(row: &Row) -> Result<PastTrain, StoreError> {
    let calls: Vec<Call> = row.json("calls")?;
    let cancelled: i64 = row.get("cancelled")?;
    // A day that is none would be none of ours.
    let day: String = row.get("day")?;
    Ok(PastTrain {
        key: TrainKey { trip: row.get("trip")?, day: serde_json::from_value(day.into())? },
        number: row.get("number")?,
        brand: row.get("brand")?,
        terminus: row.get("terminus")?,
        cancelled: cancelled != 0,
        calls: calls.into_iter().map(Call::call).collect(),
        as_of: row.time("as_of")?,
    })
}
