//! What was learned, kept on disk: a start with the same files answers at once instead of learning again.
//!
//! One file per pack and encoder, named by the hash of everything that decides its content: the files of the pack, the
//! encoder's weights, and this program's own way of learning. A file that is torn or foreign is not read, and costs a training.

use super::model::Learned;
use sha2::{Digest, Sha256};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Files kept: of the pack in service and of the one before, for whoever takes a change back; each has one of n-grams and one
/// with embeddings.
const KEPT: usize = 4;
/// A hash of the sources that learn (`build.rs`): another program learns otherwise.
const LEARNER: &str = env!("GUICHET_LEARNER");
const DIGEST_BYTES: usize = 32;

/// A folder of learned models.
#[derive(Debug, Clone)]
pub struct Shelf {
    folder: PathBuf,
}

impl Shelf {
    pub fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// What was learned from the pack with this hash, beside the encoder with this id.
    pub(super) fn read(&self, pack: &str, encoder: Option<&str>) -> Option<Learned> {
        let path = self.path(pack, encoder);
        let bytes = std::fs::read(&path).ok()?;
        let (digest, content) = bytes.split_at_checked(DIGEST_BYTES)?;
        if digest != Sha256::digest(content).as_slice() {
            tracing::warn!(file = %path.display(), "a learned model is damaged; learning again");
            return None;
        }
        let learned = postcard::from_bytes(content);
        learned
            .inspect_err(|error| tracing::warn!(%error, "a learned model cannot be read; learning again"))
            .ok()
    }

    /// # Errors
    /// The disk refused; the next start learns again.
    pub(super) fn write(&self, pack: &str, encoder: Option<&str>, learned: &Learned) -> io::Result<()> {
        std::fs::create_dir_all(&self.folder)?;
        let content = postcard::to_stdvec(learned).map_err(io::Error::other)?;
        // Whole or not at all: written beside, then put in place.
        let part = self.folder.join(format!("learned-{}.part", uuid::Uuid::now_v7()));
        let put = || {
            let mut file = std::fs::File::create(&part)?;
            file.write_all(&Sha256::digest(&content))?;
            file.write_all(&content)?;
            file.sync_all()?;
            std::fs::rename(&part, self.path(pack, encoder))
        };
        if let Err(error) = put() {
            // What is left of it serves nobody; that it cannot be removed either is not the error to tell.
            let _ = std::fs::remove_file(&part);
            return Err(error);
        }
        if let Err(error) = self.forget_old() {
            tracing::warn!(%error, "old learned models could not be removed");
        }
        Ok(())
    }

    fn path(&self, pack: &str, encoder: Option<&str>) -> PathBuf {
        let mut key = Sha256::new();
        for part in [LEARNER, pack, encoder.unwrap_or("none")] {
            key.update(part.as_bytes());
            key.update([0]);
        }
        let key: String = key.finalize()[..12].iter().map(|byte| format!("{byte:02x}")).collect();
        self.folder.join(format!("learned-{key}.bin"))
    }

    fn forget_old(&self) -> io::Result<()> {
        let mut files = Vec::new();
        for entry in std::fs::read_dir(&self.folder)? {
            let path = entry?.path();
            let ours = path.extension().is_some_and(|e| e == "bin")
                && path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("learned-"));
            if ours {
                files.push((path.metadata()?.modified()?, path));
            }
        }
        files.sort();
        let old = files.len().saturating_sub(KEPT);
        files.into_iter().take(old).try_for_each(|(_, path)| std::fs::remove_file(path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nlu::entities::stations::CommonWords;
    use crate::nlu::evaluate::as_pack;
    use crate::nlu::head::{Head, Messages};
    use crate::nlu::language::LanguageModel;

    fn learned() -> Learned {
        let case =
            |(text, intent)| serde_json::from_value(serde_json::json!({"text": text, "intent": intent}));
        let cases = [("prochain train", "a.x"), ("mon sac perdu", "a.y"), ("le train part", "a.x")];
        let pack = as_pack(&cases.map(|c| case(c).unwrap()), "test");
        Learned {
            language: LanguageModel::learn(&pack),
            common: CommonWords::default(),
            head: Head::train(&Messages::new(&pack)),
            full: false,
        }
    }

    #[test]
    fn gives_back_what_was_learned_and_nothing_damaged() {
        let folder = tempfile::tempdir().unwrap();
        let shelf = Shelf::new(folder.path());
        assert!(shelf.read("p", None).is_none());
        shelf.write("p", None, &learned()).unwrap();
        let back = shelf.read("p", None).unwrap();
        assert_eq!(back.head.intents, ["a.x", "a.y"]);
        assert!(shelf.read("p", Some("encoder")).is_none(), "another encoder");
        assert!(shelf.read("q", None).is_none(), "another pack");

        let path = shelf.path("p", None);
        let mut bytes = std::fs::read(&path).unwrap();
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        std::fs::write(&path, &bytes).unwrap();
        assert!(shelf.read("p", None).is_none(), "a flipped bit");
        std::fs::write(&path, b"short").unwrap();
        assert!(shelf.read("p", None).is_none(), "a torn file");
    }

    #[test]
    fn keeps_the_newest_only() {
        let folder = tempfile::tempdir().unwrap();
        let shelf = Shelf::new(folder.path());
        let learned = learned();
        for pack in ["a", "b", "c", "d", "e", "f"] {
            shelf.write(pack, None, &learned).unwrap();
        }
        let files = std::fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(files, KEPT);
        assert!(shelf.read("f", None).is_some());
    }
}
