//! `guichet user`: the people of the desk.

use crate::clock::Clock;
use crate::desk::{password, people};
use crate::model::{Agent, AgentId, Role};
use crate::store::{AgentWithHash, Store, StoreError};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::io::BufRead;

#[derive(Debug, Clone, clap::Subcommand)]
pub enum UserCommand {
    /// Add a person; prints a password once unless one is given
    Add {
        /// What the person signs in with
        #[arg(long)]
        login: String,
        /// What colleagues read
        #[arg(long)]
        name: String,
        /// agent, manager or admin
        #[arg(long, default_value = "agent")]
        role: Role,
        /// Read the password from the first line of standard input
        #[arg(long)]
        password_stdin: bool,
    },
    /// Set a new password and end every session of the person
    Password {
        #[arg(long)]
        login: String,
        /// Read the password from the first line of standard input
        #[arg(long)]
        password_stdin: bool,
    },
}

#[derive(Debug, thiserror::Error)]
pub enum UserError {
    #[error("--login: '{0}' is no login. Cure: 1 to 64 letters, digits, '.', '-', '_' or '@'")]
    BadLogin(String),
    #[error("--name: write 1 to 80 characters")]
    BadName,
    #[error("--login: '{0}' is taken. Cure: choose another one, or set a new password with `user password`")]
    Taken(String),
    #[error("--login: there is no '{0}'. Cure: `user add`")]
    Unknown(String),
    #[error("password: {0}")]
    Password(String),
    #[error("password: standard input cannot be read: {0}")]
    Input(#[from] std::io::Error),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Runs a command; `input` is standard input. The text to print: it holds the password when we chose it.
pub async fn run(
    command: UserCommand,
    store: &Store,
    clock: &dyn Clock,
    input: &mut dyn BufRead,
) -> Result<String, UserError> {
    match command {
        UserCommand::Add { login, name, role, password_stdin } => {
            let agent = new_agent(&login, &name, role)?;
            let (password_hash, note) = choose_password(password_stdin, input)?;
            let added = AgentWithHash { agent, password_hash };
            let mut tx = store.begin().await?;
            if !tx.insert_agent(&added, clock.now()).await? {
                return Err(UserError::Taken(login));
            }
            let data = serde_json::json!({ "role": role, "by": "command" });
            tx.audit(clock.now(), None, "person.joined", &login, &data).await?;
            tx.commit().await?;
            Ok(format!("Added {login} ({role}).\n{note}"))
        }
        UserCommand::Password { login, password_stdin } => {
            let (hash, note) = choose_password(password_stdin, input)?;
            let mut tx = store.begin().await?;
            if !tx.set_password(&login, &hash).await? {
                return Err(UserError::Unknown(login));
            }
            let data = serde_json::json!({ "by": "command" });
            tx.audit(clock.now(), None, "password.chosen", &login, &data).await?;
            tx.commit().await?;
            Ok(format!("New password for {login}; every session of theirs has ended.\n{note}"))
        }
    }
}

fn new_agent(login: &str, name: &str, role: Role) -> Result<Agent, UserError> {
    people::check_login(login).map_err(|_| UserError::BadLogin(login.to_owned()))?;
    let name = people::check_name(name).map_err(|_| UserError::BadName)?;
    Ok(Agent { id: AgentId::new(), login: login.to_owned(), name: name.to_owned(), role })
}

/// The hash, and what to tell about the password.
fn choose_password(from_input: bool, input: &mut dyn BufRead) -> Result<(String, String), UserError> {
    let (chosen, note) = if from_input {
        let mut line = String::new();
        // Bounded: a password is never longer.
        std::io::Read::take(input, 2048).read_line(&mut line)?;
        (line.trim_end_matches(['\r', '\n']).to_owned(), String::new())
    } else {
        // 120 random bits.
        let chosen = URL_SAFE_NO_PAD.encode(rand::random::<[u8; 15]>());
        let note = format!("Password, shown this once: {chosen}\n");
        (chosen, note)
    };
    Ok((password::hash(&chosen).map_err(UserError::Password)?, note))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;
    use crate::model::Timestamp;

    fn add(login: &str, password_stdin: bool) -> UserCommand {
        UserCommand::Add { login: login.into(), name: "Camille".into(), role: Role::Agent, password_stdin }
    }

    #[tokio::test]
    async fn adds_people_and_changes_passwords() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}/g.db", folder.path().display());
        let store = Store::open(&url, 2).await.unwrap();
        let clock = ManualClock::at(Timestamp(0));
        let run = async |command, input: &str| run(command, &store, &clock, &mut input.as_bytes()).await;

        let shown = run(add("camille", false), "").await.unwrap();
        let chosen = shown.rsplit(' ').next().unwrap().trim().to_owned();
        let stored = async || {
            let mut tx = store.read().await.unwrap();
            tx.agent_by_login("camille").await.unwrap().unwrap().password_hash
        };
        assert!(password::verify(&chosen, &stored().await));

        let again = run(add("camille", false), "").await.unwrap_err();
        assert!(again.to_string().contains("taken"));
        for bad in ["", "a b", "<x>"] {
            assert!(run(add(bad, false), "").await.is_err(), "{bad}");
        }
        assert!(run(add("short", true), "short\n").await.is_err());

        let change = |login: &str| UserCommand::Password { login: login.into(), password_stdin: true };
        let shown = run(change("camille"), "a new password\r\nrest").await.unwrap();
        assert!(!shown.contains("a new password"));
        assert!(password::verify("a new password", &stored().await));
        assert!(run(change("nobody"), "a new password\n").await.is_err());
    }
}
