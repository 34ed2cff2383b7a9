//! Sessions in the browser: the cookie, what a person recognises them by, and new ones at each change of rights.

use super::SignedIn;
use crate::desk::token;
use crate::http::AppState;
use crate::http::pages::cookie;
use crate::model::{Agent, Timestamp};
use crate::store::{NewSession, StoreError, Tx};
use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, header};
use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

pub type SetCookie = [(header::HeaderName, String); 1];

/// `__Host-` binds a cookie to this very host; browsers accept it with https only.
fn cookie_name(state: &AppState, name: &str) -> String {
    let prefix = if state.config.server.secure_cookies() { "__Host-" } else { "" };
    format!("{prefix}{name}")
}

const SESSION: &str = "guichet-desk";
/// Between two steps of a sign-in.
const STEP: &str = "guichet-step";

/// The session's token as the browser sends it.
pub fn token_of<'h>(headers: &'h HeaderMap, state: &AppState) -> Option<&'h str> {
    cookie(headers, &cookie_name(state, SESSION))
}

pub fn step_token_of<'h>(headers: &'h HeaderMap, state: &AppState) -> Option<&'h str> {
    cookie(headers, &cookie_name(state, STEP))
}

/// An empty token with zero seconds takes the cookie away.
fn set_cookie(state: &AppState, name: &str, token: &str, lasts: Duration) -> SetCookie {
    let (name, seconds) = (cookie_name(state, name), lasts.as_secs());
    let secure = if state.config.server.secure_cookies() { "; Secure" } else { "" };
    let value = format!("{name}={token}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}");
    [(header::SET_COOKIE, value)]
}

pub fn set_session(state: &AppState, token: &str) -> SetCookie {
    set_cookie(state, SESSION, token, state.config.server.session.into())
}

pub fn clear_session(state: &AppState) -> SetCookie {
    set_cookie(state, SESSION, "", Duration::ZERO)
}

pub fn set_step(state: &AppState, token: &str, lasts: Duration) -> SetCookie {
    set_cookie(state, STEP, token, lasts)
}

pub fn clear_step(state: &AppState) -> SetCookie {
    set_cookie(state, STEP, "", Duration::ZERO)
}

/// What a person recognises a session by.
#[derive(Debug, Clone)]
pub struct Place {
    pub browser: String,
    pub address: IpAddr,
}

impl FromRequestParts<AppState> for Place {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &AppState) -> Result<Self, Infallible> {
        let agent = parts.headers.get(header::USER_AGENT).and_then(|v| v.to_str().ok()).unwrap_or_default();
        Ok(Self { browser: browser(agent), address: address(&parts.headers, &parts.extensions) })
    }
}

/// The client's address. A reverse proxy is on a loopback or private address, and the last name in
/// `X-Forwarded-For` is the one it wrote.
pub fn address(headers: &HeaderMap, extensions: &Extensions) -> IpAddr {
    let peer = extensions
        .get()
        .map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |ConnectInfo(peer): &ConnectInfo<SocketAddr>| peer.ip())
        .to_canonical();
    let behind_proxy = match peer {
        IpAddr::V4(ip) => ip.is_loopback() || ip.is_private(),
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unique_local(),
    };
    let forwarded = headers.get_all("x-forwarded-for").iter().next_back().filter(|_| behind_proxy);
    let last = forwarded.and_then(|v| v.to_str().ok()?.rsplit(',').next()?.trim().parse::<IpAddr>().ok());
    last.unwrap_or(peer).to_canonical()
}

/// `Firefox, Linux`: only names of ours, whatever a browser says of itself. The order matters, for most browsers
/// name others too.
fn browser(user_agent: &str) -> String {
    let first = |known: &[(&'static str, &'static str)]| {
        known.iter().find(|(mark, _)| user_agent.contains(mark)).map(|(_, name)| *name)
    };
    let name = first(&[
        ("Edg", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("FxiOS/", "Firefox"),
        ("CriOS/", "Chrome"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
    ]);
    let system = first(&[
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Windows", "Windows"),
        ("Mac OS X", "macOS"),
        ("CrOS", "ChromeOS"),
        ("Linux", "Linux"),
    ]);
    [name, system].into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// Who signed in, and how.
pub struct Entry<'a> {
    pub agent: &'a Agent,
    /// A guest's access ends then, and the session with it.
    pub until: Option<Timestamp>,
    pub by_provider: bool,
    pub place: &'a Place,
}

/// A new token at each sign-in and each change of rights: one that was planted in the browser before, or seen by
/// someone, is worth nothing after. `old` is the SHA-256 of the one that ends.
pub async fn open(
    state: &AppState,
    tx: &mut Tx,
    now: Timestamp,
    entry: &Entry<'_>,
    old: Option<&str>,
) -> Result<String, StoreError> {
    let token = token::random();
    if let Some(old) = old {
        tx.delete_session(old).await?;
    }
    tx.expire_sessions(now).await?;
    let lasts = now.plus(state.config.server.session.into());
    let new = NewSession {
        token_hash: &token::digest(&token),
        agent: entry.agent.id,
        csrf: &token::random(),
        expires_at: entry.until.map_or(lasts, |until| until.min(lasts)),
        browser: &entry.place.browser,
        address: &entry.place.address.to_string(),
        by_provider: entry.by_provider,
    };
    tx.insert_session(&new, now).await?;
    Ok(token)
}

/// The same sign-in under a new token.
pub async fn renew(
    state: &AppState,
    tx: &mut Tx,
    now: Timestamp,
    signed: &SignedIn,
    place: &Place,
) -> Result<String, StoreError> {
    let account = tx.account(signed.agent.id).await?;
    let until = account.and_then(|account| account.person.expires_at);
    let entry = Entry { agent: &signed.agent, until, by_provider: signed.by_provider, place };
    open(state, tx, now, &entry, Some(&signed.token_hash)).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_are_named_shortly_and_by_us() {
        for (said, name) in [
            ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox, Linux"),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) \
                 Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0",
                "Edge, Windows",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like \
                 Gecko) Version/18.0 Mobile/15E148 Safari/604.1",
                "Safari, iPhone",
            ),
            ("<script>alert(1)</script>", ""),
            ("curl/8.0", ""),
        ] {
            assert_eq!(browser(said), name);
        }
    }

    #[test]
    fn a_proxy_is_believed_and_nobody_else() {
        let seen = |forwarded: &str, peer: &str| {
            let (mut headers, mut extensions) = (HeaderMap::new(), Extensions::new());
            headers.insert("x-forwarded-for", forwarded.parse().unwrap());
            extensions.insert(ConnectInfo(SocketAddr::new(peer.parse().unwrap(), 1)));
            address(&headers, &extensions).to_string()
        };
        assert_eq!(seen("198.51.100.1, 203.0.113.9", "127.0.0.1"), "203.0.113.9");
        assert_eq!(seen("203.0.113.9", "198.51.100.7"), "198.51.100.7");
        assert_eq!(seen("<script>", "::ffff:10.0.0.1"), "10.0.0.1");
    }
}
