//! GTFS-Realtime: what feeds say, read tolerantly and within limits, put together, and polled into a [`LiveHandle`].
//!
//! Format: the GTFS Realtime Reference, version 2.0, <https://gtfs.org/documentation/realtime/reference/>.
//! A feed is written by others: any bytes may come, and nothing here may panic, grow without bound or invent.
//!
//! [`LiveHandle`]: super::live::LiveHandle

mod alerts;
mod decode;
mod fetch;
mod instant;
mod merge;
mod poll;
mod trips;
mod wire;

pub(super) use fetch::{http_date, in_words};

pub use decode::{DecodeError, Decoded, Defaults, Dropped, Entity, TripUpdate, decode};
pub use merge::{FeedData, Forget, merge};
pub use poll::{FeedStatus, Poller};

#[cfg(test)]
mod decode_tests;
#[cfg(test)]
mod merge_tests;
#[cfg(test)]
mod peer_tests;
#[cfg(test)]
mod poll_tests;
#[cfg(test)]
mod robust_tests;
#[cfg(test)]
mod testing;
