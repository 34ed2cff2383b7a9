//! Embeddings kept on disk by content, so that a changed example costs one embedding and not five thousand.
//!
//! One append-only file per encoder: a header, then records of one size. Every record carries a checksum, so
//! whatever a crash or a bad disk leaves behind is noticed and only costs computing it again. Vectors are
//! stored as 32-bit floats: half the size would do for meaning, but then a training with a warm cache would
//! differ from one with a cold cache.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use sha2::{Digest, Sha256};

use super::encoder::{Encoder, EncoderError};

/// First bytes of a file; the last one is the version of the format.
const MAGIC: &[u8; 8] = b"GUICEMB\x01";
/// Magic, then the dimensions as four bytes, little-endian.
const HEADER: u64 = 12;
const KEY: usize = 16;
const CHECKSUM: usize = 8;

/// A larger file (bytes) is begun anew when opened: about 170,000 texts at 384 dimensions. Texts that left
/// the examples long ago are never removed one by one, and this is the bound on them.
const MAX_FILE: u64 = 256 << 20;

/// Texts embedded between two writes: what a process that is killed at a cold start loses at most.
const WRITE_EVERY: usize = 64;

/// Why the cache cannot be used. Nothing is lost by going on without it but time.
#[derive(Debug, thiserror::Error)]
#[error("the embedding cache {path}: {source}")]
pub struct EmbeddingCacheError {
    path: PathBuf,
    source: io::Error,
}

/// Embeddings of one encoder, by text. Threads and processes may share it.
pub struct EmbeddingCache {
    path: PathBuf,
    dimensions: usize,
    state: Mutex<State>,
}

struct State {
    file: File,
    /// Where each text's record begins, in bytes.
    records: HashMap<[u8; KEY], u64>,
}

impl EmbeddingCache {
    /// Opens or creates the encoder's file in `folder`, reads it through and drops what is damaged.
    ///
    /// Errors: the folder cannot be written.
    pub fn open(folder: &Path, encoder: &dyn Encoder) -> Result<Self, EmbeddingCacheError> {
        let path = folder.join(format!("{}.embeddings", file_name(encoder.id())));
        let dimensions = encoder.dimensions();
        let state = load(folder, &path, dimensions)
            .map_err(|source| EmbeddingCacheError { path: path.clone(), source })?;
        Ok(EmbeddingCache { path, dimensions, state: Mutex::new(state) })
    }

    /// Number of texts whose embedding is known.
    pub fn len(&self) -> usize {
        self.state().records.len()
    }

    /// Whether nothing is known yet.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The known embedding of each text, same order. A record that cannot be read any more counts as unknown.
    pub fn get_many(&self, texts: &[&str]) -> Vec<Option<Vec<f32>>> {
        let mut state = self.state();
        let mut record = vec![0; record_size(self.dimensions)];
        let mut get = |text: &&str| {
            let key = key_of(text);
            let offset = *state.records.get(&key)?;
            if state.file.read_exact_at(&mut record, offset).is_ok() && record_key(&record) == Some(key) {
                return Some(decode(&record));
            }
            state.records.remove(&key);
            None
        };
        texts.iter().map(&mut get).collect()
    }

    /// Appends embeddings; those of another length than the encoder's are left out.
    ///
    /// Errors: the disk is full or gone. The cache then stays as it was.
    pub fn put_many(&self, items: &[(&str, &[f32])]) -> Result<(), EmbeddingCacheError> {
        let failed = |source| EmbeddingCacheError { path: self.path.clone(), source };
        let mut state = self.state();
        let size = record_size(self.dimensions);
        let mut keys = Vec::with_capacity(items.len());
        let mut bytes = Vec::with_capacity(items.len() * size);
        for (text, vector) in items.iter().filter(|(_, vector)| vector.len() == self.dimensions) {
            let key = key_of(text);
            if !state.records.contains_key(&key) && !keys.contains(&key) {
                keys.push(key);
                encode(key, vector, &mut bytes);
            }
        }
        if keys.is_empty() {
            return Ok(());
        }
        let start = append(&state.file, &bytes, size as u64).map_err(failed)?;
        for (offset, key) in (start..).step_by(size).zip(keys) {
            state.records.insert(key, offset);
        }
        Ok(())
    }

