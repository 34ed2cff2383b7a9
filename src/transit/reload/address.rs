//! A feed that is downloaded.

use super::checks::Judge;
use super::download::{self, Fetched};
use super::kept::{Kept, Note};
use super::{Look, Trouble, off_the_path};
use crate::model::Timestamp;
use reqwest::Client;
use std::io;
use std::path::Path;
use url::Url;

pub(super) struct Address {
    url: Url,
    client: Client,
    /// None: the cache folder cannot be used, and neither can an address then.
    kept: Result<Kept, String>,
    /// Of what is in service. None: whatever comes is new, also when the copy on disk was no good.
    note: Option<Note>,
}

impl Address {
    /// Loads the kept copy, which may have ended: it still knows the stations. Asks nobody.
    pub(super) fn start(
        url: Url,
        cache: &Path,
        judge: &Judge,
    ) -> Result<(Self, Result<Look, Trouble>), String> {
        let client = download::client(&judge.config)
            .map_err(|error| format!("the HTTP client cannot be built: {error}"))?;
        let kept = Kept::open(cache, &url).map_err(|error| format!("files.cache cannot be used: {error}"));
        let mut address = Self { url, client, kept, note: None };
        let loaded = address.load_kept(judge);
        Ok((address, loaded))
    }

    fn load_kept(&mut self, judge: &Judge) -> Result<Look, Trouble> {
        let kept = self.kept.as_ref().map_err(|why| Trouble::Failed(why.clone()))?;
        let archive = kept.archive();
        if !archive.exists() {
            return Err(Trouble::Failed("it has not been downloaded yet".to_owned()));
        }
        let table = judge.load(&archive)?;
        self.note = kept.note();
        Ok(Look::New(Box::new(table)))
    }

    pub(super) async fn look(&mut self, judge: &Judge, now: Timestamp) -> Result<Look, Trouble> {
        let kept = self.kept.clone().map_err(Trouble::Failed)?;
        let Some(_lock) = kept.lock().map_err(|error| unwritable(&error))? else {
            return Err(Trouble::Failed("another process downloads it".to_owned()));
        };
        let validators = self.note.as_ref().map(|note| note.validators.clone()).unwrap_or_default();
        let part = kept.part();
        let fetched =
            download::fetch(&self.client, &self.url, &validators, &part, judge.config.max_bytes).await;
        let result = match fetched.map_err(Trouble::Failed) {
            Ok(Fetched::New(note)) if self.is_the_same(&note) => {
                self.note = Some(note);
                Ok(Look::Unchanged)
            }
            Ok(Fetched::New(note)) => self.take(judge, now, &kept, note).await,
            Ok(Fetched::Unchanged) => Ok(Look::Unchanged),
            Err(trouble) => Err(trouble),
        };
        // Kept, it has another name by now.
        let _ = std::fs::remove_file(part);
        result
    }

    fn is_the_same(&self, note: &Note) -> bool {
        self.note.as_ref().is_some_and(|served| served.sha256 == note.sha256)
    }

    async fn take(
        &mut self,
        judge: &Judge,
        now: Timestamp,
        kept: &Kept,
        note: Note,
    ) -> Result<Look, Trouble> {
        let (judge, kept, keeping) = (judge.clone(), kept.clone(), note.clone());
        let table = off_the_path(move || {
            let table = judge.accept(&kept.part(), now)?;
            kept.keep(&keeping).map_err(|error| unwritable(&error))?;
            Ok(table)
        });
        let table = table.await?;
        self.note = Some(note);
        Ok(Look::New(Box::new(table)))
    }
}

fn unwritable(error: &io::Error) -> Trouble {
    Trouble::Failed(format!("the download cannot be kept: {error}"))
}
