use serde::Deserialize;

/// The JSON interface for programs.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ApiConfig {
    /// Requests of one access token per minute, on each server. 0: no limit.
    pub requests_per_minute: u32,
}

impl Default for ApiConfig {
    fn default() -> Self {
        Self { requests_per_minute: 600 }
    }
}
