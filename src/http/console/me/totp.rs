//! The authenticator of a person: offered, proved with a code, taken away.

use super::super::super::auth::session::{self, Place};
use super::super::super::auth::sign_in::with_cookie;
use super::super::super::auth::throttle::Throttle;
use super::super::super::auth::{SignedForm, SignedIn};
use super::super::super::pages::Ui;
use super::super::super::problem::Problem;
use super::{PATH, Said, gone, proved, show};
use crate::desk::totp;
use crate::http::AppState;
use crate::store::{Account, Tx};
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::post;
use axum::{Extension, Router};
use qrcode::{Color, QrCode};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::fmt::Write as _;
use std::sync::Arc;

pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/console/me/totp/begin", post(begin))
        .route("/console/me/totp/confirm", post(confirm))
        .route("/console/me/totp/codes", post(new_codes))
        .route("/console/me/totp/remove", post(remove))
}

/// A secret that waits for its first code.
#[derive(Serialize)]
pub struct Offer {
    /// In groups of four, to be typed.
    secret: String,
    link: String,
    /// The QR code as an SVG path of unit squares, and its width.
    path: String,
    width: usize,
}

pub fn offer(state: &AppState, account: &Account, secret: &str) -> Offer {
    let link = totp::otpauth(&state.config.operator.name, &account.person.agent.login, secret);
    let (path, width) = qr(&link).unwrap_or_default();
    let letters: Vec<char> = secret.chars().collect();
    let groups: Vec<String> = letters.chunks(4).map(|four| four.iter().collect()).collect();
    Offer { secret: groups.join(" "), link, path, width }
}

/// With the quiet zone of four squares that ISO/IEC 18004 asks for.
fn qr(text: &str) -> Option<(String, usize)> {
    const QUIET: usize = 4;
    let code = QrCode::new(text).ok()?;
    let width = code.width();
    let mut path = String::new();
    for (at, _) in code.to_colors().iter().enumerate().filter(|(_, colour)| **colour == Color::Dark) {
        let (x, y) = (at % width + QUIET, at / width + QUIET);
        write!(path, "M{x} {y}h1v1h-1z").ok()?;
    }
    Some((path, width + 2 * QUIET))
}

#[derive(Deserialize)]
struct Proof {
    password: String,
}

async fn begin(
    State(state): State<AppState>,
    Extension(throttle): Extension<Arc<Throttle>>,
    ui: Ui,
    place: Place,
    SignedForm(signed, Proof { password }): SignedForm<Proof>,
) -> Result<Response, Problem> {
    let account = match proved(&state, &throttle, &signed, &place, &password).await? {
        Ok(account) => account,
        Err(why) => return show(&state, ui, &signed, Said::error(why)).await,
    };
    if account.totp_secret.is_some() {
        return show(&state, ui, &signed, Said::error("totp_known")).await;
    }
    let agent = &signed.agent;
    let now = state.clock.now();
    let mut tx = state.store.begin().await?;
    tx.offer_totp(agent.id, Some(&totp::new_secret())).await?;
    tx.audit(now, Some(agent.id), "totp.begun", &agent.login, &json!({})).await?;
    tx.commit().await?;
    Ok(Redirect::to(PATH).into_response())
}

#[derive(Deserialize)]
struct Code {
    code: String,
}

/// The first code proves that the authenticator has the secret. Other sessions end, for they were opened without
/// it, and this one goes on under a new token.
async fn confirm(
    State(state): State<AppState>,
    ui: Ui,
    place: Place,
    SignedForm(signed, Code { code }): SignedForm<Code>,
) -> Result<Response, Problem> {
    let now = state.clock.now();
    let agent = &signed.agent;
    let mut tx = state.store.begin().await?;
    let account = tx.account(agent.id).await?.ok_or_else(gone)?;
    let step = account.totp_pending.as_deref().and_then(|secret| totp::verify(secret, &code, now));
    let enrolled = match step {
        Some(step) if account.totp_secret.is_none() => tx.enrol_totp(agent.id, step).await?,
        _ => false,
    };
    if !enrolled {
        drop(tx);
        return show(&state, ui, &signed, Said::error("wrong_code")).await;
    }
    let codes = give_codes(&mut tx, agent.id).await?;
    tx.end_other_sessions(agent.id, &signed.token_hash).await?;
    let token = session::renew(&state, &mut tx, now, &signed, &place).await?;
    tx.audit(now, Some(agent.id), "totp.enrolled", &agent.login, &json!({})).await?;
    tx.commit().await?;
    show_codes(&state, ui, &signed, &token, codes).await
}

