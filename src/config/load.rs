//! File, then environment, then types.

use super::Config;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use toml::{Table, Value};

const PREFIX: &str = "GUICHET__";

#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("{0}: cannot be read: {1}. Cure: check the path and its rights, or leave --config out")]
    Unreadable(PathBuf, std::io::Error),
    /// A syntax error; the message of the parser shows line and column.
    #[error("{file}: {message}")]
    Syntax { file: PathBuf, message: String },
    #[error("{}", .0.join("\n"))]
    Invalid(Vec<String>),
}

/// Reads `file` (when it is `None`: `guichet.toml` if it exists) and overlays the variables `GUICHET__A__B`.
pub fn load(file: Option<&Path>, environment: &BTreeMap<String, String>) -> Result<Config, ConfigError> {
    let path = file.unwrap_or(Path::new("guichet.toml"));
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if file.is_none() && error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(ConfigError::Unreadable(path.to_owned(), error)),
    };
    let mut table: Table = text.parse().map_err(|error: toml::de::Error| ConfigError::Syntax {
        file: path.to_owned(),
        message: error.to_string(),
    })?;
    let mut sources = BTreeMap::new();
    for (name, raw) in environment {
        if let Some(key) = name.strip_prefix(PREFIX) {
            let key = key.to_ascii_lowercase().replace("__", ".");
            overlay(&mut table, &key, raw);
            sources.insert(key, name.clone());
        }
    }
    default_channels(&mut table);
    let located = |key: &str| match sources.get(key) {
        Some(variable) => format!("environment {variable} ({key})"),
        None => format!("{}: {key}", path.display()),
    };
    let config: Config = serde_path_to_error::deserialize(Value::Table(table)).map_err(|error| {
        let key = error.path().to_string();
        let what = first_line(&error.into_inner());
        let cure = "guichet.toml shows every key with its default";
        ConfigError::Invalid(vec![format!("{}: {what}. Cure: {cure}", located(&key))])
    })?;
    let problems: Vec<String> =
        config.problems().iter().map(|(key, what)| format!("{}: {what}", located(key))).collect();
    if problems.is_empty() { Ok(config) } else { Err(ConfigError::Invalid(problems)) }
}

/// The web chat needs no account, so it is there unless the file says otherwise.
fn default_channels(table: &mut Table) {
    let channels = table.entry("channels").or_insert_with(|| Value::Table(Table::new()));
    if let Value::Table(channels) = channels {
        channels.entry("webchat").or_insert_with(|| Value::Table(Table::new()));
    }
}

fn overlay(table: &mut Table, key: &str, raw: &str) {
    match key.split_once('.') {
        None => {
            table.insert(key.to_owned(), literal(raw));
        }
        Some((section, rest)) => {
            let inner = table.entry(section).or_insert_with(|| Value::Table(Table::new()));
            if !inner.is_table() {
                *inner = Value::Table(Table::new());
            }
            if let Value::Table(inner) = inner {
                overlay(inner, rest, raw);
            }
        }
    }
}

/// A TOML literal when that loses nothing (`8`, `true`, `["1s", "5s"]`), else the text as it is: a token of
/// digits with a leading zero stays a text.
fn literal(raw: &str) -> Value {
    let parsed = format!("v = {raw}").parse::<Table>().ok().and_then(|mut t| t.remove("v"));
    match parsed {
        Some(Value::Integer(n)) if n.to_string() == raw => Value::Integer(n),
        Some(Value::Float(n)) if n.to_string() == raw => Value::Float(n),
        Some(value @ (Value::Boolean(_) | Value::Array(_) | Value::Table(_))) => value,
        _ => Value::String(raw.to_owned()),
    }
}

fn first_line(error: &toml::de::Error) -> String {
    error.message().lines().next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    fn config(toml: &str, env: &[(&str, &str)]) -> Result<Config, String> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(toml.as_bytes()).unwrap();
        let env = env.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        load(Some(file.path()), &env)
            .map_err(|e| e.to_string().replace(&file.path().display().to_string(), "guichet.toml"))
    }

    #[test]
    fn nothing_at_all_is_a_working_configuration() {
        let config = config("", &[]).unwrap();
        assert_eq!(config.server.listen.port(), 8080);
        assert!(config.channels.contains_key("webchat"));
    }

    #[test]
    fn the_shipped_example_is_valid_and_says_the_defaults() {
        let example = std::fs::read_to_string("guichet.toml").unwrap();
        let uncommented: String =
            example.lines().map(|l| l.strip_prefix("#= ").unwrap_or(l)).collect::<Vec<_>>().join("\n");
        let shipped = config(&uncommented, &[]).unwrap();
        let mut defaults = config("", &[]).unwrap();
        defaults.channels = shipped.channels.clone();
        assert_eq!(format!("{shipped:?}"), format!("{defaults:?}"));
    }

    #[test]
    fn errors_name_the_key_its_source_and_the_cure() {
        let table = [
            ("[server]\nlisten = \"nowhere\"", vec![], "guichet.toml: server.listen: "),
            ("[server]\nlisen = \"x\"", vec![], "unknown field `lisen`, expected one of `listen`"),
            ("[queue]\nretry = [\"2 apples\"]", vec![], "'2 apples' is no duration: write 30s, 5m or 2h"),
            (
                "",
                vec![("GUICHET__QUEUE__WORKERS", "many")],
                "environment GUICHET__QUEUE__WORKERS (queue.workers)",
            ),
            (
                "[operator]\ntimezone = \"Mars\"",
                vec![],
                "operator.timezone: is no IANA time zone; write one such as",
            ),
            ("[server]\npublic_url = \"bot.example.com\"", vec![], "server.public_url: must be http(s)://"),
            ("[queue]\nlease = \"1s\"", vec![], "queue.lease: must be at least twice queue.send_timeout"),
        ];
        for (toml, env, expected) in table {
            let error = config(toml, &env).unwrap_err();
            assert!(error.contains(expected), "{error}\nshould contain\n{expected}");
        }
    }

    #[test]
    fn the_environment_wins_and_keeps_texts_as_written() {
        let env =
            [("GUICHET__DATABASE__URL", "postgres://u:0042@h/d"), ("GUICHET__QUEUE__RETRY", "[\"1s\"]")];
        let config = config("[queue]\nretry = [\"9s\"]", &env).unwrap();
        assert_eq!(config.database.url.expose(), "postgres://u:0042@h/d");
        assert_eq!(config.queue.retry, vec![super::super::Span::seconds(1)]);
        assert_eq!(literal("0042"), Value::String("0042".into()));
    }

    #[test]
    fn secrets_are_never_printed() {
        let toml =
            "[database]\nurl = \"postgres://u:hunter2@h/d\"\n[channels.twilio]\nauth_token = \"hunter2\"";
        assert!(!format!("{:?}", config(toml, &[]).unwrap()).contains("hunter2"));
        let error = config("[database]\nurl = [\"hunter2\"]", &[]).unwrap_err();
        assert!(!error.contains("hunter2"), "{error}");
    }
}
