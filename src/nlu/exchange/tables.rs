//! CSV and JSON Lines.

use super::{Foreign, ImportError, Read, refuse};
use crate::model::Lang;
use serde::Deserialize;

/// Reads CSV with a header that names the columns `text` and `intent`, and perhaps `lang`, in any order.
///
/// # Errors
/// A missing column, a broken row, an unknown language.
pub fn from_csv(text: &str, lang: Option<Lang>) -> Result<Read, ImportError> {
    let mut rows = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
    let header = rows.headers().map_err(|e| refuse(1, e.to_string(), "save it as CSV in UTF-8"))?.clone();
    let column = |name: &str| header.iter().position(|column| column.eq_ignore_ascii_case(name));
    let (Some(texts), Some(intents)) = (column("text"), column("intent")) else {
        let cure = "name the columns in the first line: text,intent,lang";
        return Err(refuse(1, "the header lacks `text` or `intent`", cure));
    };
    let langs = column("lang");
    let mut read = Read::default();
    for row in rows.records() {
        let row = row.map_err(|e| {
            let line = e.position().map_or(1, |at| usize::try_from(at.line()).unwrap_or(1));
            refuse(line, e.to_string(), "quote texts that hold commas or quotes")
        })?;
        let line = row.position().map_or(1, |at| usize::try_from(at.line()).unwrap_or(1));
        let cell = |at: usize| row.get(at).unwrap_or_default().to_owned();
        let own = langs.map(cell).filter(|code| !code.is_empty());
        let lang = match own {
            Some(code) => Some(language(&code, line)?),
            None => lang,
        };
        read.examples.push(Foreign { intent: cell(intents), lang, text: plain(&cell(texts)), line });
    }
    Ok(read)
}

#[derive(Deserialize)]
struct Line {
    text: String,
    intent: String,
    lang: Option<String>,
}

/// Reads one object a line: `{"text", "intent", "lang"?}`; other keys are passed over.
///
/// # Errors
/// A line that is no such object, an unknown language.
pub fn from_json_lines(text: &str, lang: Option<Lang>) -> Result<Read, ImportError> {
    let mut read = Read::default();
    for (index, raw) in text.lines().enumerate().filter(|(_, raw)| !raw.trim().is_empty()) {
        let line = index + 1;
        let parsed: Line = serde_json::from_str(raw).map_err(|e| {
            refuse(line, e.to_string(), "write {\"text\": \"…\", \"intent\": \"…\"} on one line")
        })?;
        let lang = match &parsed.lang {
            Some(code) => Some(language(code, line)?),
            None => lang,
        };
        read.examples.push(Foreign { intent: parsed.intent, lang, text: plain(&parsed.text), line });
    }
    Ok(read)
}

fn language(code: &str, line: usize) -> Result<Lang, ImportError> {
    let unknown = || refuse(line, format!("'{code}' is no language"), "use two letters such as fr or en");
    Lang::new(code).ok_or_else(unknown)
}

/// Texts of tables carry no annotations: a bracket is the customer's.
fn plain(text: &str) -> String {
    text.replace('[', "(").replace(']', ")")
}
