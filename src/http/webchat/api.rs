//! Sessions, messages in, history out.

use super::{Chat, ChatState};
use crate::http::auth::session;
use crate::http::problem::Problem;
use crate::model::{AgentId, Author, Contact, ConversationId, DeliveryStatus, Direction, Message, MessageId};
use crate::store::{Ingest, StoreError, Tx};
use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, QueryRejection};
use axum::extract::{Query, State};
use axum::http::{Extensions, HeaderMap, StatusCode, header};
use axum::response::IntoResponse;
use axum::{Extension, Json};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use uuid::Uuid;

/// Longest message in characters; the widget's `LONGEST`.
pub const MAX_CHARS: usize = 4_000;
/// How far back a page shows.
const HISTORY: i64 = 200;
const TOKEN_BYTES: usize = 32;

#[derive(Serialize)]
struct Created {
    token: String,
}

/// `POST /chat/api/sessions`: a new visitor. The widget asks for one when the first message is written, so that
/// who only looks leaves no trace.
pub async fn create_session(
    State(state): State<ChatState>,
    Extension(chat): Extension<Arc<Chat>>,
    headers: HeaderMap,
    extensions: Extensions,
) -> Result<impl IntoResponse, Problem> {
    let now = state.clock.now();
    chat.sessions.take(network(&headers, &extensions), now).map_err(slow_down)?;
    let token = URL_SAFE_NO_PAD.encode(rand::random::<[u8; TOKEN_BYTES]>());
    let mut tx = state.store.begin().await?;
    tx.contact(&chat.channel, &address(&token), now).await?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, Json(Created { token })))
}

/// The contact whose token the request carries. An unknown token is refused like a malformed one: were any token
/// good, the limit on new sessions would be none.
pub async fn visitor(state: &ChatState, chat: &Chat, headers: &HeaderMap) -> Result<Contact, Problem> {
    let refused = |detail| Problem::new(StatusCode::UNAUTHORIZED, "no-session", detail);
    let token = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim())
        .filter(|token| URL_SAFE_NO_PAD.decode(token).is_ok_and(|bytes| bytes.len() == TOKEN_BYTES))
        .ok_or_else(|| refused("send 'Authorization: Bearer <token>' with a token of POST sessions"))?;
    let mut tx = state.store.read().await?;
    tx.contact_by_address(&chat.channel, &address(token))
        .await?
        .ok_or_else(|| refused("this session is not known; create a new one"))
}

fn address(token: &str) -> String {
    Sha256::digest(token).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What shares a limit on new sessions: an IPv4 address, or an IPv6 /64 (what one household gets).
fn network(headers: &HeaderMap, extensions: &Extensions) -> IpAddr {
    match session::address(headers, extensions) {
        IpAddr::V6(ip) => IpAddr::V6(Ipv6Addr::from_bits(ip.to_bits() & !u128::from(u64::MAX))),
        v4 => v4,
    }
}

fn slow_down(seconds: u64) -> Problem {
    let detail = format!("too many requests; try again in {seconds} s");
    Problem {
        retry_after: Some(seconds),
        ..Problem::new(StatusCode::TOO_MANY_REQUESTS, "too-many-requests", detail)
    }
}

#[derive(Deserialize)]
struct Posted {
    client_id: String,
    text: String,
}

#[derive(Serialize)]
struct Acknowledged {
    client_id: Uuid,
    duplicate: bool,
}

/// `POST /chat/api/messages`: answered once the message is on disk. The same `client_id` again is acknowledged
/// and stored no second time.
pub async fn receive(
    State(state): State<ChatState>,
    Extension(chat): Extension<Arc<Chat>>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<impl IntoResponse, Problem> {
    let contact = visitor(&state, &chat, &headers).await?;
    let (client_id, text) = parse(&headers, body)?;
    let now = state.clock.now();
    chat.messages.take(contact.address.clone(), now).map_err(slow_down)?;
    let inbound = Ingest {
        channel: &chat.channel,
        address: &contact.address,
        provider_id: &format!("{}{client_id}", id_prefix(&contact)),
        text: &text,
        ..Ingest::default()
    };
    let mut tx = state.store.begin().await?;
    let reopen_within = state.config.conversations.reopen_within.into();
    let ingested = crate::queue::ingest(&mut tx, inbound, now, reopen_within).await?;
    tx.commit().await?;
    let outcome = if ingested.duplicate { "duplicate" } else { "stored" };
    metrics::counter!("guichet_inbound_total", "channel" => chat.channel.clone(), "outcome" => outcome)
        .increment(1);
    Ok((StatusCode::ACCEPTED, Json(Acknowledged { client_id, duplicate: ingested.duplicate })))
}

/// Keeps one visitor from using up the ids of another: 64 bits of the digest that only the visitor's token gives.
fn id_prefix(contact: &Contact) -> String {
    format!("{}:", contact.address.get(..16).unwrap_or_default())
}

fn parse(headers: &HeaderMap, body: Result<Bytes, BytesRejection>) -> Result<(Uuid, String), Problem> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json") {
        let detail = "send Content-Type: application/json";
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "content-type", detail));
    }
    let body = body.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => too_long(),
        _ => Problem::bad_request("the request's body did not arrive whole"),
    })?;
    let body = std::str::from_utf8(&body).map_err(|_| Problem::bad_request("the body is not UTF-8"))?;
    let posted: Posted = serde_json::from_str(body).map_err(|error| {
        // The parser's own words may quote the text.
        let detail = format!("send {{\"client_id\", \"text\"}}, both texts; see column {}", error.column());
        Problem::bad_request(detail)
    })?;
    let client_id = Uuid::try_parse(&posted.client_id)
        .map_err(|_| Problem::bad_request("client_id: must be a UUID, a new one for each message"))?;
    // Not only spaces: joiners and direction marks show nothing either.
    let blank = |c: char| {
        c.is_whitespace()
            || c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{feff}')
    };
    if posted.text.chars().all(blank) {
        return Err(Problem::new(
            StatusCode::BAD_REQUEST,
            "empty-text",
            "text: there is nothing to read in it",
        ));
    }
    if posted.text.chars().count() > MAX_CHARS {
        return Err(too_long());
    }
    Ok((client_id, posted.text))
}

