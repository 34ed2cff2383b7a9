use crate::model::Timestamp;
use crate::transit::Timetable;

/// What is to be said of the days that a timetable covers: that today is not among them, or that fewer than `warn_days` are left.
pub fn expiry(table: &Timetable, now: Timestamp, warn_days: u16) -> Option<String> {
    let (first, last) = table.validity();
    let today = table.local(now).date();
    if today < first || last < today {
        return Some(format!("is valid from {first} to {last} only; questions about trains go to people"));
    }
    let left = i64::from((last - today).get_days());
    (left < i64::from(warn_days)).then(|| format!("ends on {last}: {left} more days; a newer feed is needed"))
}
