//! One request to Navitia: the token, the quota, what is kept for a moment, and what can go wrong.

use super::model::{Answer, Problem};
use super::quota::Quota;
use crate::config::NavitiaConfig;
use crate::model::Timestamp;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use reqwest::{Response, StatusCode, Url};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Answers kept for the same question, in bytes together.
const KEPT_BYTES: usize = 32 * 1024 * 1024;

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Refused {
    /// The date lies outside what Navitia has loaded.
    OutOfBounds,
    /// It knows the question and found nothing.
    Nothing,
    /// It does not know the station, line or train that was asked about.
    UnknownObject,
    /// In words without address or token.
    Failed(String),
}

pub(super) struct Client {
    http: reqwest::Client,
    /// With `/coverage/{region}`.
    base: Url,
    headers: HeaderMap,
    max_bytes: usize,
    max_wait: Duration,
    keep: Duration,
    quota: Mutex<Quota>,
    kept: Mutex<HashMap<String, Kept>>,
}

struct Kept {
    at: Timestamp,
    bytes: usize,
    answer: Arc<Answer>,
}

/// What is inside is replaced whole, so a panic elsewhere leaves it good.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Client {
    /// # Errors
    /// What is wrong with the configuration, without a secret.
    pub(super) fn new(config: &NavitiaConfig) -> Result<Self, String> {
        let mut base = Url::parse(&config.url).map_err(|_| "navitia.url is no address".to_owned())?;
        base.path_segments_mut()
            .map_err(|()| "navitia.url has no path".to_owned())?
            .pop_if_empty()
            .extend(["coverage", &config.coverage]);
        let timeout = Duration::from(config.timeout);
        let http = reqwest::Client::builder()
            .timeout(timeout)
            .connect_timeout(timeout)
            .no_gzip()
            // It would take the token along.
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("guichet/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|_| "the HTTP client cannot be built".to_owned())?;
        Ok(Self {
            http,
            base,
            headers: headers(config)?,
            max_bytes: config.max_bytes,
            max_wait: config.max_wait.into(),
            keep: config.keep.into(),
            quota: Mutex::new(Quota::new(config.per_second, config.per_day)),
            kept: Mutex::default(),
        })
    }

    /// Asks `path` below the coverage; the same question within a moment gets the same answer.
    pub(super) async fn get(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
        now: Timestamp,
    ) -> Result<Arc<Answer>, Refused> {
        let url = self.address(path, query);
        if let Some(kept) = locked(&self.kept).get(url.as_str())
            && now >= kept.at
            && now.since(kept.at) < self.keep
        {
            return Ok(Arc::clone(&kept.answer));
        }
        let wait = locked(&self.quota).take(now, self.max_wait).map_err(Refused::Failed)?;
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
        let (answer, bytes) = self.ask(url.clone(), now).await?;
        let answer = Arc::new(answer);
        self.store(url, Kept { at: now, bytes, answer: Arc::clone(&answer) });
        Ok(answer)
    }

    /// Ids come from outside: each is one segment, whatever it holds.
    fn address(&self, path: &[&str], query: &[(&str, &str)]) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.extend(path);
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }

    async fn ask(&self, url: Url, now: Timestamp) -> Result<(Answer, usize), Refused> {
        let response = self.http.get(url).headers(self.headers.clone()).send().await.map_err(in_words)?;
        let status = response.status();
        match status {
            StatusCode::OK | StatusCode::NOT_FOUND => {}
            StatusCode::NO_CONTENT => return Err(Refused::Nothing),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                return Err(failed("Navitia refuses the token (navitia.token)"));
            }
            StatusCode::TOO_MANY_REQUESTS => {
                let after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
                let after = after.and_then(|text| text.trim().parse().ok()).map(Duration::from_secs);
                locked(&self.quota).close(now, after);
                return Err(failed("quota: Navitia says that there were too many requests"));
            }
            status => return Err(Refused::Failed(format!("Navitia answered {}", status.as_u16()))),
        }
        let bytes = self.body(response).await?;
        let answer: Answer = serde_json::from_slice(&bytes)
            .map_err(|_| failed("Navitia answered something that cannot be read"))?;
        match &answer.error {
            Some(problem) => Err(refusal(problem)),
            None if status == StatusCode::NOT_FOUND => Err(failed("Navitia answered 404")),
            None => Ok((answer, bytes.len())),
        }
    }

    /// Stops reading where it becomes too much.
    async fn body(&self, mut response: Response) -> Result<Vec<u8>, Refused> {
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(in_words)? {
            if bytes.len() + chunk.len() > self.max_bytes {
                return Err(failed("Navitia's answer is larger than navitia.max_bytes"));
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes)
    }

    fn store(&self, url: Url, answer: Kept) {
        let mut kept = locked(&self.kept);
        let now = answer.at;
        kept.retain(|_, old| now >= old.at && now.since(old.at) < self.keep);
        let size: usize = kept.values().map(|old| old.bytes).sum();
        if size + answer.bytes <= KEPT_BYTES && !self.keep.is_zero() {
            kept.insert(url.into(), answer);
        }
    }
}

fn headers(config: &NavitiaConfig) -> Result<HeaderMap, String> {
    use base64::Engine as _;
    let token = config.token.expose();
    let (name, value) = if config.token_header.is_empty() {
        let pair = base64::engine::general_purpose::STANDARD.encode(format!("{token}:"));
        (AUTHORIZATION, format!("Basic {pair}"))
    } else {
        let name = HeaderName::from_bytes(config.token_header.as_bytes())
            .map_err(|_| "navitia.token_header is no name of a header".to_owned())?;
        (name, token.to_owned())
    };
    let mut value =
        HeaderValue::from_str(&value).map_err(|_| "navitia.token cannot be sent in a header".to_owned())?;
    value.set_sensitive(true);
    Ok(HeaderMap::from_iter([(name, value)]))
}

fn refusal(problem: &Problem) -> Refused {
    match problem.id.as_str() {
        "date_out_of_bounds" => Refused::OutOfBounds,
        "no_solution" => Refused::Nothing,
        "unknown_object" | "bad_filter" | "no_origin" | "no_destination" | "no_origin_nor_destination" => {
            Refused::UnknownObject
        }
        // The id is theirs: it is cut, and told to agents only.
        other => {
            let id: String = other.chars().filter(char::is_ascii_graphic).take(40).collect();
            Refused::Failed(format!("Navitia cannot answer: {id}"))
        }
    }
}

fn failed(why: &str) -> Refused {
    Refused::Failed(why.to_owned())
}

/// The error's own words may hold the address.
fn in_words(error: reqwest::Error) -> Refused {
    failed(if error.is_timeout() {
        "Navitia did not answer in time"
    } else if error.is_connect() {
        "Navitia cannot be reached"
    } else {
        "the connection to Navitia broke"
    })
}
