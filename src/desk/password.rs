//! Passwords of the people of the desk: argon2id with the parameters that the `argon2` crate recommends
//! (19 MiB, 2 passes). Both functions take about 20 ms of a core: call them where blocking is allowed.

use argon2::Argon2;
use argon2::password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash};
use std::collections::HashSet;

/// Fewest characters of a password that a person chose.
pub const MIN_CHARS: usize = 12;
/// Longest password in bytes: bounds the work of whoever asks to verify one.
pub const MAX_BYTES: usize = 512;

/// Fewest different characters: `aaaaaaaaaaaa` is long and no password.
const MIN_DIFFERENT: usize = 5;

/// Why a person may not choose a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    TooShort,
    TooLong,
    /// Their login, name or address, whatever the case.
    IsLogin,
    TooPlain,
}

impl Refused {
    pub const ALL: &'static [Refused] =
        &[Refused::TooShort, Refused::TooLong, Refused::IsLogin, Refused::TooPlain];

    /// The key of its text in the console's language files.
    pub fn code(self) -> &'static str {
        match self {
            Refused::TooShort => "password_too_short",
            Refused::TooLong => "password_too_long",
            Refused::IsLogin => "password_is_login",
            Refused::TooPlain => "password_too_plain",
        }
    }
}

/// Whether a person may choose this password; `known` is what everyone knows of them. Quick, unlike [`hash`].
pub fn check(password: &str, known: &[&str]) -> Result<(), Refused> {
    let same = |other: &str| password.trim().to_lowercase() == other.trim().to_lowercase();
    let different = password.chars().collect::<HashSet<char>>().len();
    match password {
        _ if password.len() > MAX_BYTES => Err(Refused::TooLong),
        _ if known.iter().any(|known| same(known)) => Err(Refused::IsLogin),
        _ if password.chars().count() < MIN_CHARS => Err(Refused::TooShort),
        _ if different < MIN_DIFFERENT => Err(Refused::TooPlain),
        _ => Ok(()),
    }
}

/// The PHC string to store, or why the password cannot be one.
pub fn hash(password: &str) -> Result<String, String> {
    if password.chars().count() < MIN_CHARS {
        return Err(format!("the password is too short: at least {MIN_CHARS} characters"));
    }
    if password.len() > MAX_BYTES {
        return Err(format!("the password is too long: at most {MAX_BYTES} bytes"));
    }
    let hash: PasswordHash =
        Argon2::default().hash_password(password.as_bytes()).map_err(|error| error.to_string())?;
    Ok(hash.to_string())
}

/// Whether `password` is the one of `stored`; takes the same time for every password that fits.
pub fn verify(password: &str, stored: &str) -> bool {
    password.len() <= MAX_BYTES
        && PasswordHash::new(stored)
            .is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_password_itself_is_accepted() {
        let stored = hash("correct horse").unwrap();
        assert!(stored.starts_with("$argon2id$"));
        assert!(verify("correct horse", &stored));
        assert!(!verify("correct horsf", &stored));
        assert!(!verify("correct horse", "not a hash"));
        assert!(hash("short").is_err());
        assert!(hash(&"x".repeat(MAX_BYTES + 1)).is_err());
    }

    #[test]
    fn what_a_person_may_not_choose() {
        let known = ["camille.le-gall@example.org", "Camille"];
        for (password, refused) in [
            ("", Some(Refused::TooShort)),
            ("onze lettres", None),
            ("trop courts", Some(Refused::TooShort)),
            ("ÉÉÉÉÉÉÉÉÉÉÉÉ", Some(Refused::TooPlain)),
            ("abcabcabcabcabc", Some(Refused::TooPlain)),
            (" CAMILLE.le-gall@example.org", Some(Refused::IsLogin)),
            ("camille.le-gall@example.org?", None),
        ] {
            assert_eq!(check(password, &known).err(), refused, "{password}");
        }
        assert_eq!(check(&"xyzabc".repeat(MAX_BYTES), &known), Err(Refused::TooLong));
        assert_eq!(check("camille", &known), Err(Refused::IsLogin));
    }
}
