//! Who asks, and what is theirs: presence, sessions, tokens, views. Passwords, authenticators and new tokens are made on the
//! console only: a token that got into wrong hands must not be able to make itself another.

use super::extract::Body;
use crate::desk::{hand, saved_views, sessions, tokens};
use crate::http::AppState;
use crate::http::auth::SignedIn;
use crate::http::console::queue::reading::Filters;
use crate::http::problem::Problem;
use crate::model::{ConversationId, Presence, Role, SessionId};
use crate::store::{Mention, SavedView};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{delete, get, put};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Notes of one answer, the latest ones.
const MENTIONS: i64 = 200;

pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/api/me", get(me))
        .route("/api/me/presence", put(presence))
        .route("/api/me/sessions", get(my_sessions).delete(end_others))
        .route("/api/me/sessions/{session}", delete(end_session))
        .route("/api/me/tokens", get(my_tokens))
        .route("/api/me/tokens/{id}", delete(revoke))
        .route("/api/me/mentions", get(mentions))
        .route("/api/views", get(views).post(save_view))
        .route("/api/views/{id}", delete(delete_view))
}

#[derive(Serialize)]
struct Me {
    id: String,
    login: String,
    name: String,
    role: Role,
    presence: Presence,
    /// The token that asks; null: a session does.
    token: Option<Uuid>,
    read_only: bool,
}

async fn me(State(state): State<AppState>, signed: SignedIn) -> Result<Json<Me>, Problem> {
    let presence = state.store.read().await?.presence(signed.agent.id).await?;
    Ok(Json(Me {
        id: signed.agent.id.to_string(),
        token: signed.token.map(|token| token.id),
        read_only: signed.token.is_some_and(|token| token.read_only),
        login: signed.agent.login,
        name: signed.agent.name,
        role: signed.agent.role,
        presence,
    }))
}

#[derive(Serialize)]
struct Mentions {
    items: Vec<Called>,
}

#[derive(Serialize)]
struct Called {
    note: Uuid,
    conversation: ConversationId,
    at: String,
    /// The name of who wrote it.
    by: String,
    text: String,
}

/// Unread notes that call who asks.
async fn mentions(State(state): State<AppState>, signed: SignedIn) -> Result<Json<Mentions>, Problem> {
    let found = state.store.read().await?.mentions(signed.agent.id, MENTIONS).await?;
    let items = found.into_iter().map(|Mention { note, by, .. }| {
        let (at, conversation) = (note.created_at.to_string(), note.conversation);
        Called { note: note.id, conversation, at, by, text: note.text }
    });
    Ok(Json(Mentions { items: items.collect() }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct There {
    presence: Presence,
}

async fn presence(
    State(state): State<AppState>,
    signed: SignedIn,
    Body(There { presence }): Body<There>,
) -> Result<StatusCode, Problem> {
    hand::set_presence(&state.store, state.clock.now(), &signed.agent, presence).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Serialize)]
struct Items<T> {
    items: Vec<T>,
}

#[derive(Serialize)]
struct Session {
    id: String,
    browser: String,
    address: String,
    since: String,
    seen_at: String,
    /// The session that asks.
    here: bool,
}

async fn my_sessions(
    State(state): State<AppState>,
    signed: SignedIn,
) -> Result<Json<Items<Session>>, Problem> {
    let open = state.store.read().await?.sessions_of(signed.agent.id, state.clock.now()).await?;
    let items = open.into_iter().map(|open| Session {
        id: open.id.to_string(),
        here: open.token_hash == signed.token_hash,
        browser: open.browser,
        address: open.address,
        since: open.created_at.to_string(),
        seen_at: open.last_seen_at.to_string(),
    });
    Ok(Json(Items { items: items.collect() }))
}

async fn end_session(
    State(state): State<AppState>,
    signed: SignedIn,
    Path(id): Path<SessionId>,
) -> Result<StatusCode, Problem> {
    if !sessions::end(&state.store, state.clock.now(), &signed.agent, id).await? {
        return Err(Problem::not_found("there is no such session"));
    }
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Serialize)]
struct Ended {
    ended: u64,
}

/// All but the session that asks; with a token, all of them.
async fn end_others(State(state): State<AppState>, signed: SignedIn) -> Result<Json<Ended>, Problem> {
    let (store, now) = (&state.store, state.clock.now());
    let ended = sessions::end_others(store, now, &signed.agent, &signed.token_hash).await?;
    Ok(Json(Ended { ended }))
}

#[derive(Serialize)]
struct Token {
    id: Uuid,
    name: String,
    read_only: bool,
    created_at: String,
    /// To the minute.
    last_used_at: Option<String>,
    expires_at: Option<String>,
}

async fn my_tokens(State(state): State<AppState>, signed: SignedIn) -> Result<Json<Items<Token>>, Problem> {
    let tokens = state.store.read().await?.tokens_of(signed.agent.id).await?;
    let items = tokens.into_iter().map(|token| Token {
        id: token.id,
        name: token.name,
        read_only: token.read_only,
        created_at: token.created_at.to_string(),
        last_used_at: token.last_used_at.map(|at| at.to_string()),
        expires_at: token.expires_at.map(|at| at.to_string()),
    });
    Ok(Json(Items { items: items.collect() }))
}

async fn revoke(
    State(state): State<AppState>,
    signed: SignedIn,
    Path(id): Path<Uuid>,
) -> Result<StatusCode, Problem> {
    if !tokens::revoke(&state.store, state.clock.now(), &signed.agent, id).await? {
        return Err(Problem::not_found("there is no such token"));
    }
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Serialize)]
struct View {
    id: Uuid,
    name: String,
    /// For everyone.
    shared: bool,
    filters: Filters,
}

fn shown(view: SavedView) -> View {
    let filters = Filters::of(&view.query);
    View { id: view.id, name: view.name, shared: view.agent.is_none(), filters }
}

async fn views(State(state): State<AppState>, signed: SignedIn) -> Result<Json<Items<View>>, Problem> {
    let views = state.store.read().await?.views_of(signed.agent.id).await?;
    Ok(Json(Items { items: views.into_iter().map(shown).collect() }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewView {
    name: String,
    filters: Filters,
    #[serde(default)]
    shared: bool,
}

async fn save_view(
    State(state): State<AppState>,
    signed: SignedIn,
    Body(NewView { name, filters, shared }): Body<NewView>,
) -> Result<(StatusCode, Json<View>), Problem> {
    let query = Filters::of(&filters.query()).query();
    let (store, now) = (&state.store, state.clock.now());
    let view = saved_views::save(store, now, &signed.agent, &name, query, shared).await?;
    Ok((StatusCode::CREATED, Json(shown(view))))
}

async fn delete_view(
    State(state): State<AppState>,
    signed: SignedIn,
    Path(id): Path<Uuid>,
) -> Result<StatusCode, Problem> {
    if !saved_views::delete(&state.store, &signed.agent, id).await? {
        return Err(Problem::not_found("there is no such view"));
    }
    Ok(StatusCode::NO_CONTENT)
}
