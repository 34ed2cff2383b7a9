//! How often a password may be tried. In memory: a restart forgets, which costs a guesser a few tries.

use crate::desk::people::PeopleError;
use crate::desk::{lockout, password};
use crate::model::Timestamp;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Mutex;
use std::time::Duration;

/// Tries of one address before it has to wait (an office behind one router has many agents). A login's are those of
/// [`lockout`]: known or not, it waits alike.
const FREE_PER_ADDRESS: u32 = 30;
/// First wait of an address; it doubles with each further try, up to the longest.
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
        Self { tries: Mutex::default(), verifiers: tokio::sync::Semaphore::new(VERIFIERS) }
    }
}

impl Throttle {
    /// Counts a try, before the password is looked at so that tries at the same moment all count. Error: the
    /// time to wait; such a try is not counted. A loopback address is a proxy's, shared by everyone: it is not
    /// held.
    pub fn attempt(&self, login: &str, address: Option<IpAddr>, now: Timestamp) -> Result<(), Duration> {
        let mut keys = vec![login_key(login)];
        keys.extend(address.filter(|a| !a.is_loopback()).map(Key::Address));
        let mut tries = self.lock();
        for key in &keys {
            if let Some(wait) = tries.get(key).and_then(|known| wait(key, *known, now)) {
                return Err(wait);
            }
        }
        for key in keys {
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

    /// The hash of a password that was checked, made where blocking is allowed and within the bound on memory.
    pub async fn hash(&self, password: &str) -> Result<String, PeopleError> {
        let password = password.to_owned();
        let refused = |_| PeopleError::Password(password::Refused::TooLong);
        let Ok(_permit) = self.verifiers.acquire().await else {
            return Err(PeopleError::Gone);
        };
        let hashed = tokio::task::spawn_blocking(move || password::hash(&password));
        hashed.await.unwrap_or_else(|error| Err(error.to_string())).map_err(refused)
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
fn wait(key: &Key, tries: Tries, now: Timestamp) -> Option<Duration> {
    let wait = match key {
        Key::Login(_) => lockout::wait_after(tries.count)?,
        Key::Address(_) => {
            let over = tries.count.checked_sub(FREE_PER_ADDRESS)?;
            FIRST_WAIT.saturating_mul(2u32.saturating_pow(over.min(16))).min(LONGEST_WAIT)
        }
    };
    wait.checked_sub(now.since(tries.last)).filter(|left| !left.is_zero())
}

fn make_room(tries: &mut HashMap<Key, Tries>, now: Timestamp) {
    tries.retain(|_, t| now.since(t.last) < FORGET);
    if tries.len() >= MAX_ENTRIES {
        let oldest = tries.iter().min_by_key(|(_, t)| t.last).map(|(key, _)| key.clone());
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
        for _ in 0..lockout::FREE {
            attempt(T).unwrap();
        }
        assert_eq!(attempt(T), Err(Duration::from_secs(60)));
        assert_eq!(attempt(seconds(59)), Err(Duration::from_secs(1)));
        throttle.attempt("sacha", None, T).unwrap();
        for _ in 0..lockout::FREE {
            attempt(seconds(60)).unwrap();
        }
        assert_eq!(attempt(seconds(60)), Err(Duration::from_secs(900)));
        for _ in 0..lockout::FREE {
            attempt(seconds(60 + 3600)).unwrap();
        }
        assert_eq!(attempt(seconds(60 + 3600)), Err(Duration::from_secs(60)));
        throttle.succeeded("camille", None);
        attempt(seconds(60 + 3600)).unwrap();
    }

    #[test]
    fn an_address_waits_longer_and_longer() {
        let throttle = Throttle::default();
        let address = Some("203.0.113.9".parse().unwrap());
        let mut logins = (0..).map(|n: u32| n.to_string());
        let mut attempt = |at| throttle.attempt(&logins.next().unwrap(), address, at);
        for _ in 0..FREE_PER_ADDRESS {
            attempt(T).unwrap();
        }
        assert_eq!(attempt(T), Err(FIRST_WAIT));
        attempt(seconds(5)).unwrap();
        assert_eq!(attempt(seconds(5)), Err(2 * FIRST_WAIT));
        let mut at = seconds(10_000);
        for _ in 0..60 {
            at = at.plus(attempt(at).err().unwrap_or_default());
        }
        while attempt(at).is_ok() {}
        assert_eq!(attempt(at), Err(LONGEST_WAIT));
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
            throttle.attempt(&n.to_string(), None, T.plus(Duration::from_micros(n as u64))).unwrap();
        }
        assert_eq!(throttle.lock().len(), MAX_ENTRIES);
    }
}
