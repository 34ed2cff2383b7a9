//! The files: dialogues as a manager writes them, YAML or JSON Lines.

use crate::engine::Action;
use crate::model::{Lang, Timestamp};
use jiff::civil::{DateTime, date};
use jiff::tz::TimeZone;
use serde::{Deserialize, Deserializer};
use serde_saphyr::Spanned;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Larger files are refused unread: dialogues are written by hand.
const MAX_FILE_BYTES: u64 = 16 * 1024 * 1024;
/// Folders within folders are read so deep.
const DEPTH: u8 = 4;
/// Between two messages of a customer, when nothing is said: longer than the time for which parts of one thought are awaited.
const PAUSE: Duration = Duration::from_secs(30);
/// No conversation pauses longer than a year.
const LONGEST_PAUSE: f64 = 366.0 * 86_400.0;

/// One conversation with what is expected of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Dialogue {
    pub id: String,
    /// The language of its author; the engine finds it out by itself.
    pub lang: Lang,
    pub channel: String,
    pub at: Option<At>,
    pub turns: Vec<Turn>,
    pub file: String,
    /// From 1.
    pub line: usize,
}

impl Dialogue {
    /// When its first message comes. Without `at`: a Tuesday in November, at half past eight in the morning.
    pub fn start(&self, timezone: &TimeZone) -> Timestamp {
        match self.at {
            Some(At::Instant(at)) => at,
            Some(At::Local(at)) => instant(at, timezone),
            None => instant(date(2026, 11, 17).at(8, 30, 0, 0), timezone),
        }
    }
}

fn instant(at: DateTime, timezone: &TimeZone) -> Timestamp {
    // Fails only at the ends of the calendar, which `At` refuses.
    at.to_zoned_datetime(timezone.clone())
        .map_or_else(|_| Timestamp::default(), |at| Timestamp::from_jiff(at.timestamp()))
}

/// The keys of one dialogue in a file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    id: String,
    lang: Lang,
    channel: String,
    at: Option<At>,
    turns: Vec<Turn>,
}

/// One message of the customer.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Turn {
    pub customer: String,
    /// Since the message before.
    #[serde(default = "pause", deserialize_with = "seconds")]
    pub after_s: Duration,
    #[serde(default)]
    pub expect: Expect,
}

/// What is left out is not judged.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Expect {
    pub intent: Option<String>,
    /// `None`: the slot must be empty.
    pub slots: BTreeMap<String, Option<Value>>,
    #[serde(deserialize_with = "action")]
    pub action: Option<Action>,
    #[serde(deserialize_with = "texts")]
    pub reply_contains: Vec<String>,
}

/// A slot's value as written: `8745` and `"8745"` are the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value(pub String);

/// A moment, on the operator's clock unless it names an offset.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum At {
    Instant(Timestamp),
    Local(DateTime),
}

impl<'de> Deserialize<'de> for At {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if let Ok(at) = text.parse::<jiff::Timestamp>() {
            return Ok(Self::Instant(Timestamp::from_jiff(at)));
        }
        match text.parse::<DateTime>() {
            Ok(at) if (1970..=9000).contains(&at.year()) => Ok(Self::Local(at)),
            _ => Err(serde::de::Error::custom(format!(
                "at: '{text}' is no date and time such as 2026-11-17T08:30"
            ))),
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        as_typed(deserializer).map(Self)
    }
}

fn pause() -> Duration {
    PAUSE
}

fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let seconds = f64::deserialize(deserializer)?;
    if !(0.0..=LONGEST_PAUSE).contains(&seconds) {
        return Err(serde::de::Error::custom("after_s: seconds since the message before, from 0 to a year"));
    }
    Ok(Duration::from_secs_f64(seconds))
}