    /// Embeds texts through the cache: only what is unknown goes to the encoder, each text once, and is kept.
    ///
    /// `progress` is told (done, total) of the unknown texts. A cache that cannot be written is logged, not
    /// an error. Errors: the encoder's.
    pub fn encode(
        &self,
        encoder: &dyn Encoder,
        texts: &[&str],
        mut progress: impl FnMut(usize, usize),
    ) -> Result<Vec<Vec<f32>>, EncoderError> {
        let mut vectors = self.get_many(texts);
        let mut places: HashMap<&str, Vec<usize>> = HashMap::new();
        for (index, text) in texts.iter().enumerate().filter(|(index, _)| vectors[*index].is_none()) {
            places.entry(text).or_default().push(index);
        }
        let mut unknown: Vec<&str> = places.keys().copied().collect();
        // Like lengths together make good batches, and the order of a hash map would differ from run to run.
        unknown.sort_unstable_by_key(|text| (text.len(), *text));
        let total = unknown.len();
        for (round, chunk) in unknown.chunks(WRITE_EVERY).enumerate() {
            progress(round * WRITE_EVERY, total);
            let found = encoder.encode(chunk)?;
            let items: Vec<(&str, &[f32])> =
                chunk.iter().copied().zip(found.iter().map(Vec::as_slice)).collect();
            if let Err(error) = self.put_many(&items) {
                tracing::warn!(%error, "embeddings are not kept; the next training computes them again");
            }
            for (text, vector) in chunk.iter().zip(found) {
                for index in places.remove(text).unwrap_or_default() {
                    vectors[index] = Some(vector.clone());
                }
            }
        }
        if total > 0 {
            progress(total, total);
        }
        let all: Option<Vec<Vec<f32>>> = vectors.into_iter().collect();
        all.ok_or_else(|| EncoderError::Refused("the encoder gave fewer vectors than texts".into()))
    }

    /// A panic elsewhere cannot leave the state half-changed, so a poisoned lock is as good as any.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An id is a hash, but a file name must not depend on every implementation keeping to that.
fn file_name(id: &str) -> String {
    id.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' }).take(80).collect()
}

/// Opens the file and makes it whole: header in place, nothing after the last good record.
fn load(folder: &Path, path: &Path, dimensions: usize) -> io::Result<State> {
    std::fs::create_dir_all(folder)?;
    let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
    // Other processes append meanwhile; while we cut off a bad tail they must not.
    file.lock()?;
    let records = make_whole(&mut file, dimensions);
    file.unlock()?;
    Ok(State { records: records?, file })
}

/// Puts the header in place and cuts off what follows the last good record; gives the records.
fn make_whole(file: &mut File, dimensions: usize) -> io::Result<HashMap<[u8; KEY], u64>> {
    let width = u32::try_from(dimensions).map_err(io::Error::other)?;
    let header: Vec<u8> = MAGIC.iter().copied().chain(width.to_le_bytes()).collect();
    let mut found = Vec::new();
    file.take(HEADER).read_to_end(&mut found)?;
    if found != header || file.metadata()?.len() > MAX_FILE {
        file.set_len(0)?;
        file.write_all_at(&header, 0)?;
    }
    let (records, end) = scan(file, dimensions)?;
    file.set_len(end)?;
    Ok(records)
}

/// Finds the good records and the end of the last one. A bad record between good ones is passed over.
fn scan(file: &File, dimensions: usize) -> io::Result<(HashMap<[u8; KEY], u64>, u64)> {
    let mut records = HashMap::new();
    let mut reader = BufReader::with_capacity(1 << 18, file);
    reader.seek(SeekFrom::Start(HEADER))?;
    let mut record = vec![0; record_size(dimensions)];
    let (mut offset, mut end) = (HEADER, HEADER);
    loop {
        match reader.read_exact(&mut record) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok((records, end)),
            Err(error) => return Err(error),
        }
        let start = offset;
        offset += record.len() as u64;
        if let Some(key) = record_key(&record) {
            records.insert(key, start);
            end = offset;
        }
    }
}

/// Appends whole records at a record boundary; gives where they begin. On failure the file is cut back.
fn append(file: &File, bytes: &[u8], size: u64) -> io::Result<u64> {
    file.lock()?;
    let written = append_locked(file, bytes, size);
    file.unlock()?;
    written
}

fn append_locked(file: &File, bytes: &[u8], size: u64) -> io::Result<u64> {
    // Another process may have been killed half-way through a record.
    let length = file.metadata()?.len().max(HEADER);
    let start = length - (length - HEADER) % size;
    file.write_all_at(bytes, start).inspect_err(|_| drop(file.set_len(start)))?;
    Ok(start)
}

fn key_of(text: &str) -> [u8; KEY] {
    head(&Sha256::digest(text.as_bytes()))
}

/// Key, vector, and a checksum over both.
fn record_size(dimensions: usize) -> usize {
    KEY + dimensions * size_of::<f32>() + CHECKSUM
}

fn encode(key: [u8; KEY], vector: &[f32], bytes: &mut Vec<u8>) {
    let start = bytes.len();
    bytes.extend(key);
    bytes.extend(vector.iter().flat_map(|x| x.to_le_bytes()));
    let checksum: [u8; CHECKSUM] = head(&Sha256::digest(&bytes[start..]));
    bytes.extend(checksum);
}

/// The key of a good record, `None` for a damaged one.
fn record_key(record: &[u8]) -> Option<[u8; KEY]> {
    let (body, checksum) = record.split_at_checked(record.len().checked_sub(CHECKSUM)?)?;
    let expected: [u8; CHECKSUM] = head(&Sha256::digest(body));
    (checksum == expected).then(|| head(body))
}

fn decode(record: &[u8]) -> Vec<f32> {
    let (numbers, _) = record[KEY..record.len() - CHECKSUM].as_chunks();
    numbers.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect()
}

/// The first bytes of a longer slice; zeros stand for what is not there.
fn head<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut head = [0; N];
    head.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    head
}

#[cfg(test)]
#[path = "embedding_cache_tests.rs"]
mod tests;
