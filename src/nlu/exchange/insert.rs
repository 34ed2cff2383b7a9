//! Examples into the files that managers edit, everything else in them left as it is.

use super::Foreign;
use crate::model::{Lang, OUT_OF_SCOPE};
use crate::nlu::normalise::squeeze;
use crate::nlu::pack::{IntentPack, without_annotations};
use std::collections::{BTreeMap, HashSet};
use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

/// What was done, or would be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inserted {
    /// New examples per intent and language.
    pub added: BTreeMap<(String, Lang), usize>,
    /// Left out: the pack has them, or they came twice.
    pub known: usize,
    /// The files as they are to be written.
    pub files: BTreeMap<PathBuf, String>,
}

/// Puts examples, under our names of intents, into the files of `folder`, of which `pack` was read. Nothing is written yet.
///
/// # Errors
/// A file of the pack cannot be read again.
pub fn insert(
    pack: &IntentPack,
    folder: &Path,
    examples: Vec<(String, Lang, Foreign)>,
) -> io::Result<Inserted> {
    let mut done = Inserted::default();
    let mut seen: HashSet<String> = pack.examples.iter().map(|example| squeeze(&example.text)).collect();
    let mut groups: BTreeMap<(String, Lang), Vec<String>> = BTreeMap::new();
    for (intent, lang, example) in examples {
        let text = example.text.split_whitespace().collect::<Vec<_>>().join(" ");
        let key = squeeze(&without_annotations(&text));
        if key.is_empty() || !seen.insert(key) {
            done.known += 1;
            continue;
        }
        groups.entry((intent, lang)).or_default().push(text);
    }
    let mut fresh: BTreeMap<String, Vec<(Lang, Vec<String>)>> = BTreeMap::new();
    // From the end of each file to its start: an insertion moves only what comes after it.
    let mut places: Vec<(PathBuf, usize, Lang, bool, Vec<String>)> = Vec::new();
    for ((intent, lang), texts) in groups {
        done.added.insert((intent.clone(), lang), texts.len());
        let of_intent = pack.examples.iter().filter(|example| example.intent == intent);
        let same =
            of_intent.clone().filter(|example| example.lang == lang).max_by_key(|example| example.line);
        match same.map(|e| (e, false)).or_else(|| of_intent.max_by_key(|e| e.line).map(|e| (e, true))) {
            Some((last, new_language)) => {
                let base = Path::new(&last.file).file_name().unwrap_or_default();
                places.push((folder.join(base), last.line, lang, new_language, texts));
            }
            None => fresh.entry(intent).or_default().push((lang, texts)),
        }
    }
    // A language of its own goes in first: what comes at the same line pushes it down, behind its own block.
    places.sort_by(|a, b| (&a.0, b.1, !a.3).cmp(&(&b.0, a.1, !b.3)));
    for (path, line, lang, new_language, texts) in places {
        let content = match done.files.remove(&path) {
            Some(content) => content,
            None => std::fs::read_to_string(&path)?,
        };
        done.files.insert(path, after(&content, line, lang, new_language, &texts));
    }
    for (intent, blocks) in fresh {
        let (path, content) = new_intent(pack, folder, &done, &intent, &blocks)?;
        done.files.insert(path, content);
    }
    Ok(done)
}

/// The file with lines after `line`, indented as that one; a language of its own gets its key.
fn after(content: &str, line: usize, lang: Lang, new_language: bool, texts: &[String]) -> String {
    let mut lines: Vec<String> = content.lines().map(str::to_owned).collect();
    let indent: String =
        lines.get(line - 1).map_or(String::new(), |l| l.chars().take_while(|c| *c == ' ').collect());
    let mut new = Vec::new();
    if new_language {
        new.push(format!("{}{lang}: |", &indent[..indent.len().saturating_sub(2)]));
    }
    new.extend(texts.iter().map(|text| format!("{indent}- {text}")));
    lines.splice(line.min(lines.len())..line.min(lines.len()), new);
    let end = if content.contains("\r\n") { "\r\n" } else { "\n" };
    lines.join(end) + end
}

/// A new intent at the end of its domain's file, or in a file of its own.
fn new_intent(
    pack: &IntentPack,
    folder: &Path,
    done: &Inserted,
    intent: &str,
    blocks: &[(Lang, Vec<String>)],
) -> io::Result<(PathBuf, String)> {
    let (domain, name) = intent.split_once('.').unwrap_or((OUT_OF_SCOPE, OUT_OF_SCOPE));
    let prefix = format!("{domain}.");
    let neighbour = pack.examples.iter().find(|example| example.intent.starts_with(&prefix));
    let path = match neighbour.and_then(|example| Path::new(&example.file).file_name()) {
        Some(base) => folder.join(base),
        None => folder.join(format!("{domain}.yaml")),
    };
    let mut content = match done.files.get(&path) {
        Some(content) => content.clone(),
        None if path.exists() => std::fs::read_to_string(&path)?,
        None => format!("domain: {domain}\nintents:\n"),
    };
    if !content.ends_with('\n') {
        content.push('\n');
    }
    let _ = write!(content, "  {name}:\n    about: Imported; say here what it is about\n    examples:\n");
    for (lang, texts) in blocks {
        let _ = writeln!(content, "      {lang}: |");
        for text in texts {
            let _ = writeln!(content, "        - {text}");
        }
    }
    Ok((path, content))
}
