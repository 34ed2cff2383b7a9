use crate::config::HoursConfig;
use crate::model::{Lang, Timestamp};
use jiff::tz::TimeZone;

pub struct Calendar;
impl Calendar {
    pub fn new(_hours: HoursConfig, _zone: TimeZone) -> Self {
        Self
    }
    pub fn is_open(&self, _at: Timestamp) -> bool {
        true
    }
    pub fn hours_text(&self, _at: Timestamp, _lang: Lang) -> String {
        "7h00-22h00".into()
    }
    pub fn reopens_text(&self, _at: Timestamp, _lang: Lang) -> Option<String> {
        None
    }
}
