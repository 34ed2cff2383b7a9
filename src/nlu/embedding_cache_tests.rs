use std::sync::atomic::{AtomicUsize, Ordering};

use tempfile::TempDir;

use super::*;

/// Three numbers out of the text's bytes; counts the texts it is asked for.
#[derive(Default)]
struct Fake {
    asked: AtomicUsize,
    failing: bool,
}

impl Encoder for Fake {
    fn id(&self) -> &str {
        "fake/../1"
    }

    fn dimensions(&self) -> usize {
        3
    }

    fn encode(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, EncoderError> {
        if self.failing {
            return Err(EncoderError::Stopped);
        }
        self.asked.fetch_add(texts.len(), Ordering::SeqCst);
        Ok(texts.iter().map(|text| vector(text)).collect())
    }
}

fn vector(text: &str) -> Vec<f32> {
    let sum = text.bytes().map(f32::from).sum::<f32>();
    vec![sum, text.len() as f32, 0.1]
}

fn texts(count: usize) -> Vec<String> {
    (0..count).map(|i| format!("train numéro {i}")).collect()
}

fn refs(texts: &[String]) -> Vec<&str> {
    texts.iter().map(String::as_str).collect()
}

/// A cache that knows `texts(count)`, its folder and its file.
fn filled(count: usize) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("temporary folder");
    let cache = EmbeddingCache::open(folder.path(), &Fake::default()).expect("opens");
    cache.encode(&Fake::default(), &refs(&texts(count)), |_, _| {}).expect("encodes");
    let path = cache.path.clone();
    (folder, path)
}

fn reopen(folder: &TempDir) -> EmbeddingCache {
    EmbeddingCache::open(folder.path(), &Fake::default()).expect("opens")
}

#[test]
fn what_was_embedded_once_is_not_asked_for_again() {
    let (folder, path) = filled(200);
    assert_eq!(path.file_name().and_then(|name| name.to_str()), Some("fake____1.embeddings"));
    let cache = reopen(&folder);
    assert_eq!(cache.len(), 200);
    let encoder = Fake::default();
    let mut all = texts(203);
    all.push(all[0].clone());
    all.push(all[202].clone());
    let mut told = Vec::new();
    let vectors =
        cache.encode(&encoder, &refs(&all), |done, total| told.push((done, total))).expect("encodes");
    assert_eq!(vectors, all.iter().map(|text| vector(text)).collect::<Vec<_>>());
    assert_eq!(encoder.asked.load(Ordering::SeqCst), 3, "each unknown text once");
    assert_eq!(told, [(0, 3), (3, 3)]);
    assert_eq!(cache.len(), 203);
}

#[test]
fn a_torn_tail_is_dropped_and_the_file_grows_on_from_there() {
    let (folder, path) = filled(10);
    let whole = std::fs::read(&path).expect("readable");
    for cut in [1, CHECKSUM, record_size(3) - 1, record_size(3) + 5] {
        std::fs::write(&path, &whole[..whole.len() - cut]).expect("written");
        let cache = reopen(&folder);
        assert_eq!(cache.len(), if cut > record_size(3) { 8 } else { 9 });
        cache.encode(&Fake::default(), &refs(&texts(10)), |_, _| {}).expect("encodes");
        assert_eq!(std::fs::read(&path).expect("readable").len(), whole.len());
        assert_eq!(reopen(&folder).len(), 10);
    }
}

#[test]
fn a_damaged_record_is_unknown_and_its_neighbours_stay() {
    let (folder, path) = filled(10);
    let mut bytes = std::fs::read(&path).expect("readable");
    let middle = HEADER as usize + 4 * record_size(3) + KEY + 2;
    bytes[middle] ^= 0x40;
    std::fs::write(&path, bytes).expect("written");
    let cache = reopen(&folder);
    assert_eq!(cache.len(), 9);
    let found = cache.get_many(&refs(&texts(10)));
    assert_eq!(found.iter().filter(|vector| vector.is_none()).count(), 1);
    assert!(texts(10).iter().zip(found).all(|(text, found)| found.is_none_or(|found| found == vector(text))));
}

#[test]
fn damage_after_opening_is_noticed_when_reading() {
    let (folder, path) = filled(10);
    let cache = reopen(&folder);
    let file = OpenOptions::new().write(true).open(&path).expect("opens");
    file.set_len(HEADER + record_size(3) as u64).expect("cut");
    let known = cache.get_many(&refs(&texts(10))).into_iter().flatten().count();
    assert_eq!((known, cache.len()), (1, 1));
}

#[test]
fn a_file_that_is_none_of_ours_or_of_another_width_is_begun_anew() {
    let (folder, path) = filled(10);
    let good = std::fs::read(&path).expect("readable");
    let mut other_width = good.clone();
    other_width[8] = 4;
    for bytes in [b"hello".to_vec(), vec![0; 500], other_width, Vec::new()] {
        std::fs::write(&path, bytes).expect("written");
        let cache = reopen(&folder);
        assert!(cache.is_empty());
        cache.encode(&Fake::default(), &["un"], |_, _| {}).expect("encodes");
        assert_eq!(reopen(&folder).len(), 1);
    }
}

#[test]
fn two_openings_of_one_file_do_not_tear_each_others_records() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let (one, two) = (reopen(&folder), reopen(&folder));
    std::thread::scope(|scope| {
        for (cache, who) in [(&one, "un"), (&two, "deux")] {
            scope.spawn(move || {
                for i in 0..100 {
                    let text = format!("{who} {i}");
                    cache.put_many(&[(&text, &vector(&text))]).expect("written");
                }
            });
        }
    });
    assert_eq!(reopen(&folder).len(), 200);
}

#[test]
fn vectors_of_another_length_are_left_out_and_the_encoders_errors_come_through() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let cache = reopen(&folder);
    cache.put_many(&[("court", &[1.0][..]), ("juste", &[1.0, 2.0, 3.0][..])]).expect("written");
    assert_eq!(cache.get_many(&["court", "juste"]), [None, Some(vec![1.0, 2.0, 3.0])]);
    let failing = Fake { failing: true, ..Fake::default() };
    assert!(matches!(cache.encode(&failing, &["court"], |_, _| {}), Err(EncoderError::Stopped)));
    assert_eq!(cache.encode(&failing, &["juste"], |_, _| {}).expect("known").len(), 1);
}

#[test]
fn a_folder_that_cannot_be_made_is_an_error_with_its_path() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let taken = folder.path().join("taken");
    std::fs::write(&taken, "a file").expect("written");
    let error = EmbeddingCache::open(&taken, &Fake::default()).err().expect("fails");
    assert!(error.to_string().contains("taken/fake____1.embeddings"));
}

proptest::proptest! {
    /// Whatever happens to the bytes, no wrong vector ever comes out.
    #[test]
    fn no_damage_gives_a_wrong_vector(position in 0_usize..400, bits in 1_u8.., cut in 0_usize..400) {
        let (folder, path) = filled(10);
        let mut bytes = std::fs::read(&path).expect("readable");
        let position = position % bytes.len();
        bytes[position] ^= bits;
        bytes.truncate(bytes.len().saturating_sub(cut));
        std::fs::write(&path, bytes).expect("written");
        let found = reopen(&folder).get_many(&refs(&texts(10)));
        for (text, found) in texts(10).iter().zip(found) {
            proptest::prop_assert!(found.is_none_or(|found| found == vector(text)));
        }
    }
}