/// A number where a text is meant stays what was typed.
fn as_typed<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    struct Typed;
    impl serde::de::Visitor<'_> for Typed {
        type Value = String;
        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("a text or a number")
        }
        fn visit_str<E>(self, text: &str) -> Result<String, E> {
            Ok(text.to_owned())
        }
        fn visit_i64<E>(self, number: i64) -> Result<String, E> {
            Ok(number.to_string())
        }
        fn visit_u64<E>(self, number: u64) -> Result<String, E> {
            Ok(number.to_string())
        }
        fn visit_f64<E>(self, number: f64) -> Result<String, E> {
            Ok(number.to_string())
        }
    }
    deserializer.deserialize_any(Typed)
}

fn action<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Action>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    text.map(|text| text.parse().map_err(serde::de::Error::custom)).transpose()
}

/// One text, or a list of texts.
fn texts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    struct Texts;
    impl<'de> serde::de::Visitor<'de> for Texts {
        type Value = Vec<String>;
        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("a text or a list of texts")
        }
        fn visit_str<E>(self, text: &str) -> Result<Vec<String>, E> {
            Ok(vec![text.to_owned()])
        }
        fn visit_i64<E>(self, number: i64) -> Result<Vec<String>, E> {
            Ok(vec![number.to_string()])
        }
        fn visit_u64<E>(self, number: u64) -> Result<Vec<String>, E> {
            Ok(vec![number.to_string()])
        }
        fn visit_unit<E>(self) -> Result<Vec<String>, E> {
            Ok(Vec::new())
        }
        fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<String>, A::Error> {
            let mut texts = Vec::new();
            while let Some(Value(text)) = seq.next_element()? {
                texts.push(text);
            }
            Ok(texts)
        }
    }
    deserializer.deserialize_any(Texts)
}

/// What must be corrected in a file before anything is played.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {what}. Cure: {cure}")]
pub struct FileError {
    pub file: String,
    /// From 1.
    pub line: usize,
    pub what: String,
    pub cure: String,
}

/// Reads files, and the `.yaml`, `.yml` and `.jsonl` files of folders, in the order of their names.
///
/// # Errors
/// All that is wrong with them, as far as each could be read.
pub fn read(paths: &[PathBuf]) -> Result<Vec<Dialogue>, Vec<FileError>> {
    let mut files = Vec::new();
    let mut errors = Vec::new();
    for path in paths {
        if path.is_dir() {
            let before = files.len();
            walk(path, DEPTH, &mut files);
            if files.len() == before {
                errors.push(wrong(
                    path,
                    1,
                    "the folder holds no dialogues",
                    "put .yaml or .jsonl files there",
                ));
            }
        } else {
            files.push(path.clone());
        }
    }
    let mut dialogues = Vec::new();
    for file in &files {
        match read_file(file) {
            Ok(read) => dialogues.extend(read),
            Err(wrong) => errors.extend(wrong),
        }
    }
    errors.extend(twice(&dialogues));
    if errors.is_empty() { Ok(dialogues) } else { Err(errors) }
}

/// An unreadable folder is empty here, which [`read`] complains about.
fn walk(folder: &Path, depth: u8, files: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> =
        std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() && depth > 0 {
            walk(&path, depth - 1, files);
        } else if Kind::of(&path).is_some() {
            files.push(path);
        }
    }
}

fn wrong(file: &Path, line: usize, what: impl Into<String>, cure: &str) -> FileError {
    FileError { file: file.display().to_string(), line, what: what.into(), cure: cure.to_owned() }
}

/// The same id twice would make `--only` and reports ambiguous.
fn twice(dialogues: &[Dialogue]) -> Vec<FileError> {
    let mut seen: BTreeMap<&str, &Dialogue> = BTreeMap::new();
    let mut errors = Vec::new();
    for dialogue in dialogues {
        match seen.entry(&dialogue.id) {
            Entry::Vacant(free) => {
                free.insert(dialogue);
            }
            Entry::Occupied(first) => {
                let what =
                    format!("id '{}' is also at {}:{}", dialogue.id, first.get().file, first.get().line);
                errors.push(wrong(
                    Path::new(&dialogue.file),
                    dialogue.line,
                    what,
                    "give each dialogue an id of its own",
                ));
            }
        }
    }
    errors
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Yaml,
    JsonLines,
}

