//! How often a password may be tried. In memory: a restart forgets, which costs a guesser a few tries.

use crate::model::Timestamp;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Mutex;
use std::time::Duration;

/// Tries of one login before it has to wait, and of one address (an office behind one router has many agents).
const FREE_PER_LOGIN: u32 = 5;
const FREE_PER_ADDRESS: u32 = 30;
/// First wait; it doubles with each further try, up to the longest. Short enough that whoever guesses at a
/// colleague's login cannot lock the colleague out for the day.
const FIRST_WAIT: Duration = Duration::from_secs(5);
const LONGEST_WAIT: Duration = Duration::from_secs(300);
/// After this long without a try, all is forgotten.
const FORGET: Duration = Duration::from_secs(3600);
/// Bounds the memory that guessers can take.
const MAX_ENTRIES: usize = 10_000;
/// At most so many passwords are verified at once: each takes 19 MiB.
const VERIFIERS: usize = 4;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Key {
    Login(String),
    Address(IpAddr),
}

#[derive(Debug, Clone, Copy)]
struct Tries {
    count: u32,
    last: Timestamp,
}

pub struct Throttle {
    tries: Mutex<HashMap<Key, Tries>>,
    pub verifiers: tokio::sync::Semaphore,
}

impl Default for Throttle {
    fn default() -> Self {
        Self {
            tries: Mutex::default(),
            verifiers: tokio::sync::Semaphore::new(VERIFIERS),
        }
    }
}

impl Throttle {
    /// Counts a try, before the password is looked at so that tries at the same moment all count. Error: the
    /// time to wait; such a try is not counted. A loopback address is a proxy's, shared by everyone: it is not
    /// held.
    pub fn attempt(&self, login: &str, address: Option<IpAddr>, now: Timestamp) -> Result<(), Duration> {
        let mut keys = vec![(login_key(login), FREE_PER_LOGIN)];
        if let Some(address) = address.filter(|a| !a.is_loopback()) {
            keys.push((Key::Address(address), FREE_PER_ADDRESS));
        }
        let mut tries = self.lock();
        for (key, free) in &keys {
            if let Some(known) = tries.get(key)
                && let Some(wait) = wait(*known, *free, now)
            {
                return Err(wait);
            }
        }
        for (key, _) in keys {
            if tries.len() >= MAX_ENTRIES && !tries.contains_key(&key) {
                make_room(&mut tries, now);
            }
            let entry = tries.entry(key).or_insert(Tries { count: 0, last: now });
            if now.since(entry.last) >= FORGET {
                entry.count = 0;
            }
            entry.count = entry.count.saturating_add(1);
            entry.last = now;
        }
        Ok(())
    }

    /// The password was right: the person's earlier slips do not count any more.
    pub fn succeeded(&self, login: &str, address: Option<IpAddr>) {
        let mut tries = self.lock();
        tries.remove(&login_key(login));
        if let Some(known) = address.and_then(|a| tries.get_mut(&Key::Address(a))) {
            known.count = known.count.saturating_sub(1);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Key, Tries>> {
        // Counters are right after every step: a panic elsewhere leaves nothing half done.
        self.tries.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

fn login_key(login: &str) -> Key {
    Key::Login(login.chars().take(64).collect())
}

/// How long still to wait, if at all.
fn wait(tries: Tries, free: u32, now: Timestamp) -> Option<Duration> {
    let over = tries.count.checked_sub(free)?;
    let wait = FIRST_WAIT
        .saturating_mul(2u32.saturating_pow(over.min(16)))
        .min(LONGEST_WAIT);
    wait.checked_sub(now.since(tries.last))
        .filter(|left| !left.is_zero())
}

fn make_room(tries: &mut HashMap<Key, Tries>, now: Timestamp) {
    tries.retain(|_, t| now.since(t.last) < FORGET);
    if tries.len() >= MAX_ENTRIES {
        let oldest = tries
            .iter()
            .min_by_key(|(_, t)| t.last)
            .map(|(key, _)| key.clone());
        if let Some(oldest) = oldest {
            tries.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T: Timestamp = Timestamp(1_000_000_000_000);

    fn seconds(s: u64) -> Timestamp {
        T.plus(Duration::from_secs(s))
    }

    #[test]
    fn waits_grow_and_are_forgotten() {
        let throttle = Throttle::default();
        let attempt = |at| throttle.attempt("camille", None, at);
        for _ in 0..FREE_PER_LOGIN {
            attempt(T).unwrap();
        }
        assert_eq!(attempt(T), Err(Duration::from_secs(5)));
        assert_eq!(attempt(seconds(4)), Err(Duration::from_secs(1)));
        attempt(seconds(5)).unwrap();
        assert_eq!(attempt(seconds(5)), Err(Duration::from_secs(10)));
        throttle.attempt("sacha", None, T).unwrap();
        attempt(seconds(5 + 3600)).unwrap();
        attempt(seconds(5 + 3600)).unwrap();
        let mut at = seconds(10_000);
        for _ in 0..40 {
            at = at.plus(attempt(at).err().unwrap_or_default());
        }
        while attempt(at).is_ok() {}
        assert_eq!(attempt(at), Err(LONGEST_WAIT));
        throttle.succeeded("camille", None);
        attempt(at).unwrap();
    }

    #[test]
    fn addresses_are_held_whatever_the_login_but_not_a_proxy() {
        let throttle = Throttle::default();
        let guesser = Some("203.0.113.9".parse().unwrap());
        for n in 0..FREE_PER_ADDRESS {
            throttle.attempt(&format!("login{n}"), guesser, T).unwrap();
        }
        assert!(throttle.attempt("another", guesser, T).is_err());
        let proxy = Some("127.0.0.1".parse().unwrap());
        for n in 0..100 {
            throttle.attempt(&format!("other{n}"), proxy, T).unwrap();
        }
    }

    #[test]
    fn memory_is_bounded() {
        let throttle = Throttle::default();
        for n in 0..MAX_ENTRIES + 50 {
            throttle
                .attempt(&n.to_string(), None, T.plus(Duration::from_micros(n as u64)))
                .unwrap();
        }
        assert_eq!(throttle.lock().len(), MAX_ENTRIES);
    }
}