async fn give_codes(tx: &mut Tx, id: crate::model::AgentId) -> Result<Vec<String>, crate::store::StoreError> {
    let codes = totp::recovery_codes();
    let hashes: Vec<String> = codes.iter().map(|code| totp::recovery_digest(code)).collect();
    tx.set_recovery_codes(id, &hashes).await?;
    Ok(codes)
}

/// The page as the new session sees it, with its cookie.
async fn show_codes(
    state: &AppState,
    ui: Ui,
    signed: &SignedIn,
    token: &str,
    codes: Vec<String>,
) -> Result<Response, Problem> {
    let hash = crate::desk::token::digest(token);
    let session = state.store.read().await?.session(&hash, state.clock.now()).await?.ok_or_else(gone)?;
    let (csrf, has_totp) = (session.csrf, session.has_totp);
    let renewed = SignedIn { csrf, has_totp, token_hash: hash, ..signed.clone() };
    let page = show(state, ui, &renewed, Said { codes, ..Said::default() }).await?;
    Ok(with_cookie(page, session::set_session(state, token)))
}

/// Other recovery codes; those from before are worth nothing then.
async fn new_codes(
    State(state): State<AppState>,
    Extension(throttle): Extension<Arc<Throttle>>,
    ui: Ui,
    place: Place,
    SignedForm(signed, Proof { password }): SignedForm<Proof>,
) -> Result<Response, Problem> {
    let account = match proved(&state, &throttle, &signed, &place, &password).await? {
        Ok(account) if account.totp_secret.is_some() => account,
        Ok(_) => return show(&state, ui, &signed, Said::error("no_totp")).await,
        Err(why) => return show(&state, ui, &signed, Said::error(why)).await,
    };
    let agent = &account.person.agent;
    let mut tx = state.store.begin().await?;
    let codes = give_codes(&mut tx, agent.id).await?;
    let now = state.clock.now();
    tx.audit(now, Some(agent.id), "totp.codes_made", &agent.login, &json!({})).await?;
    tx.commit().await?;
    show(&state, ui, &signed, Said { codes, ..Said::default() }).await
}

/// Also ends an offer that was not confirmed.
async fn remove(
    State(state): State<AppState>,
    Extension(throttle): Extension<Arc<Throttle>>,
    ui: Ui,
    place: Place,
    SignedForm(signed, Proof { password }): SignedForm<Proof>,
) -> Result<Response, Problem> {
    let account = match proved(&state, &throttle, &signed, &place, &password).await? {
        Ok(account) => account,
        Err(why) => return show(&state, ui, &signed, Said::error(why)).await,
    };
    let required = &state.config.desk.sign_in.require_totp;
    if account.totp_secret.is_some() && required.contains(&signed.agent.role) && !signed.by_provider {
        return show(&state, ui, &signed, Said::error("totp_required")).await;
    }
    let agent = &signed.agent;
    let now = state.clock.now();
    let mut tx = state.store.begin().await?;
    tx.remove_totp(agent.id).await?;
    let token = session::renew(&state, &mut tx, now, &signed, &place).await?;
    tx.audit(now, Some(agent.id), "totp.removed", &agent.login, &json!({})).await?;
    tx.commit().await?;
    Ok((session::set_session(&state, &token), Redirect::to(PATH)).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_qr_code_is_a_path_with_a_quiet_zone() {
        let (path, width) = qr("otpauth://totp/Guichet:camille?secret=ABC").unwrap();
        // A finder square begins at the first module; none lies in the quiet zone.
        assert!(path.starts_with("M4 4h1v1h-1z"));
        assert!(width >= 21 + 8);
        assert!(!path.contains("M3 ") && !path.contains(" 3h"));
        assert!(qr(&"x".repeat(5000)).is_none());
    }
}
