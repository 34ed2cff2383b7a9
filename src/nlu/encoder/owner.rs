//! The thread that owns the model.
//!
//! A libtorch model may move between threads but not be shared, and it keeps a core busy for as long as it
//! works. So one thread has it, and requests reach it through a bounded channel. What waits is gathered into
//! micro-batches: ten messages together take the model far less time than ten alone.

use std::any::Any;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TryRecvError, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use super::prepare::prepare;
use super::{EncoderError, unit};

/// Requests that may wait. A full queue makes callers wait, which bounds memory and slows the sender down to
/// our pace.
const QUEUE: usize = 256;

/// A customer who waits gets an answer from n-grams after this time: ten times the usual, so that only a machine that
/// is busy elsewhere reaches it.
const LIVE_DEADLINE: Duration = Duration::from_millis(250);

/// Texts in one batch, at most.
const BATCH_TEXTS: usize = 16;

/// Texts of a batch times bytes of its longest, at most. Every text is padded to the longest, so this
/// product, not the sum, is what a batch costs: about 60 ms for a model of 22 million weights on one core.
const LIVE_BATCH: usize = 640;

/// The same for an import, smaller: a message that comes in meanwhile waits for this batch, about 30 ms.
const BULK_BATCH: usize = 320;

/// Batches of messages that may go before an import that waits, so that under load it is slow but never
/// starved.
const LIVE_RUN: u32 = 8;

/// A loaded model, used by the one thread that made it.
pub(super) trait Model {
    /// One vector per text, of any length; the error says what was wrong. May panic: that too becomes an
    /// error.
    fn encode(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, String>;
}

struct Request {
    texts: Vec<String>,
    /// Somebody waits for it; else it is an import or a training.
    live: bool,
    reply: SyncSender<Result<Vec<Vec<f32>>, EncoderError>>,
}

/// The handle on the owner thread. Dropping it ends the thread and waits for it: libtorch must not be at work
/// while the process tears down.
pub(super) struct Owner {
    /// `None` only while the handle is dropped.
    requests: Option<SyncSender<Request>>,
    thread: Option<JoinHandle<()>>,
}

/// An owner whose model is still loading, so that the caller can do something else meanwhile.
pub(super) struct Starting {
    owner: Owner,
    loaded: Receiver<Result<usize, EncoderError>>,
}

impl Starting {
    /// Waits for the model; gives the owner and the length of its vectors. Errors: what `load` said, or that
    /// it panicked.
    pub(super) fn finish(self) -> Result<(Owner, usize), EncoderError> {
        let dimensions = self.loaded.recv().map_err(|_| EncoderError::Stopped)??;
        Ok((self.owner, dimensions))
    }
}

impl Owner {
    /// Starts the thread and has it load the model. `folder` is for error messages only.
    pub(super) fn start<M, F>(folder: PathBuf, load: F) -> Result<Starting, EncoderError>
    where
        M: Model,
        F: FnOnce() -> Result<M, EncoderError> + Send + 'static,
    {
        let (requests, waiting) = sync_channel(QUEUE);
        let (tell, loaded) = sync_channel(1);
        let unspawned = folder.clone();
        let thread = std::thread::Builder::new()
            .name("encoder".into())
            .spawn(move || match load_and_try(&folder, load) {
                Ok((model, dimensions)) => {
                    if tell.send(Ok(dimensions)).is_ok() {
                        serve(&model, &waiting);
                    }
                }
                // Nobody listens when the caller gave up; then there is nobody to tell.
                Err(error) => drop(tell.send(Err(error))),
            })
            .map_err(|error| EncoderError::Load {
                folder: unspawned,
                reason: format!("no thread for it: {error}"),
            })?;
        Ok(Starting { owner: Owner { requests: Some(requests), thread: Some(thread) }, loaded })
    }

    /// Embeds the beginning of each text; waits for room in the queue and for the answer.
    ///
    /// Errors: `Refused` when the model failed on one of the texts, `Late` when somebody waits for them and they took longer
    /// than [`LIVE_DEADLINE`], `Stopped` when the thread is gone.
    pub(super) fn encode(&self, texts: &[&str], live: bool) -> Result<Vec<Vec<f32>>, EncoderError> {
        if texts.is_empty() {
            return Ok(Vec::new());
        }
        let (reply, answer) = sync_channel(1);
        let texts = texts.iter().map(|text| prepare(text)).collect();
        let requests = self.requests.as_ref().ok_or(EncoderError::Stopped)?;
        requests.send(Request { texts, live, reply }).map_err(|_| EncoderError::Stopped)?;
        if !live {
            return answer.recv().map_err(|_| EncoderError::Stopped)?;
        }
        answer.recv_timeout(LIVE_DEADLINE).map_err(|error| match error {
            RecvTimeoutError::Timeout => EncoderError::Late,
            RecvTimeoutError::Disconnected => EncoderError::Stopped,
        })?
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        // No request can be waiting: `encode` borrows the handle until it has its answer.
        drop(self.requests.take());
        if let Some(thread) = self.thread.take() {
            // The thread catches its panics; were one to escape, there is nobody left to tell.
            drop(thread.join());
        }
    }
}

/// Loads the model and runs it once: that tells the length of its vectors, and pays for what libtorch does at
/// first use.
fn load_and_try<M: Model>(
    folder: &std::path::Path,
    load: impl FnOnce() -> Result<M, EncoderError>,
) -> Result<(M, usize), EncoderError> {
    let failed = |reason| EncoderError::Load { folder: folder.to_owned(), reason };
    // rust-bert panics on a configuration file it cannot read.
    let model = catch_unwind(AssertUnwindSafe(load)).map_err(|panic| failed(panic_text(panic)))??;
    let vectors = encode_once(&model, &["bonjour"]).map_err(failed)?;
    let dimensions = vectors.first().map_or(0, Vec::len);
    Ok((model, dimensions))
}

/// A request being worked on.
struct Pending {
    texts: Vec<String>,
    live: bool,
    /// Indexes of the texts still to be embedded, longest first: popped from the end, neighbours are of like
    /// length.
    todo: Vec<usize>,
    vectors: Vec<Vec<f32>>,
    failure: Option<String>,
    reply: SyncSender<Result<Vec<Vec<f32>>, EncoderError>>,
}

impl Pending {
    fn new(request: Request) -> Self {
        let mut todo: Vec<usize> = (0..request.texts.len()).collect();
        todo.sort_by_key(|index| std::cmp::Reverse(request.texts[*index].len()));
        let vectors = vec![Vec::new(); todo.len()];
        Pending {
            texts: request.texts,
            live: request.live,
            todo,
            vectors,
            failure: None,
            reply: request.reply,
        }
    }

