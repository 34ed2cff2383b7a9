//! Reads the response files. Collects every error of every file before it gives up.

use super::check::{Checker, Written};
use super::{Responses, response_key, template_name};
use crate::answers::Registry;
use crate::model::{IntentSpec, Lang};
use minijinja::{AutoEscape, Environment, UndefinedBehavior};
use serde_saphyr::Spanned;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Largest response file, in bytes: a hundred times the largest of ours.
const LARGEST_FILE: u64 = 1 << 20;

/// One thing to correct in one file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {what}; {cure}")]
pub struct ResponseError {
    pub file: String,
    /// From 1; 0 when the error is about the whole file.
    pub line: usize,
    pub what: String,
    pub cure: String,
}

/// Everything to correct, file by file.
#[derive(Debug)]
pub struct ResponseErrors(pub Vec<ResponseError>);

impl std::fmt::Display for ResponseErrors {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let lines: Vec<String> = self.0.iter().map(ResponseError::to_string).collect();
        f.write_str(&lines.join("\n"))
    }
}

impl std::error::Error for ResponseErrors {}

/// One file: entry → variant → template.
type File = BTreeMap<String, Spanned<BTreeMap<String, Spanned<String>>>>;

impl Responses {
    /// Reads `dir/<language>/*.yaml` and renders every template with sample data.
    ///
    /// `intents` and `sources` tell which variables each template may use. Errors: an unreadable file, an unknown key, broken
    /// syntax, an unknown variable, no folder for the default language; all of them at once, so that a working set is
    /// never replaced by a broken one.
    pub fn load(
        dir: &Path,
        default: Lang,
        intents: &[IntentSpec],
        sources: &Registry,
    ) -> Result<Responses, ResponseErrors> {
        let mut loader =
            Loader { env: environment(), entries: BTreeMap::new(), written: Vec::new(), errors: Vec::new() };
        for (lang, file) in loader.files(dir) {
            loader.read(lang, &file);
        }
        if !loader.entries.keys().any(|(lang, _)| *lang == default) {
            let cure = "create it, or set another default language".to_owned();
            loader.fail(dir, 0, format!("there is no response in the default language '{default}'"), cure);
        }
        let sms = Checker::new(intents, sources).check(&loader.env, &loader.written, &mut loader.errors);
        if !loader.errors.is_empty() {
            return Err(ResponseErrors(loader.errors));
        }
        Ok(Responses { env: loader.env, entries: loader.entries, default, sms })
    }
}

/// No loader is set, so templates reach no file; undefined variables are errors everywhere.
pub(in crate::answers) fn environment() -> Environment<'static> {
    let mut env = Environment::new();
    env.set_undefined_behavior(UndefinedBehavior::Strict);
    env.set_auto_escape_callback(|_| AutoEscape::None);
    env
}

struct Loader {
    env: Environment<'static>,
    entries: BTreeMap<(Lang, String), Vec<String>>,
    written: Vec<Written>,
    errors: Vec<ResponseError>,
}

impl Loader {
    fn fail(&mut self, file: &Path, line: usize, what: String, cure: String) {
        self.errors.push(ResponseError { file: file.display().to_string(), line, what, cure });
    }

    /// The YAML files of each language folder, in alphabetical order.
    fn files(&mut self, dir: &Path) -> Vec<(Lang, PathBuf)> {
        let mut files = Vec::new();
        for folder in self.list(dir).into_iter().filter(|path| path.is_dir()) {
            let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let Some(lang) = Lang::new(name) else {
                let what = format!("'{name}' is not a language");
                self.fail(&folder, 0, what, "name the folder with two letters such as fr".to_owned());
                continue;
            };
            let yaml = |path: &PathBuf| path.extension().is_some_and(|end| end == "yaml" || end == "yml");
            files.extend(self.list(&folder).into_iter().filter(yaml).map(|path| (lang, path)));
        }
        files
    }

