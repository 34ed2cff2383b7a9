use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use url::Url;

/// What RFC 3986, 2.3 calls unreserved stays as it is, in a path as in a query.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// Stands for every value when the address is checked.
const EXAMPLE: &str = "x";

/// An http(s) address with `{names}` in its path or query. Who writes the template chooses the host; values never do.
#[derive(Debug, Clone, PartialEq)]
pub struct UrlTemplate {
    /// Literal text, each with the name that follows it.
    parts: Vec<(String, Option<String>)>,
    /// File and line on which it is written, for complaints.
    pub place: (String, usize),
}

impl UrlTemplate {
    /// # Errors
    /// What is wrong and the cure.
    pub fn parse(text: &str, place: (String, usize)) -> Result<Self, (String, String)> {
        let refuse = |what: &str, cure: &str| Err((what.to_owned(), cure.to_owned()));
        let Some(parts) = split(text) else {
            return refuse(
                "a brace of 'url' stands alone",
                "write {name} around each name, of a-z, 0-9 and _",
            );
        };
        let template = Self { parts, place };
        let Some(after) = text.split_once("://").map(|(_, after)| after) else {
            return refuse("'url' is no address", "write one such as https://ops.example.com/answers");
        };
        if after.split(['/', '?', '#']).next().unwrap_or_default().contains('{') {
            return refuse("a value would choose the host of 'url'", "write the host out");
        }
        let example = template.text(|_| EXAMPLE.to_owned());
        let Some(url) = Url::parse(&example).ok().filter(|url| matches!(url.scheme(), "http" | "https"))
        else {
            return refuse(
                "'url' is no http(s) address",
                "write one such as https://ops.example.com/answers",
            );
        };
        if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
            let cure = "leave user, password and # out: requests are signed instead";
            return refuse("'url' holds what would not be sent as written", cure);
        }
        if as_written(&url, &example).is_none() {
            return refuse("'url' would be sent otherwise than written", "leave out spaces, accents and ..");
        }
        Ok(template)
    }

    /// The names in braces, as often as they stand there.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|(_, name)| name.as_deref())
    }

    /// With an example for each value: its scheme, host and port are those of every address made of it.
    pub fn example(&self) -> Option<Url> {
        Url::parse(&self.text(|_| EXAMPLE.to_owned())).ok()
    }

    /// Each value percent-encoded. `None`: a value would change the path, such as `..`.
    pub fn fill(&self, value: impl Fn(&str) -> String) -> Option<Url> {
        let text = self.text(|name| utf8_percent_encode(&value(name), ENCODED).to_string());
        let url = Url::parse(&text).ok()?;
        as_written(&url, &text)?;
        Some(url)
    }

    fn text(&self, value: impl Fn(&str) -> String) -> String {
        let part = |(literal, name): &(String, Option<String>)| {
            let value = name.as_deref().map(&value).unwrap_or_default();
            format!("{literal}{value}")
        };
        self.parts.iter().map(part).collect()
    }
}

/// Nothing of the path and query was changed by reading them: no `..` resolved, nothing encoded.
fn as_written(url: &Url, text: &str) -> Option<()> {
    let (_, after) = text.split_once("://")?;
    let start = after.find(['/', '?']).unwrap_or(after.len());
    let (path, query) = after[start..].split_once('?').map_or((&after[start..], None), |(p, q)| (p, Some(q)));
    let path = if path.is_empty() { "/" } else { path };
    (url.path() == path && url.query() == query).then_some(())
}

fn split(text: &str) -> Option<Vec<(String, Option<String>)>> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((literal, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}')?;
        let good = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
        if literal.contains('}') || name.is_empty() || !name.bytes().all(good) {
            return None;
        }
        parts.push((literal.to_owned(), Some(name.to_owned())));
        rest = after;
    }
    parts.push((rest.to_owned(), None));
    (!rest.contains('}')).then_some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<UrlTemplate, (String, String)> {
        UrlTemplate::parse(text, ("intents/a.yaml".into(), 1))
    }

    #[test]
    fn values_are_encoded_and_choose_nothing_else() {
        let template = parse("https://ops.example.com/a/{intent}?train={train}&lang={lang}").unwrap();
        assert_eq!(template.names().collect::<Vec<_>>(), ["intent", "train", "lang"]);
        let fill = |train: &'static str| {
            template.fill(|name| if name == "train" { train } else { name }.to_owned()).unwrap().to_string()
        };
        for (train, sent) in [
            ("8745", "8745"),
            ("", ""),
            ("a b+c", "a%20b%2Bc"),
            ("1&lang=en#x", "1%26lang%3Den%23x"),
            ("Saint-Étienne/..", "Saint-%C3%89tienne%2F.."),
            ("\r\nHost: evil", "%0D%0AHost%3A%20evil"),
            ("100%41", "100%2541"),
        ] {
            assert_eq!(
                fill(train),
                format!("https://ops.example.com/a/intent?train={sent}&lang=lang"),
                "{train:?}"
            );
        }
        let path = parse("https://ops.example.com/a/{train}/b").unwrap();
        let fill = |train: &'static str| path.fill(|_| train.to_owned()).map(|url| url.path().to_owned());
        assert_eq!(fill("../admin").as_deref(), Some("/a/..%2Fadmin/b"));
        assert_eq!(fill(".."), None);
        assert_eq!(fill("."), None);
        assert_eq!(fill("...").as_deref(), Some("/a/.../b"));
    }

    #[test]
    fn what_is_no_template() {
        for (text, what) in [
            ("ops.example.com/answers", "'url' is no address"),
            ("ftp://ops.example.com/", "'url' is no http(s) address"),
            ("https://", "'url' is no http(s) address"),
            ("https://{train}.example.com/", "a value would choose the host"),
            ("https://ops.example.com{train}/", "a value would choose the host"),
            ("https://ops.example.com:{train}/", "a value would choose the host"),
            ("https://ops.example.com/{train", "a brace of 'url' stands alone"),
            ("https://ops.example.com/train}", "a brace of 'url' stands alone"),
            ("https://ops.example.com/{}", "a brace of 'url' stands alone"),
            ("https://ops.example.com/{a{b}}", "a brace of 'url' stands alone"),
            ("https://me:hunter2@ops.example.com/", "'url' holds what would not be sent"),
            ("https://ops.example.com/#{train}", "'url' holds what would not be sent"),
            ("https://ops.example.com/a/../b", "'url' would be sent otherwise"),
            ("https://ops.example.com/départ", "'url' would be sent otherwise"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.0.starts_with(what), "{text}: {error:?}");
        }
        assert!(parse("http://127.0.0.1:8080").is_ok());
        assert!(parse("https://ops.example.com?intent={intent}").is_ok());
    }
}
