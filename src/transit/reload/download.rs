//! One conditional download into a file.

use super::kept::{Note, Validators, hex};
use crate::config::TimetableConfig;
use crate::transit::realtime::{http_date, in_words};
use reqwest::header::{self, HeaderMap, HeaderName};
use reqwest::redirect::{Attempt, Policy};
use reqwest::{Client, Response, StatusCode};
use sha2::{Digest as _, Sha256};
use std::path::Path;
use std::time::{Duration, SystemTime};
use tokio::io::AsyncWriteExt as _;
use url::Url;

const MAX_REDIRECTS: usize = 5;
const CONNECT: Duration = Duration::from_secs(10);
/// Longest silence in the middle of a download.
const SILENCE: Duration = Duration::from_secs(30);

pub(super) enum Fetched {
    Unchanged,
    New(Note),
}

pub(super) fn client(config: &TimetableConfig) -> reqwest::Result<Client> {
    let timeout = Duration::from(config.timeout);
    Client::builder()
        .timeout(timeout)
        .connect_timeout(timeout.min(CONNECT))
        .read_timeout(timeout.min(SILENCE))
        .redirect(Policy::custom(redirect))
        // Zip files are compressed already.
        .no_gzip()
        .user_agent(concat!("guichet/", env!("CARGO_PKG_VERSION")))
        .build()
}

/// Portals of open data send to other hosts; never from https to http, where anybody on the way could change the trains.
fn redirect(attempt: Attempt<'_>) -> reqwest::redirect::Action {
    let secure = attempt.previous().iter().all(|url| url.scheme() == "http");
    let kept = secure || attempt.url().scheme() == "https";
    if kept && attempt.previous().len() <= MAX_REDIRECTS { attempt.follow() } else { attempt.stop() }
}

/// Errors are in words without the address, which may hold a key.
pub(super) async fn fetch(
    client: &Client,
    url: &Url,
    validators: &Validators,
    into: &Path,
    max_bytes: u64,
) -> Result<Fetched, String> {
    let mut request = client.get(url.clone());
    let conditions =
        [(header::IF_NONE_MATCH, &validators.etag), (header::IF_MODIFIED_SINCE, &validators.last_modified)];
    for (name, value) in conditions {
        if let Some(value) = value {
            request = request.header(name, value);
        }
    }
    let response = request.send().await.map_err(|error| in_words(&error).to_owned())?;
    match response.status() {
        StatusCode::NOT_MODIFIED => Ok(Fetched::Unchanged),
        StatusCode::OK => take(response, into, max_bytes).await.map(Fetched::New),
        status => Err(format!("it answered {status}")),
    }
}

async fn take(mut response: Response, into: &Path, max_bytes: u64) -> Result<Note, String> {
    let headers = response.headers();
    let validators =
        Validators { etag: text(headers, header::ETAG), last_modified: text(headers, header::LAST_MODIFIED) };
    if let Some(coding) = text(headers, header::CONTENT_ENCODING).filter(|coding| coding != "identity") {
        return Err(format!("it was sent compressed ({coding}) without being asked to"));
    }
    let too_large = || format!("it is larger than timetable.max_bytes ({max_bytes})");
    if response.content_length().is_some_and(|length| length > max_bytes) {
        return Err(too_large());
    }
    let unwritable = |error: std::io::Error| format!("the download cannot be written: {error}");
    let mut file = tokio::fs::File::create(into).await.map_err(unwritable)?;
    let (mut hasher, mut written) = (Sha256::new(), 0_u64);
    while let Some(chunk) = response.chunk().await.map_err(|error| in_words(&error).to_owned())? {
        written += chunk.len() as u64;
        if written > max_bytes {
            return Err(too_large());
        }
        hasher.update(&chunk);
        file.write_all(&chunk).await.map_err(unwritable)?;
    }
    file.flush().await.map_err(unwritable)?;
    // A feed that does not say when it was made is as old as its file, and that is not the day of our download.
    if let Some(made) = validators.last_modified.as_deref().and_then(http_date) {
        let since_1970 = Duration::from_micros(u64::try_from(made.0).unwrap_or(0));
        file.into_std().await.set_modified(SystemTime::UNIX_EPOCH + since_1970).map_err(unwritable)?;
    }
    Ok(Note { sha256: hex(&hasher.finalize()), validators })
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<String> {
    Some(headers.get(name)?.to_str().ok()?.to_owned())
}
