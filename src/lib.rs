//! Guichet, a customer-message engine for passenger transport. `ARCHITECTURE.md` is the map.

#![forbid(unsafe_code)]

pub mod answers; // what turns slots into facts, and facts into words
pub mod app; // composition root: the only place that knows every concrete type
pub mod channels; // one file per provider: verify, parse, send
pub mod cli; // the commands
pub mod clock; // Clock and ManualClock; nothing else reads the time
pub mod config; // sections, defaults, validation with the key in every error
pub mod content; // the files that managers edit, live
pub mod desk; // opening hours; taking in charge, answering, resolving
pub mod engine; // decide(): pure
pub mod hooks; // other systems are told what happens, signed and in order
pub mod http; // router, webhooks, web chat, console, API
pub mod insights; // response clocks
pub mod model; // plain data, imports nothing of ours
pub mod nlu; // language, intent, entities, tone
pub mod notify; // what is said without being asked: corrections, watches
pub mod queue; // durable jobs: lanes, retries, drain
pub mod simulate; // dialogues played through the real engine, held against what is expected
pub mod sms; // what a text is as SMS: alphabet, parts, thrift; pure
pub mod store; // repositories over SQLite and Postgres
pub mod telemetry; // logs and metrics
pub mod transit; // the timetable
