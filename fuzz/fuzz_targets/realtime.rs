//! GTFS-Realtime from whatever bytes come: `cargo +nightly fuzz run realtime` in the project's root (or `RUSTC_BOOTSTRAP=1
//! cargo fuzz run realtime`). The first eight bytes are the time. The official examples in `../shared/data/gtfs-realtime` are good
//! seeds, with eight bytes in front.

#![no_main]

use guichet::config::FeedKind;
use guichet::model::{Lang, Timestamp};
use guichet::transit::realtime::{Decoded, Defaults, FeedData, Forget, decode, merge};
use jiff::tz::TimeZone;
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;
use std::time::Duration;

static DEFAULTS: LazyLock<Defaults> = LazyLock::new(|| Defaults {
    lang: Lang::FR,
    zone: TimeZone::get("Europe/Paris").unwrap_or(TimeZone::UTC),
});

fuzz_target!(|data: &[u8]| {
    let (now, message) = data.split_at(data.len().min(8));
    let mut bytes = [0; 8];
    bytes[..now.len()].copy_from_slice(now);
    let now = Timestamp(i64::from_le_bytes(bytes));
    let Ok(decoded) = decode(message, None, now, &DEFAULTS) else { return };
    assert!(decoded.as_of <= now);
    let mut feed = FeedData::new("fuzz".into(), FeedKind::Any);
    feed.apply(decoded.clone());
    feed.apply(Decoded { differential: true, ..decoded });
    let forget = Forget { trips: Duration::from_secs(600), alerts: Duration::from_secs(600) };
    merge([&feed], forget, now);
});
