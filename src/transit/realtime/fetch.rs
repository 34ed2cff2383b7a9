//! One request to where a feed is.

use crate::config::Place;
use crate::model::Timestamp;
use reqwest::header::{self, HeaderMap, HeaderName};
use reqwest::redirect::{Attempt, Policy};
use reqwest::{Client, Response, StatusCode};
use std::path::Path;
use std::time::Duration;
use tokio::io::AsyncReadExt as _;
use url::Url;

const MAX_REDIRECTS: usize = 5;

#[derive(Clone)]
pub(super) struct Source {
    pub place: Place,
    /// Marked sensitive: they are never printed.
    pub headers: HeaderMap,
}

/// What the publisher wants back to tell whether anything changed.
#[derive(Debug, Clone, Default)]
pub(super) struct Validators {
    etag: Option<header::HeaderValue>,
    modified: Option<header::HeaderValue>,
}

pub(super) enum Fetched {
    Unchanged,
    New {
        bytes: Vec<u8>,
        validators: Validators,
        /// `Last-Modified`: when the publisher says that it was made.
        modified: Option<Timestamp>,
    },
}

/// In words without address or secret.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct FetchError {
    pub what: String,
    /// The publisher asks for this pause.
    pub retry_after: Option<Duration>,
}

impl From<String> for FetchError {
    fn from(what: String) -> Self {
        Self { what, retry_after: None }
    }
}

pub(super) fn client(timeout: Duration) -> reqwest::Result<Client> {
    Client::builder()
        .timeout(timeout)
        .connect_timeout(timeout.min(Duration::from_secs(5)))
        .redirect(Policy::custom(redirect))
        .user_agent(concat!("guichet/", env!("CARGO_PKG_VERSION")))
        .build()
}

/// Within the host only, and never from https to http: the headers hold keys.
fn redirect(attempt: Attempt<'_>) -> reqwest::redirect::Action {
    let first = attempt.previous().first();
    let kept = first.is_some_and(|first| {
        let secure = attempt.url().scheme() == "https" || first.scheme() == "http";
        first.host_str() == attempt.url().host_str() && secure
    });
    if kept && attempt.previous().len() <= MAX_REDIRECTS { attempt.follow() } else { attempt.stop() }
}

pub(super) async fn fetch(
    client: &Client,
    source: &Source,
    validators: &Validators,
    max_bytes: usize,
) -> Result<Fetched, FetchError> {
    match &source.place {
        Place::Http(url) => by_http(client, url, &source.headers, validators, max_bytes).await,
        Place::File(path) => from_file(path, max_bytes).await,
    }
}

async fn by_http(
    client: &Client,
    url: &Url,
    headers: &HeaderMap,
    validators: &Validators,
    max_bytes: usize,
) -> Result<Fetched, FetchError> {
    let mut request = client.get(url.clone()).headers(headers.clone());
    let conditions =
        [(header::IF_NONE_MATCH, &validators.etag), (header::IF_MODIFIED_SINCE, &validators.modified)];
    for (name, value) in conditions {
        if let Some(value) = value {
            request = request.header(name, value);
        }
    }
    let response = request.send().await.map_err(broken)?;
    match response.status() {
        StatusCode::NOT_MODIFIED => Ok(Fetched::Unchanged),
        StatusCode::OK => {
            let take = |name: HeaderName| response.headers().get(name).cloned();
            let validators = Validators { etag: take(header::ETAG), modified: take(header::LAST_MODIFIED) };
            // What came as gzip is unpacked as it is read, and its header is gone.
            if let Some(coding) = take(header::CONTENT_ENCODING).filter(|coding| coding != "identity") {
                return Err(format!("it was sent compressed as {coding:?}; only gzip was asked for").into());
            }
            let modified = validators.modified.as_ref().and_then(|value| http_date(value.to_str().ok()?));
            Ok(Fetched::New { bytes: body(response, max_bytes).await?, validators, modified })
        }
        status => {
            let after = response.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok());
            let retry_after = after.and_then(|value| value.parse().ok()).map(Duration::from_secs);
            Err(FetchError { what: format!("it answered {status}"), retry_after })
        }
    }
}

/// Stops reading where it becomes too much.
/// `max_bytes` counts what is unpacked: a small answer may hold gigabytes of zeros.
async fn body(mut response: Response, max_bytes: usize) -> Result<Vec<u8>, FetchError> {
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(broken)? {
        if bytes.len() + chunk.len() > max_bytes {
            return Err(too_large(max_bytes));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

async fn from_file(path: &Path, max_bytes: usize) -> Result<Fetched, FetchError> {
    let unreadable = |error: std::io::Error| FetchError::from(format!("it cannot be read: {error}"));
    // A pipe or a device could keep us waiting for ever.
    if !tokio::fs::metadata(path).await.map_err(unreadable)?.is_file() {
        return Err("it is no file".to_owned().into());
    }
    let file = tokio::fs::File::open(path).await.map_err(unreadable)?;
    let mut bytes = Vec::new();
    file.take(max_bytes as u64 + 1).read_to_end(&mut bytes).await.map_err(unreadable)?;
    if bytes.len() > max_bytes {
        return Err(too_large(max_bytes));
    }
    Ok(Fetched::New { bytes, validators: Validators::default(), modified: None })
}

fn too_large(max_bytes: usize) -> FetchError {
    format!("it is larger than traffic.max_bytes ({max_bytes})").into()
}

fn broken(error: reqwest::Error) -> FetchError {
    in_words(&error).to_owned().into()
}

/// The address may hold a key.
pub(in crate::transit) fn in_words(error: &reqwest::Error) -> &'static str {
    if error.is_timeout() {
        "it did not answer in time"
    } else if error.is_connect() {
        "it cannot be reached"
    } else if error.is_decode() {
        "it cannot be unpacked"
    } else {
        "the connection broke"
    }
}

/// RFC 9110, 5.6.7: the form that must be sent, which RFC 2822 dates read.
pub(in crate::transit) fn http_date(text: &str) -> Option<Timestamp> {
    let zoned = jiff::fmt::rfc2822::parse(text).ok()?;
    Some(Timestamp::from_jiff(zoned.timestamp()))
}
