//! Examples from and to other systems: Rasa's `nlu.yml`, CSV, JSON Lines.

mod insert;
mod rasa;
mod tables;

pub use insert::{Inserted, insert};
pub use rasa::{from_rasa, to_rasa};
pub use tables::{from_csv, from_json_lines};

use crate::model::Lang;

/// One example on its way in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Foreign {
    /// As the other system calls it.
    pub intent: String,
    pub lang: Option<Lang>,
    /// Plain, or annotated as `[text](role)` with our roles.
    pub text: String,
    /// In the file that it comes from, from 1.
    pub line: usize,
}

/// What came in, and what of it was left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Read {
    pub examples: Vec<Foreign>,
    /// Kinds of entities that we have no role for: their text stays, their mark goes.
    pub unknown_entities: Vec<String>,
    /// Parts of the file that hold no examples of intents (synonyms, lookups, regular expressions).
    pub passed_over: Vec<String>,
}

/// Why a file cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}. Cure: {cure}")]
pub struct ImportError {
    /// From 1.
    pub line: usize,
    pub what: String,
    pub cure: String,
}

fn refuse(line: usize, what: impl Into<String>, cure: &str) -> ImportError {
    ImportError { line, what: what.into(), cure: cure.to_owned() }
}

/// Rasa's and our name of an intent: `domain.name`, lower case, `_` for what else there is. Without a domain: `imported`.
pub fn intent_name(foreign: &str) -> String {
    let clean = |part: &str| -> String {
        let mapped = part.trim().to_lowercase();
        let mapped = mapped.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' });
        mapped.collect::<String>().trim_matches('_').to_owned()
    };
    if foreign.trim() == crate::model::OUT_OF_SCOPE || foreign.trim() == "nlu_fallback" {
        return crate::model::OUT_OF_SCOPE.to_owned();
    }
    match foreign.split_once(['.', '/']) {
        Some((domain, name)) if !clean(domain).is_empty() && !clean(name).is_empty() => {
            format!("{}.{}", clean(domain), clean(name))
        }
        _ => format!("imported.{}", clean(foreign)),
    }
}

#[cfg(test)]
mod tests;
