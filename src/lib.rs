//! Guichet, a customer-message engine for passenger transport. `ARCHITECTURE.md` is the map.

#![forbid(unsafe_code)]

pub mod answers; // what turns slots into facts, and facts into words
pub mod channels; // one file per provider: verify, parse, send
pub mod cli; // the commands
pub mod clock; // Clock and ManualClock; nothing else reads the time
pub mod engine; // decide(): pure
pub mod model; // plain data, imports nothing of ours
pub mod nlu; // language, intent, entities, tone
pub mod queue; // durable jobs: lanes, retries, drain
pub mod store; // repositories over SQLite and Postgres
pub mod transit; // the timetable
