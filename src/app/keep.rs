//! What is kept up to date beside the messages: the model, the managers' files, the stations of the timetable.

use crate::nlu::entities::stations::Gazetteer;
use crate::nlu::{Embedder, Nlu};
use crate::queue::Mind;
use crate::transit::{Timetable, TimetableHandle};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Looks without a saved file before what was learned at a glance is learned properly.
const QUIET_POLLS: u32 = 10;

/// Puts the full model in service when its embeddings are there.
pub(super) fn improve(mind: Arc<Mind>, embedder: Option<Embedder>) -> JoinHandle<()> {
    tokio::task::spawn_blocking(move || {
        if embedder.is_none() {
            return;
        }
        if mind.nlu.model_name() == "encoder" {
            return; // It was on the shelf.
        }
        let last = std::sync::atomic::AtomicUsize::new(0);
        let progress = |done: usize, of: usize| {
            let tenth = done * 10 / of.max(1);
            if last.swap(tenth, std::sync::atomic::Ordering::Relaxed) != tenth {
                tracing::info!("embedding examples: {done} of {of}");
            }
        };
        match mind.nlu.complete(&progress) {
            Ok(()) => tracing::info!("answering with the full model"),
            Err(error) => tracing::error!(%error, "the encoder failed; n-grams answer"),
        }
    })
}

/// The stations as timetable and alias file know them now.
pub(super) type Names = Arc<dyn Fn() -> Result<Gazetteer, Vec<String>> + Send + Sync>;

/// Looks for saved files and for another timetable, off the path of messages. What was learned at a glance is learned properly
/// once nothing has been saved for a while.
pub(super) fn watch(
    mind: Arc<Mind>,
    names: Names,
    timetable: TimetableHandle,
    every: Duration,
    stopping: CancellationToken,
) -> JoinHandle<()> {
    tokio::spawn(async move {
        let mut quiet = 0;
        // Of which timetable the stations are understood; the first look finds out.
        let mut known = None;
        loop {
            tokio::select! {
                () = stopping.cancelled() => return,
                () = tokio::time::sleep(every) => {}
            }
            let (mind, names, timetable, before) =
                (mind.clone(), names.clone(), timetable.clone(), known.clone());
            let looked = tokio::task::spawn_blocking(move || {
                let changed = mind.content.refresh(&mind.nlu, &*names);
                if !changed && quiet % QUIET_POLLS == QUIET_POLLS - 1 {
                    mind.nlu.settle();
                }
                (changed, follow_stations(&mind.nlu, &*names, &timetable, before))
            });
            match looked.await {
                Ok((changed, now)) => {
                    quiet = if changed { 0 } else { quiet + 1 };
                    known = now;
                }
                Err(_) => {
                    quiet += 1;
                    tracing::error!("reading changed files panicked; the last good set stays");
                }
            }
        }
    })
}

/// When another timetable is in service than `known`, messages are read with its stations. Gives the one in service.
pub(super) fn follow_stations(
    nlu: &Nlu,
    names: &dyn Fn() -> Result<Gazetteer, Vec<String>>,
    timetable: &TimetableHandle,
    known: Option<Arc<Timetable>>,
) -> Option<Arc<Timetable>> {
    // Read before its names are, so that one that comes meanwhile is followed at the next look.
    let now = timetable.get();
    if now.as_ref().map(Arc::as_ptr) != known.as_ref().map(Arc::as_ptr) {
        match names() {
            Ok(gazetteer) => nlu.rename_stations(gazetteer),
            // The alias file is broken, which `/health` says; when it is mended, its refresh brings the stations.
            Err(errors) => errors.iter().for_each(|error| {
                tracing::error!(%error, "the stations of the new timetable are not in service");
            }),
        }
    }
    now
}
