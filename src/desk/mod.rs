//! Opening hours; taking in charge, answering, resolving.

pub mod hours;
pub mod password;
