//! Passwords of the people of the desk: argon2id with the parameters that the `argon2` crate recommends
//! (19 MiB, 2 passes). Both functions take about 20 ms of a core: call them where blocking is allowed.

use argon2::Argon2;
use argon2::password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash};

/// Fewest characters of a password that a person chose.
pub const MIN_CHARS: usize = 10;
/// Longest password in bytes: bounds the work of whoever asks to verify one.
pub const MAX_BYTES: usize = 512;

/// The PHC string to store, or why the password cannot be one.
pub fn hash(password: &str) -> Result<String, String> {
    if password.chars().count() < MIN_CHARS {
        return Err(format!(
            "the password is too short: at least {MIN_CHARS} characters"
        ));
    }
    if password.len() > MAX_BYTES {
        return Err(format!("the password is too long: at most {MAX_BYTES} bytes"));
    }
    let hash: PasswordHash = Argon2::default()
        .hash_password(password.as_bytes())
        .map_err(|error| error.to_string())?;
    Ok(hash.to_string())
}

/// Whether `password` is the one of `stored`; takes the same time for every password that fits.
pub fn verify(password: &str, stored: &str) -> bool {
    password.len() <= MAX_BYTES
        && PasswordHash::new(stored).is_ok_and(|hash| {
            Argon2::default()
                .verify_password(password.as_bytes(), &hash)
                .is_ok()
        })
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
}
