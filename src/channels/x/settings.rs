//! The keys of a channel of X.

use super::MAX_POST;
use super::oauth::Signer;
use crate::channels::{as_written, check_url, settings};
use crate::config::{ChannelSettings, Secret};
use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Of the account, in digits.
    #[serde(deserialize_with = "as_written")]
    pub user_id: String,
    /// The app's secret ("consumer secret"): it signs what comes in.
    pub api_secret: Secret,
    /// The app's key, and the account's token: OAuth 1.0a, which does not end by itself.
    #[serde(default)]
    pub api_key: Secret,
    #[serde(default)]
    pub access_token: Secret,
    #[serde(default)]
    pub access_token_secret: Secret,
    /// In place of the three: the account's token of OAuth 2.0. X ends such tokens after two hours; whoever sets it renews it.
    #[serde(default)]
    pub oauth2_token: Secret,
    /// Accounts that pay may publish longer posts.
    #[serde(default = "default_max_post")]
    pub max_post: usize,
    /// Where those who post in public are invited to write; left out: a message to the account.
    pub private_url: Option<String>,
    #[serde(default = "default_api_url")]
    pub api_url: String,
}

fn default_max_post() -> usize {
    MAX_POST
}

fn default_api_url() -> String {
    "https://api.x.com".into()
}

/// Errors: the key, what is wrong, and the cure.
pub fn read(keys: &ChannelSettings) -> Result<Settings, String> {
    let settings: Settings = settings(keys)?;
    if settings.user_id.is_empty() || !settings.user_id.bytes().all(|b| b.is_ascii_digit()) {
        return Err(
            "user_id: must be digits. Cure: the account's id, which its access token begins with".into()
        );
    }
    if settings.api_secret.is_empty() {
        return Err("api_secret: is empty. Cure: copy the app's \"API key secret\" from X's console".into());
    }
    if settings.max_post < MAX_POST {
        return Err(format!("max_post: must be at least {MAX_POST}. Cure: leave it out"));
    }
    check_url("api_url", &settings.api_url)?;
    Ok(settings)
}

/// Errors: the key and its cure.
pub fn signer(settings: &Settings) -> Result<Signer, String> {
    let three = [
        ("api_key", &settings.api_key),
        ("access_token", &settings.access_token),
        ("access_token_secret", &settings.access_token_secret),
    ];
    if !settings.oauth2_token.is_empty() {
        return match three.iter().find(|(_, secret)| !secret.is_empty()) {
            Some((key, _)) => Err(format!("{key}: oauth2_token is set too. Cure: leave one of them out")),
            None => Ok(Signer::Bearer(settings.oauth2_token.clone())),
        };
    }
    if let Some((key, _)) = three.iter().find(|(_, secret)| secret.is_empty()) {
        return Err(format!(
            "{key}: is empty. Cure: copy it from the app's page \"Keys and tokens\", or set oauth2_token"
        ));
    }
    Ok(Signer::OAuth1 {
        key: settings.api_key.clone(),
        secret: settings.api_secret.clone(),
        token: settings.access_token.clone(),
        token_secret: settings.access_token_secret.clone(),
    })
}
