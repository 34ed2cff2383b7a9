//! The copy of the last good download, which serves when the network is down.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use url::Url;

/// What the publisher wants back to tell whether anything changed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Validators {
    pub etag: Option<String>,
    pub last_modified: Option<String>,
}

/// What is known of a download beside its bytes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Note {
    /// Of the archive: tells which archive the note speaks of, and whether a publisher that answers no condition sent the same again.
    pub sha256: String,
    pub validators: Validators,
}

/// The files of one address: the name is made of it, so that another address never serves this one's trains.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    stem: PathBuf,
}

impl Kept {
    /// # Errors
    /// The folder cannot be made.
    pub(super) fn open(cache: &Path, url: &Url) -> io::Result<Self> {
        let folder = cache.join("timetable");
        std::fs::create_dir_all(&folder)?;
        let name = hex(&Sha256::digest(url.as_str()));
        Ok(Self { stem: folder.join(name.get(..16).unwrap_or(&name)) })
    }

    pub(super) fn archive(&self) -> PathBuf {
        self.stem.with_extension("zip")
    }

    /// Where a download is written before it is checked.
    pub(super) fn part(&self) -> PathBuf {
        self.stem.with_extension("part")
    }

    /// Held while `part` is written; none: another process has it.
    pub(super) fn lock(&self) -> io::Result<Option<File>> {
        let file = File::create(self.stem.with_extension("lock"))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(file)),
            Err(std::fs::TryLockError::WouldBlock) => Ok(None),
            Err(std::fs::TryLockError::Error(error)) => Err(error),
        }
    }

    /// The note of the archive that is there; none when it speaks of another one, as after a crash between the two.
    pub(super) fn note(&self) -> Option<Note> {
        let note: Note = serde_json::from_slice(&std::fs::read(self.note_path()).ok()?).ok()?;
        let mut hasher = Sha256::new();
        let mut archive = File::open(self.archive()).ok()?;
        let mut buffer = vec![0; 64 * 1024];
        loop {
            match io::Read::read(&mut archive, &mut buffer).ok()? {
                0 => break,
                read => hasher.update(&buffer[..read]),
            }
        }
        (hex(&hasher.finalize()) == note.sha256).then_some(note)
    }

    /// Makes the download the kept copy. Whenever it is cut short there is a whole archive, the old one or the new.
    pub(super) fn keep(&self, note: &Note) -> io::Result<()> {
        File::open(self.part())?.sync_all()?;
        std::fs::rename(self.part(), self.archive())?;
        let fresh = self.stem.with_extension("json.part");
        let mut file = File::create(&fresh)?;
        file.write_all(&serde_json::to_vec(note)?)?;
        file.sync_all()?;
        std::fs::rename(fresh, self.note_path())
    }

    fn note_path(&self) -> PathBuf {
        self.stem.with_extension("json")
    }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
