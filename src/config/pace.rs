use super::{ChannelSettings, Span};
use serde::Deserialize;

/// The keys that every channel may have beside its own: how fast it may be sent to. What is left out is the channel's
/// own choice.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct PaceKeys {
    /// Messages per second, over all contacts.
    pub per_second: Option<f64>,
    /// Sends in progress at once.
    pub concurrent: Option<usize>,
    /// Least time between two messages to one contact.
    pub per_contact: Option<Span>,
}

const KEYS: [&str; 3] = ["per_second", "concurrent", "per_contact"];

impl ChannelSettings {
    /// The keys of the pace, and the channel's own without them. Errors: key, what is wrong, and the cure.
    pub fn split_pace(&self) -> Result<(PaceKeys, ChannelSettings), String> {
        let mut own = self.clone();
        let taken = KEYS.iter().filter_map(|key| own.0.remove_entry(*key));
        let table = toml::Value::Table(taken.collect());
        let keys: PaceKeys = serde_path_to_error::deserialize(table).map_err(|error| {
            let what = error.inner().message().lines().next().unwrap_or_default().to_owned();
            format!("{}: {what}", error.path())
        })?;
        if keys.per_second.is_some_and(|rate| !rate.is_finite() || rate <= 0.0) {
            return Err("per_second: must be more than 0. Cure: what the provider allows, such as 30".into());
        }
        if keys.concurrent == Some(0) {
            return Err("concurrent: must be at least 1".into());
        }
        Ok((keys, own))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keys_of_the_pace_are_not_the_channels_own() {
        let settings = |text: &str| toml::from_str::<ChannelSettings>(text).unwrap();
        let both = settings("secret = \"x\"\nper_second = 5\nper_contact = \"1s\"");
        let (keys, own) = both.split_pace().unwrap();
        let expected =
            PaceKeys { per_second: Some(5.0), concurrent: None, per_contact: Some(Span::seconds(1)) };
        assert_eq!(keys, expected);
        assert_eq!(own.0.keys().collect::<Vec<_>>(), ["secret"]);
        for (text, error) in [
            ("per_second = 0", "per_second: must be more than 0"),
            ("per_second = nan", "per_second: must be more than 0"),
            ("per_second = \"fast\"", "per_second: invalid type"),
            ("concurrent = 0", "concurrent: must be at least 1"),
            ("concurrent = -1", "concurrent: invalid value"),
            ("per_contact = \"soon\"", "per_contact: 'soon' is no duration: write 30s"),
        ] {
            let told = settings(text).split_pace().unwrap_err();
            assert!(told.starts_with(error), "{told}");
        }
    }
}
