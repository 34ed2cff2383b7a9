//! The files that managers edit, live: intents and responses. A broken file never replaces a working set; its
//! errors are kept for the console and `/health` until it is mended.

use crate::answers::Registry;
use crate::answers::canned::Canned;
use crate::answers::compensation::Rules;
use crate::answers::responses::Responses;
use crate::config::FilesConfig;
use crate::model::{IntentSpec, Lang, Phrases};
use crate::nlu::entities::stations::Gazetteer;
use crate::nlu::{IntentPack, Nlu, PackError};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::SystemTime;

/// One good set of files.
pub struct Live {
    /// By name.
    pub intents: BTreeMap<String, IntentSpec>,
    pub responses: Responses,
    pub compensation: Rules,
    /// What agents insert with "/".
    pub canned: Canned,
    pub phrases: Phrases,
}

impl Live {
    /// Both sides together: a response can only be checked against its intent. Errors: all of them, each with
    /// file, line and cure.
    pub fn load(
        files: &FilesConfig,
        lang: Lang,
        sources: &Registry,
    ) -> Result<(IntentPack, Self), Vec<String>> {
        let pack = IntentPack::load(&files.intents).map_err(texts)?;
        let mut errors: Vec<String> = Vec::new();
        for spec in &pack.specs {
            if let Some(source) = spec.answer.as_deref().filter(|name| sources.get(name).is_none()) {
                let known: Vec<&str> = sources.names().collect();
                errors.push(format!(
                    "{}: intent {}: there is no answer source '{source}'. Cure: one of {}, or leave it out",
                    files.intents.display(),
                    spec.name,
                    known.join(", ")
                ));
            }
        }
        errors
            .extend(pack.specs.iter().filter_map(|spec| sources.unable(spec)).map(|error| error.to_string()));
        let compensation = Rules::load(&files.responses).unwrap_or_else(|broken| {
            errors.extend(broken.0.iter().map(ToString::to_string));
            Rules::default()
        });
        let canned = Canned::load(&files.responses, lang, &pack.specs).unwrap_or_else(|broken| {
            errors.extend(broken.0.iter().map(ToString::to_string));
            Canned::default()
        });
        match Responses::load(&files.responses, lang, &pack.specs, sources) {
            Ok(responses) if errors.is_empty() => {
                errors.extend(responses.missing(&pack.specs).iter().map(|m| match m {
                    crate::answers::responses::Mismatch::Unreachable { .. } => String::new(),
                    missing => format!("{}: {missing}", files.responses.display()),
                }));
                errors.retain(|e| !e.is_empty());
                if errors.is_empty() {
                    let intents = pack.specs.iter().map(|s| (s.name.clone(), s.clone())).collect();
                    let phrases = pack.phrases.clone();
                    return Ok((pack, Self { intents, responses, compensation, canned, phrases }));
                }
            }
            Ok(_) => {}
            Err(broken) => errors.extend(broken.0.iter().map(ToString::to_string)),
        }
        Err(errors)
    }
}

/// The set in service. Clones share it.
#[derive(Clone)]
pub struct Content(Arc<Shared>);

struct Shared {
    files: FilesConfig,
    lang: Lang,
    sources: Registry,
    live: RwLock<Arc<Live>>,
    /// Why the files as they are now are not in service; empty: they are.
    problems: RwLock<Vec<String>>,
    seen: RwLock<Fingerprint>,
    /// How many sets have come into service.
    generation: AtomicU64,
}

/// Path, time and size of every file: enough to notice a save.
type Fingerprint = Vec<(PathBuf, Option<SystemTime>, u64)>;

impl Content {
    pub fn new(files: FilesConfig, lang: Lang, sources: Registry, live: Live) -> Self {
        let seen = fingerprint(&files);
        sources.compensation().replace(live.compensation.clone());
        Self(Arc::new(Shared {
            files,
            lang,
            sources,
            live: RwLock::new(Arc::new(live)),
            problems: RwLock::default(),
            seen: RwLock::new(seen),
            generation: AtomicU64::new(1),
        }))
    }

    pub fn live(&self) -> Arc<Live> {
        self.0.live.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub fn problems(&self) -> Vec<String> {
        self.0.problems.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Another number: another set is in service.
    pub fn generation(&self) -> u64 {
        self.0.generation.load(Ordering::Relaxed)
    }

    /// The files as they are now: `intents/…` and `responses/…` to the beginning of their SHA-256. Blocks for reading.
    pub fn digests(&self) -> BTreeMap<String, String> {
        let FilesConfig { intents, responses, .. } = &self.0.files;
        let mut digests = BTreeMap::new();
        for (folder, name) in [(intents, "intents"), (responses, "responses")] {
            let mut found = Vec::new();
            walk(folder, 3, &mut found);
            for (path, ..) in found {
                let (Ok(inside), Ok(bytes)) = (path.strip_prefix(folder), std::fs::read(&path)) else {
                    continue;
                };
                let digest = Sha256::digest(&bytes);
                let hex = digest.iter().take(12).map(|byte| format!("{byte:02x}")).collect();
                digests.insert(format!("{name}/{}", inside.display()), hex);
            }
        }
        digests
    }

    /// Looks at the files; when something was saved, checks, trains and swaps. Blocks for the training. `names`: the
    /// stations as timetable and alias file know them now. True: a new set is in service.
    pub fn refresh(&self, nlu: &Nlu, names: &dyn Fn() -> Result<Gazetteer, Vec<String>>) -> bool {
        let now = fingerprint(&self.0.files);
        if *self.0.seen.read().unwrap_or_else(PoisonError::into_inner) == now {
            return false;
        }
        *self.0.seen.write().unwrap_or_else(PoisonError::into_inner) = now;
        let loaded = Live::load(&self.0.files, self.0.lang, &self.0.sources).and_then(|(_, live)| {
            nlu.reload(&self.0.files.intents, names()?, &|_, _| {}).map_err(texts)?;
            Ok(live)
        });
        let problems = match loaded {
            Ok(live) => {
                tracing::info!("changed intents and responses are in service");
                self.0.sources.compensation().replace(live.compensation.clone());
                *self.0.live.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(live);
                self.0.generation.fetch_add(1, Ordering::Relaxed);
                Vec::new()
            }
            Err(errors) => {
                for error in &errors {
                    tracing::error!(%error, "changed files are not in service; the last good set stays");
                }
                errors
            }
        };
        let good = problems.is_empty();
        *self.0.problems.write().unwrap_or_else(PoisonError::into_inner) = problems;
        good
    }
}

fn fingerprint(files: &FilesConfig) -> Fingerprint {
    let mut found = Vec::new();
    for folder in [&files.intents, &files.responses] {
        walk(folder, 3, &mut found);
    }
    found.sort();
    found
}

/// Unreadable folders are empty here; loading them says what is wrong.
fn walk(folder: &Path, depth: u8, found: &mut Fingerprint) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let Ok(data) = entry.metadata() else { continue };
        if data.is_dir() && depth > 0 {
            walk(&entry.path(), depth - 1, found);
        } else if data.is_file() {
            found.push((entry.path(), data.modified().ok(), data.len()));
        }
    }
}

fn texts(errors: Vec<PackError>) -> Vec<String> {
    errors.iter().map(ToString::to_string).collect()
}