fn too_long() -> Problem {
    let detail = format!("text: longer than {MAX_CHARS} characters");
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-long", detail)
}

#[derive(Deserialize)]
pub struct After {
    after: Option<String>,
}

/// Where a message stands in the contact's history: conversations by their id (UUIDv7, so by age), messages by
/// their place in it. Its text form sorts the same way.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Cursor(ConversationId, i64);

impl Cursor {
    fn of(message: &Message) -> Self {
        Self(message.conversation_id, message.seq)
    }

    fn parse(text: &str) -> Option<Self> {
        let (conversation, seq) = text.split_once('.')?;
        Some(Self(conversation.parse().ok()?, seq.parse().ok()?))
    }
}

impl std::fmt::Display for Cursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{:09}", self.0, self.1)
    }
}

#[derive(Serialize)]
struct History {
    /// Oldest first.
    messages: Vec<Shown>,
    /// What to send as `after` next time. It stops before a message that is still on its way, so some messages
    /// come again: they have the same id.
    next: Option<String>,
    /// Who has the conversation: `bot, queued, in_charge, resolved`.
    state: Option<&'static str>,
}

#[derive(Serialize)]
struct Shown {
    id: MessageId,
    cursor: String,
    author: Author,
    /// An agent's first name.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// The visitor's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<String>,
    text: String,
    /// What the visitor may press instead of writing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    choices: Vec<String>,
    /// RFC 3339.
    at: String,
    status: DeliveryStatus,
}

/// `GET /chat/api/messages?after=`: what the visitor can read, over all their conversations, the latest
/// [`HISTORY`] at most.
pub async fn history(
    State(state): State<ChatState>,
    Extension(chat): Extension<Arc<Chat>>,
    headers: HeaderMap,
    query: Result<Query<After>, QueryRejection>,
) -> Result<impl IntoResponse, Problem> {
    let contact = visitor(&state, &chat, &headers).await?;
    let wrong = || Problem::bad_request("after: must be the 'next' of an earlier answer");
    let Query(After { after }) = query.map_err(|_| wrong())?;
    let after = match after.as_deref() {
        None | Some("") => None,
        Some(text) => Some(Cursor::parse(text).ok_or_else(wrong)?),
    };
    let mut tx = state.store.read().await?;
    let all = tx.messages_of_contact(contact.id, HISTORY).await?;
    let last = match all.iter().max_by_key(|m| Cursor::of(m)) {
        Some(message) => tx.conversation(message.conversation_id).await?,
        None => None,
    };
    let new: Vec<Message> = all.into_iter().filter(|m| after.is_none_or(|a| Cursor::of(m) > a)).collect();
    let next = frontier(&new).or(after).map(|cursor| cursor.to_string());
    let messages = shown(&mut tx, &contact, new).await?;
    Ok(Json(History { messages, next, state: last.map(|c| c.state.as_str()) }))
}

/// Sent is sent: what the log does not call sent is not shown.
fn visible(message: &Message) -> bool {
    message.direction == Direction::Inbound
        || matches!(message.status, DeliveryStatus::Sent | DeliveryStatus::Delivered)
}

/// The last message up to which nothing is missing.
fn frontier(new: &[Message]) -> Option<Cursor> {
    let missing = new.iter().filter(|m| !visible(m)).map(Cursor::of).min();
    new.iter().map(Cursor::of).filter(|cursor| missing.is_none_or(|m| *cursor < m)).max()
}

async fn shown(tx: &mut Tx, contact: &Contact, messages: Vec<Message>) -> Result<Vec<Shown>, StoreError> {
    let prefix = id_prefix(contact);
    let mut names: HashMap<AgentId, Option<String>> = HashMap::new();
    let mut shown = Vec::new();
    for message in messages.into_iter().filter(visible) {
        let name = match message.agent_id.filter(|_| message.author == Author::Agent) {
            None => None,
            Some(id) => match names.get(&id) {
                Some(name) => name.clone(),
                None => {
                    let first =
                        tx.agent(id).await?.and_then(|a| Some(a.name.split_whitespace().next()?.to_owned()));
                    names.insert(id, first.clone());
                    first
                }
            },
        };
        let client_id = message.provider_id.as_deref().and_then(|id| id.strip_prefix(&prefix));
        shown.push(Shown {
            id: message.id,
            cursor: Cursor::of(&message).to_string(),
            author: message.author,
            name,
            client_id: client_id.map(str::to_owned),
            at: message.created_at.to_string(),
            status: message.status,
            text: message.text,
            choices: message.choices,
        });
    }
    Ok(shown)
}
