//! What became of our messages, by channel and day. Pure.

use crate::model::DeliveryStatus;
use crate::store::Deliveries;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Serialize;
use std::collections::BTreeMap;

/// Messages of ours by where they stand now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// On their way: to be sent, or being sent.
    pub waiting: i64,
    /// The provider has them, and tells no more.
    pub sent: i64,
    pub delivered: i64,
    pub failed: i64,
    /// Perhaps sent.
    pub unknown: i64,
    /// SMS that they took; none: they were none.
    pub segments: Option<i64>,
    /// In millionths of the operator's currency; none: no price is known.
    pub cost: Option<i64>,
}

impl Counts {
    pub fn total(&self) -> i64 {
        self.waiting + self.sent + self.delivered + self.failed + self.unknown
    }

    fn add(&mut self, row: &Deliveries) {
        let count = match row.status {
            DeliveryStatus::Pending | DeliveryStatus::Sending | DeliveryStatus::Received => &mut self.waiting,
            DeliveryStatus::Sent => &mut self.sent,
            DeliveryStatus::Delivered => &mut self.delivered,
            DeliveryStatus::Failed => &mut self.failed,
            DeliveryStatus::Unknown => &mut self.unknown,
        };
        *count += row.count;
        let sum = |a: Option<i64>, b: Option<i64>| match (a, b) {
            (Some(a), Some(b)) => Some(a.saturating_add(b)),
            (known, none) => known.or(none),
        };
        self.segments = sum(self.segments, row.segments);
        self.cost = sum(self.cost, row.cost);
    }
}

/// One channel.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Log {
    #[serde(flatten)]
    pub overall: Counts,
    /// By the day on which they were written, in the operator's time zone.
    pub days: BTreeMap<Date, Counts>,
}

/// By channel.
pub fn log(rows: &[Deliveries], zone: &TimeZone) -> BTreeMap<String, Log> {
    let mut channels: BTreeMap<String, Log> = BTreeMap::new();
    for row in rows {
        let channel = channels.entry(row.channel.clone()).or_default();
        channel.overall.add(row);
        let day = row.at.to_jiff().to_zoned_datetime(zone.clone()).date();
        channel.days.entry(day).or_default().add(row);
    }
    channels
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Timestamp;

    #[test]
    fn messages_are_counted_by_channel_and_local_day() {
        let row = |channel: &str, status, at: &str, count, cost: Option<i64>| Deliveries {
            channel: channel.into(),
            status,
            at: Timestamp::from_jiff(at.parse().unwrap()),
            count,
            segments: cost.map(|_| count * 2),
            cost,
        };
        use DeliveryStatus::{Delivered, Failed, Pending, Sent, Unknown};
        let rows = [
            row("sms", Delivered, "2026-11-23T22:45:00Z", 3, Some(150)),
            row("sms", Failed, "2026-11-23T23:00:00Z", 1, None),
            row("sms", Unknown, "2026-11-23T23:15:00Z", 2, Some(100)),
            row("web", Sent, "2026-11-23T10:00:00Z", 4, None),
            row("web", Pending, "2026-11-23T10:15:00Z", 5, None),
        ];
        let log = log(&rows, &TimeZone::get("Europe/Paris").unwrap());
        let sms = &log["sms"];
        let first = Counts { delivered: 3, segments: Some(6), cost: Some(150), ..Counts::default() };
        let second =
            Counts { failed: 1, unknown: 2, segments: Some(4), cost: Some(100), ..Counts::default() };
        let days: Vec<(String, Counts)> = sms.days.iter().map(|(d, c)| (d.to_string(), *c)).collect();
        assert_eq!(days, [("2026-11-23".to_owned(), first), ("2026-11-24".to_owned(), second)]);
        assert_eq!((sms.overall.total(), sms.overall.cost), (6, Some(250)));
        let web = Counts { sent: 4, waiting: 5, ..Counts::default() };
        assert_eq!(log["web"].overall, web);
    }
}