impl Kind {
    fn of(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()? {
            "yaml" | "yml" => Some(Self::Yaml),
            "jsonl" | "ndjson" => Some(Self::JsonLines),
            _ => None,
        }
    }
}

fn read_file(path: &Path) -> Result<Vec<Dialogue>, Vec<FileError>> {
    let refuse = |what: String, cure: &str| Err(vec![wrong(path, 1, what, cure)]);
    let Some(kind) = Kind::of(path) else {
        return refuse(
            "the name tells no format".into(),
            "name it .yaml (a list) or .jsonl (one object a line)",
        );
    };
    match std::fs::metadata(path) {
        Ok(data) if data.len() > MAX_FILE_BYTES => {
            return refuse("the file is larger than 16 MiB".into(), "split it");
        }
        Ok(_) => {}
        Err(error) => return refuse(format!("cannot be read ({error})"), "check the path and its rights"),
    }
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => return refuse(format!("cannot be read ({error})"), "save the file as UTF-8 text"),
    };
    let read = match kind {
        Kind::Yaml => yaml(path, &text)?,
        Kind::JsonLines => json_lines(path, &text)?,
    };
    if read.is_empty() {
        return refuse("the file holds no dialogue".into(), "write one, or remove the file");
    }
    Ok(read)
}

fn yaml(path: &Path, text: &str) -> Result<Vec<Dialogue>, Vec<FileError>> {
    let read: Vec<Spanned<Written>> = serde_saphyr::from_str(text).map_err(|error| {
        let error = error.without_snippet();
        let line = error.location().map_or(1, |at| usize::try_from(at.line()).unwrap_or(1)).max(1);
        let message = error.to_string();
        let cure = "a file is a list of dialogues, each with id, lang, channel and turns";
        vec![wrong(path, line, message.lines().next().unwrap_or("unreadable"), cure)]
    })?;
    let mut dialogues = Vec::new();
    let mut errors = Vec::new();
    for one in read {
        let line = usize::try_from(one.referenced.line()).unwrap_or(1).max(1);
        match checked(path, line, one.value) {
            Ok(dialogue) => dialogues.push(dialogue),
            Err(error) => errors.push(error),
        }
    }
    if errors.is_empty() { Ok(dialogues) } else { Err(errors) }
}

fn json_lines(path: &Path, text: &str) -> Result<Vec<Dialogue>, Vec<FileError>> {
    let mut dialogues = Vec::new();
    let mut errors = Vec::new();
    for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let cure = "each line is one object with id, lang, channel and turns";
        let read = serde_json::from_str::<Written>(line)
            .map_err(|error| {
                // The parser counts lines within the one it was given.
                let what = error.to_string().replace(" at line 1 column ", " at column ");
                wrong(path, index + 1, what, cure)
            })
            .and_then(|written| checked(path, index + 1, written));
        match read {
            Ok(dialogue) => dialogues.push(dialogue),
            Err(error) => errors.push(error),
        }
    }
    if errors.is_empty() { Ok(dialogues) } else { Err(errors) }
}

/// What types cannot say.
fn checked(path: &Path, line: usize, written: Written) -> Result<Dialogue, FileError> {
    let Written { id, lang, channel, at, turns } = written;
    if id.trim().is_empty() || channel.trim().is_empty() {
        return Err(wrong(
            path,
            line,
            "id or channel is empty",
            "name the dialogue, and a channel such as sms or webchat",
        ));
    }
    if turns.is_empty() {
        return Err(wrong(
            path,
            line,
            format!("dialogue '{id}' has no turns"),
            "write what the customer says",
        ));
    }
    Ok(Dialogue { id, lang, channel, at, turns, file: path.display().to_string(), line })
}

#[cfg(test)]
#[path = "dialogue_tests.rs"]
mod tests;
