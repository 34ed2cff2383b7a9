//! What was learned, kept on disk: a start with the same files answers at once instead of learning again.
//!
//! One file per pack and encoder, named by the hash of everything that decides its content: the files of the pack, the
//! encoder's weights, and this program's own way of learning. A file that is torn or foreign is not read, and costs a training.

use super::model::Learned;
use sha2::{Digest, Sha256};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Files kept: the one in service and the one before, for whoever takes a change back.
const KEPT: usize = 2;
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
        postcard::from_bytes(content).ok()
    }

    /// # Errors
    /// The disk refused; the next start learns again.
    pub(super) fn write(&self, pack: &str, encoder: Option<&str>, learned: &Learned) -> io::Result<()> {
        std::fs::create_dir_all(&self.folder)?;
        let content = postcard::to_stdvec(learned).map_err(io::Error::other)?;
        // Whole or not at all: written beside, then put in place.
        let part = self.folder.join(format!("learned-{}.part", std::process::id()));
        let mut file = std::fs::File::create(&part)?;
        file.write_all(&Sha256::digest(&content))?;
        file.write_all(&content)?;
        file.sync_all()?;
        std::fs::rename(&part, self.path(pack, encoder))?;
        self.forget_old()
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
