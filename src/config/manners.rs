use super::Span;
use serde::Deserialize;
use std::time::Duration;

/// What keeps two machines from talking to each other for ever, and one contact from taking all of our time.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MannersConfig {
    /// So many replies of the bot to one contact within `window`; then people take over. 0: no limit.
    pub replies_per_window: u32,
    pub window: Span,
    /// So many messages of one contact per minute are answered one by one; what comes beyond is read as one, later.
    /// 0: no limit.
    pub messages_per_minute: u32,
    /// Whether what seems to be spam waits for a person to look at it.
    pub quarantine: bool,
}

impl Default for MannersConfig {
    fn default() -> Self {
        Self {
            replies_per_window: 20,
            window: Span::seconds(10 * 60),
            messages_per_minute: 20,
            quarantine: true,
        }
    }
}

impl MannersConfig {
    pub(super) fn problems(&self) -> Vec<(&'static str, String)> {
        let window = Duration::from(self.window);
        let fits = window >= Duration::from_secs(60) && window <= Duration::from_secs(24 * 3_600);
        let found = (!fits).then(|| ("manners.window", "must be between 1m and 24h".to_owned()));
        found.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_a_minute_at_least() {
        for (window, wrong) in [(59, true), (60, false), (86_400, false), (86_401, true)] {
            let config = MannersConfig { window: Span::seconds(window), ..MannersConfig::default() };
            assert_eq!(!config.problems().is_empty(), wrong, "{window}");
        }
    }
}