    fn is_over(&self) -> bool {
        self.failure.is_some() || self.todo.is_empty()
    }

    fn answer(self) {
        let answer = match self.failure {
            Some(reason) => Err(EncoderError::Refused(reason)),
            None => Ok(self.vectors),
        };
        // The caller may have panicked meanwhile; its answer is then nobody's loss.
        drop(self.reply.send(answer));
    }
}

/// Answers requests until every sender is gone.
fn serve(model: &impl Model, waiting: &Receiver<Request>) {
    let (mut live, mut bulk) = (VecDeque::new(), VecDeque::new());
    let mut run = 0_u32;
    loop {
        if live.is_empty() && bulk.is_empty() {
            match waiting.recv() {
                Ok(request) => accept(request, &mut live, &mut bulk),
                Err(_) => return,
            }
        }
        while live.len() + bulk.len() < QUEUE {
            match waiting.try_recv() {
                Ok(request) => accept(request, &mut live, &mut bulk),
                Err(TryRecvError::Empty | TryRecvError::Disconnected) => break,
            }
        }
        if live.is_empty() || (run >= LIVE_RUN && !bulk.is_empty()) {
            advance(model, &mut bulk, BULK_BATCH);
            run = 0;
        } else {
            advance(model, &mut live, LIVE_BATCH);
            run = run.saturating_add(1);
        }
    }
}

fn accept(request: Request, live: &mut VecDeque<Pending>, bulk: &mut VecDeque<Pending>) {
    let pending = Pending::new(request);
    if pending.live { live.push_back(pending) } else { bulk.push_back(pending) }
}

/// Embeds one batch from the front of the queue and answers the requests that are complete.
fn advance(model: &impl Model, queue: &mut VecDeque<Pending>, bound: usize) {
    let batch = take_batch(queue, bound);
    if batch.is_empty() {
        return;
    }
    let texts: Vec<&str> =
        batch.iter().map(|(request, text)| queue[*request].texts[*text].as_str()).collect();
    let results = encode_each(model, &texts);
    for ((request, text), result) in batch.into_iter().zip(results) {
        match result {
            Ok(vector) => queue[request].vectors[text] = vector,
            Err(reason) => queue[request].failure = Some(reason),
        }
    }
    for pending in std::mem::take(queue) {
        if pending.is_over() { pending.answer() } else { queue.push_back(pending) }
    }
}

/// Takes texts from the requests in order of arrival until the batch is full: (request, text) indexes.
fn take_batch(queue: &mut VecDeque<Pending>, bound: usize) -> Vec<(usize, usize)> {
    let mut batch = Vec::new();
    let mut longest = 0;
    for (request, pending) in queue.iter_mut().enumerate() {
        while let Some(&text) = pending.todo.last() {
            let length = longest.max(pending.texts[text].len()).max(1);
            let full = batch.len() >= BATCH_TEXTS || (batch.len() + 1) * length > bound;
            if full && !batch.is_empty() {
                return batch;
            }
            pending.todo.pop();
            longest = length;
            batch.push((request, text));
        }
    }
    batch
}

/// Embeds a batch; when it fails, each text alone, so that one bad message does not fail its neighbours.
fn encode_each(model: &impl Model, texts: &[&str]) -> Vec<Result<Vec<f32>, String>> {
    match encode_once(model, texts) {
        Ok(vectors) => vectors.into_iter().map(Ok).collect(),
        Err(reason) if texts.len() == 1 => vec![Err(reason)],
        Err(_) => texts
            .iter()
            .map(|text| {
                encode_once(model, &[text])
                    .and_then(|mut vectors| vectors.pop().ok_or_else(|| "no vector".to_owned()))
            })
            .collect(),
    }
}

/// One call of the model: as many unit vectors as texts, or the reason why not.
fn encode_once(model: &impl Model, texts: &[&str]) -> Result<Vec<Vec<f32>>, String> {
    let vectors = catch_unwind(AssertUnwindSafe(|| model.encode(texts))).map_err(panic_text)??;
    if vectors.len() != texts.len() {
        return Err(format!("the model gave {} vectors for {} texts", vectors.len(), texts.len()));
    }
    vectors
        .into_iter()
        .map(|vector| unit(vector).ok_or_else(|| "the model gave a vector without direction".to_owned()))
        .collect()
}

fn panic_text(panic: Box<dyn Any + Send>) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "the model panicked".to_owned())
}

#[cfg(test)]
#[path = "owner_tests.rs"]
mod tests;
