//! `responses/compensation.yaml`: from which delay on what share of the price is due, per brand, and where it is claimed.

use crate::answers::responses::{ResponseError, ResponseErrors};
use serde::Deserialize;
use serde_saphyr::Spanned;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

/// The file's name in the folder of responses.
pub(crate) const FILE: &str = "compensation.yaml";
/// Largest file, in bytes.
const LARGEST: u64 = 1 << 18;

/// What is due, for every brand. Empty: nothing can be said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rules {
    default: Option<Scale>,
    /// By the brand in lower case.
    brands: BTreeMap<String, Scale>,
}

/// What one brand owes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scale {
    /// Where to claim; none: the operator's `help_url`.
    pub claim: Option<String>,
    /// By rising delay.
    pub late: Vec<Step>,
    /// Share of the price, in percent, when the train was cancelled; none: the rules do not say.
    pub cancelled: Option<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// Minutes late at the arrival.
    pub from: u64,
    /// Share of the price, in percent.
    pub percent: u32,
}

impl Scale {
    /// The share due for that delay; none: too short.
    pub fn due(&self, minutes_late: u64) -> Option<u32> {
        self.late.iter().rev().find(|step| step.from <= minutes_late).map(|step| step.percent)
    }
}

impl Rules {
    pub fn of(&self, brand: Option<&str>) -> Option<&Scale> {
        let own = brand.and_then(|brand| self.brands.get(&brand.to_lowercase()));
        own.or(self.default.as_ref())
    }