    fn list(&mut self, dir: &Path) -> Vec<PathBuf> {
        match std::fs::read_dir(dir) {
            Ok(entries) => {
                let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
                paths.sort();
                paths
            }
            Err(error) => {
                self.fail(
                    dir,
                    0,
                    format!("cannot read the folder: {error}"),
                    "check its path and rights".to_owned(),
                );
                Vec::new()
            }
        }
    }

    fn read(&mut self, lang: Lang, path: &Path) {
        let text = match read_bounded(path) {
            Ok(text) => text,
            Err(what) => return self.fail(path, 0, what, "write a YAML file in UTF-8".to_owned()),
        };
        let file: File = match serde_saphyr::from_str(&text) {
            Ok(file) => file,
            Err(error) => {
                let line = error.location().map_or(0, |at| at.line() as usize);
                let what = error.without_snippet().to_string();
                let cure =
                    "write entries as 'name:' with 'text: |' below it, indented by two spaces".to_owned();
                return self.fail(path, line, what, cure);
            }
        };
        let domain = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default().to_owned();
        for (name, entry) in file {
            let key = response_key(&format!("{domain}.{name}"));
            self.add_entry(lang, path, &text, key, entry);
        }
    }

    fn add_entry(
        &mut self,
        lang: Lang,
        path: &Path,
        source: &str,
        key: String,
        entry: Spanned<BTreeMap<String, Spanned<String>>>,
    ) {
        let line = entry.referenced.line() as usize;
        if self.entries.contains_key(&(lang, key.clone())) {
            let what = format!("'{key}' is written twice in '{lang}'");
            return self.fail(path, line, what, "keep one of them".to_owned());
        }
        if !entry.value.contains_key("text") {
            self.fail(
                path,
                line,
                format!("'{key}' has no 'text'"),
                "add 'text: |' and the answer".to_owned(),
            );
        }
        let mut variants = Vec::new();
        for (variant, template) in entry.value {
            let line = content_line(source, &template);
            if !is_variant(&variant) {
                let what = format!("'{key}' has an unknown key '{variant}'");
                self.fail(
                    path,
                    line,
                    what,
                    "use text, sms, sms_short, none, none_short or ask_<slot>".to_owned(),
                );
                continue;
            }
            let name = template_name(lang, &key, &variant);
            self.add_template(Written {
                lang,
                key: key.clone(),
                variant: variant.clone(),
                name,
                path: path.to_owned(),
                line,
                source: template.value,
            });
            variants.push(variant);
        }
        self.entries.insert((lang, key), variants);
    }

    fn add_template(&mut self, written: Written) {
        match self.env.add_template_owned(written.name.clone(), written.source.clone()) {
            Ok(()) => self.written.push(written),
            Err(error) => {
                let error = written.error(&error, "close every {{ and {% tag as the template language wants");
                self.errors.push(error);
            }
        }
    }
}

fn is_variant(name: &str) -> bool {
    matches!(name, "text" | "sms" | "sms_short" | "none" | "none_short")
        || name.strip_prefix("ask_").is_some_and(|slot| !slot.is_empty())
}

/// The text of a file, or what is wrong with it.
pub(in crate::answers) fn read_bounded(path: &Path) -> Result<String, String> {
    let length = std::fs::metadata(path).map_err(|error| error.to_string())?.len();
    if length > LARGEST_FILE {
        return Err(format!("the file has {length} bytes, more than {LARGEST_FILE}"));
    }
    std::fs::read_to_string(path).map_err(|error| error.to_string())
}

/// The line on which a template's first line stands: below the `|` or `>` of a block, else where the value begins.
pub(in crate::answers) fn content_line(source: &str, template: &Spanned<String>) -> usize {
    let line = template.defined.line() as usize;
    let written = source.lines().nth(line.saturating_sub(1)).unwrap_or_default();
    let is_header =
        |word: &str| word.starts_with(['|', '>']) && word[1..].chars().all(|c| "+-123456789".contains(c));
    let header = written.split_whitespace().any(is_header);
    if header { line + 1 } else { line }
}
