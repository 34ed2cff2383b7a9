//! What `serve --demo` prepares and prints: things to open and a line to try.

use crate::desk::password;
use crate::http::AppState;
use crate::model::{Agent, AgentId, Role};
use crate::store::AgentWithHash;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use std::net::SocketAddr;

const LOGIN: &str = "demo";

/// A console login with a new password, a chat session with a new token, and how to use them.
pub async fn prepare(state: &AppState, address: SocketAddr) -> anyhow::Result<String> {
    let secret = || URL_SAFE_NO_PAD.encode(rand::random::<[u8; 9]>());
    let chosen = secret();
    let hashing = chosen.clone();
    let hash = tokio::task::spawn_blocking(move || password::hash(&hashing))
        .await?
        .map_err(|why| anyhow::anyhow!("the demo password: {why}"))?;
    let token = URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>());
    let digest: String = Sha256::digest(&token).iter().map(|b| format!("{b:02x}")).collect();

    let now = state.clock.now();
    let mut tx = state.store.begin().await?;
    if !tx.set_password(LOGIN, &hash).await? {
        let agent = Agent { id: AgentId::new(), login: LOGIN.into(), name: "Demo".into(), role: Role::Admin };
        tx.insert_agent(&AgentWithHash { agent, password_hash: hash }, now).await?;
    }
    tx.contact("webchat", &digest, now).await?;
    tx.commit().await?;
    Ok(page(&format!("http://{address}"), &chosen, &token))
}

fn page(url: &str, password: &str, token: &str) -> String {
    let message = r#"{\"client_id\":\"$(cat /proc/sys/kernel/random/uuid)\",\"text\":\"slt, a kel h le prochain train Vitré Rennes ?\"}"#;
    format!(
        r#"
  Guichet is ready. All trains here are invented: this is the demo railway.

  Chat as a customer   {url}/chat
  Console for agents   {url}/console      login {LOGIN}   password {password}
  Health               {url}/health

  Try:
    prochain train de Paris Montparnasse pour Rennes
    next train from Lyon to Marseille
    je veux parler à un conseiller          (then answer it from the console)

  Or from a terminal:
    curl -sS {url}/chat/api/messages -H 'Authorization: Bearer {token}' \
      -H 'Content-Type: application/json' -d "{message}"
    sleep 1; curl -sS {url}/chat/api/messages -H 'Authorization: Bearer {token}'

  Ctrl-C stops it.
"#
    )
}