    /// Reads the file in the folder of responses; without one there are no rules. Errors: each mistake with its line.
    pub fn load(folder: &Path) -> Result<Self, ResponseErrors> {
        let path = folder.join(FILE);
        let mut reader = Reader { file: path.display().to_string(), errors: Vec::new() };
        let text = match std::fs::metadata(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Self::default()),
            Ok(data) if data.len() > LARGEST => {
                Err(format!("the file has {} bytes, more than {LARGEST}", data.len()))
            }
            _ => std::fs::read_to_string(&path).map_err(|error| error.to_string()),
        };
        let rules = match text {
            Ok(text) => reader.read(&text),
            Err(what) => {
                reader.complain(0, what, "write a YAML file in UTF-8");
                Self::default()
            }
        };
        if reader.errors.is_empty() { Ok(rules) } else { Err(ResponseErrors(reader.errors)) }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFile {
    #[serde(default)]
    default: Option<RawScale>,
    #[serde(default)]
    brands: BTreeMap<String, RawScale>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawScale {
    claim: Option<Spanned<String>>,
    late: Spanned<Vec<RawStep>>,
    cancelled: Option<Spanned<u32>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawStep {
    from: Spanned<u64>,
    percent: Spanned<u32>,
}

struct Reader {
    file: String,
    errors: Vec<ResponseError>,
}

impl Reader {
    fn complain(&mut self, line: u64, what: String, cure: &str) {
        let line = usize::try_from(line).unwrap_or(0);
        self.errors.push(ResponseError { file: self.file.clone(), line, what, cure: cure.to_owned() });
    }

    fn read(&mut self, text: &str) -> Rules {
        let raw: RawFile = match serde_saphyr::from_str(text) {
            Ok(raw) => raw,
            Err(error) => {
                let line = error.location().map_or(0, |at| at.line());
                let what = error.without_snippet().to_string();
                self.complain(
                    line,
                    what,
                    "write `default:` or a brand under `brands:`, with `late:` below it",
                );
                return Rules::default();
            }
        };
        let default = raw.default.map(|scale| self.scale(scale));
        let brands =
            raw.brands.into_iter().map(|(brand, scale)| (brand.to_lowercase(), self.scale(scale))).collect();
        Rules { default, brands }
    }

    fn scale(&mut self, raw: RawScale) -> Scale {
        let line = raw.late.defined.line();
        if raw.late.value.is_empty() {
            self.complain(line, "'late' is empty".into(), "write - { from: minutes, percent: share }");
        }
        let mut late: Vec<Step> = Vec::new();
        for step in raw.late.value {
            if late.last().is_some_and(|last| last.from >= step.from.value) || step.from.value == 0 {
                let what = format!("'from: {}' does not rise", step.from.value);
                self.complain(
                    step.from.defined.line(),
                    what,
                    "list the delays from the shortest on, from 1 minute",
                );
            }
            late.push(Step { from: step.from.value, percent: self.percent(&step.percent) });
        }
        let claim = raw.claim.map(|claim| {
            let good =
                url::Url::parse(&claim.value).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
            if !good {
                let what = format!("'{}' is no web address", claim.value);
                self.complain(claim.defined.line(), what, "write https://…, or leave `claim` out");
            }
            claim.value
        });
        Scale { claim, late, cancelled: raw.cancelled.map(|share| self.percent(&share)) }
    }

    fn percent(&mut self, share: &Spanned<u32>) -> u32 {
        if !(1..=100).contains(&share.value) {
            let what = format!("{} is no share in percent", share.value);
            self.complain(share.defined.line(), what, "write a whole number from 1 to 100");
        }
        share.value
    }
}

/// The rules in service. Cloning shares them.
#[derive(Debug, Clone, Default)]
pub struct RulesHandle(Arc<RwLock<Arc<Rules>>>);

impl RulesHandle {
    pub fn replace(&self, rules: Rules) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(rules);
    }

    pub fn get(&self) -> Arc<Rules> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str) -> Result<Rules, Vec<String>> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(FILE), text).unwrap();
        let errors = |errors: ResponseErrors| {
            errors.0.iter().map(|e| format!("{}: {}; {}", e.line, e.what, e.cure)).collect()
        };
        Rules::load(folder.path()).map_err(errors)
    }

    #[test]
    fn a_brand_has_its_own_scale_and_the_others_the_default() {
        let text = "default:\n  late:\n    - { from: 60, percent: 25 }\n    - { from: 120, percent: 50 }\n\
                    brands:\n  Alizé:\n    claim: https://alize.invalid/g30\n    cancelled: 100\n    late:\n      \
                    - { from: 30, percent: 25 }\n";
        let rules = load(text).unwrap();
        let own = rules.of(Some("ALIZÉ")).unwrap();
        assert_eq!(
            (own.due(29), own.due(30), own.due(400), own.cancelled),
            (None, Some(25), Some(25), Some(100))
        );
        assert_eq!(own.claim.as_deref(), Some("https://alize.invalid/g30"));
        let other = rules.of(Some("Navette")).unwrap();
        assert_eq!((other.due(59), other.due(119), other.due(120)), (None, Some(25), Some(50)));
        assert_eq!(rules.of(None), rules.of(Some("Navette")));
        assert_eq!(load("brands: {}\n").unwrap().of(Some("Alizé")), None);
        assert_eq!(Rules::load(Path::new("/nowhere")).unwrap(), Rules::default());
    }

    #[test]
    fn mistakes_are_told_with_their_lines() {
        let text = "default:\n  claim: ici\n  cancelled: 120\n  late:\n    - { from: 60, percent: 25 }\n    \
                    - { from: 60, percent: 0 }\nbrands:\n  A:\n    late: []\n";
        let errors = load(text).unwrap_err();
        for expected in [
            "2: 'ici' is no web address; write https://",
            "3: 120 is no share in percent; write",
            "6: 'from: 60' does not rise; list",
            "6: 0 is no share in percent",
            "9: 'late' is empty",
        ] {
            assert!(errors.iter().any(|error| error.starts_with(expected)), "{expected}: {errors:#?}");
        }
        assert_eq!(errors.len(), 5, "{errors:#?}");
        assert!(load("default:\n  late: []\n  bonus: 3\n").unwrap_err()[0].starts_with("3: "));
        assert!(load("default: [").is_err());
    }

    #[test]
    fn the_shipped_rules_are_good() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("responses");
        let rules = Rules::load(&folder).unwrap_or_else(|errors| panic!("{errors}"));
        assert!(rules.of(None).is_some());
    }
}
