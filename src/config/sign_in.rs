use crate::model::Role;
use serde::Deserialize;

/// What people must prove to enter the console.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SignInConfig {
    /// Roles that may do nothing before they have a second step.
    pub require_totp: Vec<Role>,
}
