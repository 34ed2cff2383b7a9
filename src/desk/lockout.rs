//! How long an account waits after failed sign-ins. The same numbers hold in memory for every login, known or not
//! (`http::auth::throttle`), so that a wait says nothing about whether a login exists.

use std::time::Duration;

/// Tries before the first wait, and before each further one.
pub const FREE: u32 = 5;
const FIRST: Duration = Duration::from_secs(60);
const LATER: Duration = Duration::from_secs(15 * 60);

/// How long nobody may try after this many failures in a row. Short enough that whoever guesses at a colleague's
/// login cannot keep the colleague out for the day, and an admin can end it.
pub fn wait_after(failures: u32) -> Option<Duration> {
    match failures {
        0 => None,
        FREE => Some(FIRST),
        n if n.is_multiple_of(FREE) => Some(LATER),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow() {
        let waits: Vec<(u32, u64)> =
            (0..=16).filter_map(|n| wait_after(n).map(|wait| (n, wait.as_secs()))).collect();
        assert_eq!(waits, [(5, 60), (10, 900), (15, 900)]);
    }
}
