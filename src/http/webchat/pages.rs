//! The demo page and the widget's script, made from `console/webchat/`. A language is a file there and a line here.

use super::{Chat, ChatState};
use crate::config::Config;
use crate::http::problem::Problem;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router};
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use std::sync::Arc;

const LANGUAGES: [(&str, &str); 2] = [
    ("fr", include_str!("../../../console/webchat/fr.toml")),
    ("en", include_str!("../../../console/webchat/en.toml")),
];
const PAGE: &str = include_str!("../../../console/webchat/page.html");
const PAGE_CSS: &str = include_str!("../../../console/webchat/page.css");
const WIDGET: &str = include_str!("../../../console/webchat/widget.js");
const WIDGET_VIEW: &str = include_str!("../../../console/webchat/widget-view.js");
const WIDGET_CSS: &str = include_str!("../../../console/webchat/widget.css");

/// No script or style but our files; nobody shows the page inside another.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const JAVASCRIPT: HeaderValue = HeaderValue::from_static("text/javascript; charset=utf-8");
const CSS: HeaderValue = HeaderValue::from_static("text/css; charset=utf-8");
const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");

/// `/widget.js` and the page's style, the same for every channel.
pub fn assets<S: Clone + Send + Sync + 'static>(config: &Config) -> Router<S> {
    let widget = Arc::new(Asset::new(widget(config), JAVASCRIPT));
    let style = Arc::new(Asset::new(squeeze(PAGE_CSS), CSS));
    let serve = |asset: Arc<Asset>| get(async move |headers: HeaderMap| asset.answer(&headers));
    Router::new().route("/widget.js", serve(widget)).route("/chat.css", serve(style))
}

/// Sites load it on every page: kept for five minutes, then asked for by its digest.
struct Asset {
    body: String,
    kind: HeaderValue,
    etag: String,
}

impl Asset {
    fn new(body: String, kind: HeaderValue) -> Self {
        let digest: String =
            Sha256::digest(&body).iter().take(12).map(|byte| format!("{byte:02x}")).collect();
        Self { body, kind, etag: format!("\"{digest}\"") }
    }

    fn answer(&self, headers: &HeaderMap) -> Response {
        let known = headers
            .get(header::IF_NONE_MATCH)
            .and_then(|value| value.to_str().ok())
            // A proxy that compresses makes a tag weak.
            .is_some_and(|tags| tags.split(',').any(|tag| tag.trim().trim_start_matches("W/") == self.etag));
        let headers = [
            (header::CONTENT_TYPE, self.kind.clone()),
            (
                header::CACHE_CONTROL,
                HeaderValue::from_static("public, max-age=300, stale-while-revalidate=86400"),
            ),
            (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
            // For sites that isolate themselves (COEP).
            (
                HeaderName::from_static("cross-origin-resource-policy"),
                HeaderValue::from_static("cross-origin"),
            ),
        ];
        let etag = [(header::ETAG, self.etag.as_str())];
        if known {
            (StatusCode::NOT_MODIFIED, headers, etag).into_response()
        } else {
            (headers, etag, self.body.clone()).into_response()
        }
    }
}

fn widget(config: &Config) -> String {
    let texts: serde_json::Map<_, _> =
        LANGUAGES.iter().map(|(code, text)| ((*code).to_owned(), section(text, "widget"))).collect();
    let settings =
        json!({ "operator": config.operator.name, "lang": default_language(config), "texts": texts });
    squeeze(&WIDGET.replacen("__VIEW__;", WIDGET_VIEW, 1))
        .replacen("__CONFIG__", &settings.to_string(), 1)
        .replacen("__CSS__", &json!(squeeze(WIDGET_CSS)).to_string(), 1)
}

/// A table of a language file. The files are ours and a test parses them.
fn section(text: &str, name: &str) -> serde_json::Value {
    let table: toml::Table = toml::from_str(text).unwrap_or_default();
    json!(table.get(name))
}

/// Without indentation, empty lines and whole-line comments: a third less to load.
fn squeeze(source: &str) -> String {
    let kept = source.lines().map(str::trim).filter(|line| {
        !(line.is_empty() || line.starts_with("//") || line.starts_with("/*") && line.ends_with("*/"))
    });
    kept.flat_map(|line| [line, "\n"]).collect()
}

fn default_language(config: &Config) -> &'static str {
    let wanted = config.operator.lang;
    LANGUAGES.iter().map(|(code, _)| *code).find(|code| *code == wanted.as_str()).unwrap_or("en")
}

/// `?lang=`, else what the browser prefers, else the operator's.
fn language(query: Option<&str>, headers: &HeaderMap, config: &Config) -> &'static str {
    let known = |code: &str| {
        LANGUAGES
            .iter()
            .map(|(known, _)| *known)
            .find(|known| code.get(..2).is_some_and(|c| c.eq_ignore_ascii_case(known)))
    };
    let asked = query.into_iter().flat_map(|query| form_urlencoded::parse(query.as_bytes()));
    if let Some(code) = asked.filter(|(key, _)| key == "lang").find_map(|(_, value)| known(&value)) {
        return code;
    }
    let accepted =
        headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut preferred: Option<(f32, &'static str)> = None;
    for range in accepted.split(',') {
        let (code, weight) = range.split_once(';').unwrap_or((range, ""));
        let weight = weight.trim().strip_prefix("q=").map_or(1.0, |q| q.parse().unwrap_or(0.0));
        if let Some(code) = known(code.trim())
            && weight > preferred.map_or(0.0, |(best, _)| best)
        {
            preferred = Some((weight, code));
        }
    }
    preferred.map_or_else(|| default_language(config), |(_, code)| code)
}

/// `GET /chat`.
pub async fn page(
    State(state): State<ChatState>,
    Extension(chat): Extension<Arc<Chat>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<impl IntoResponse, Problem> {
    let lang = language(query.as_deref(), &headers, &state.config);
    let html = render(&state.config, &chat.channel, lang).map_err(|error| {
        tracing::error!(%error, "the chat page cannot be made");
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "an error of ours; it was logged")
    })?;
    let headers = [
        (header::CONTENT_TYPE, HTML),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::REFERRER_POLICY, HeaderValue::from_static("same-origin")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        (header::VARY, HeaderValue::from_static("accept-language")),
    ];
    Ok((headers, html))
}

fn render(config: &Config, channel: &str, lang: &str) -> Result<String, minijinja::Error> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(minijinja::UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    let texts = LANGUAGES.iter().find(|(code, _)| *code == lang).map_or("", |(_, text)| *text);
    let languages: Vec<_> = LANGUAGES
        .iter()
        .map(|(code, text)| json!({ "code": code, "name": section(text, "page")["language"] }))
        .collect();
    let option = if channel == "webchat" { String::new() } else { format!(" data-channel=\"{channel}\"") };
    let public_url = &config.server.public_url;
    environment.render_str(
        PAGE,
        Serde(json!({
            "lang": lang,
            "channel": channel,
            "languages": languages,
            "operator": config.operator.name,
            "help_url": config.operator.help_url,
            "t": section(texts, "page"),
            "snippet": format!("<script src=\"{public_url}/widget.js\"{option} async></script>"),
        })),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(text: &str) -> Vec<String> {
        let table: toml::Table = toml::from_str(text).unwrap();
        let section = |name: &str| {
            let table = table[name].as_table().unwrap().clone();
            table.into_iter().map(move |(key, value)| (key, value.type_str()))
        };
        section("page").chain(section("widget")).map(|(key, kind)| format!("{key} {kind}")).collect()
    }

    #[test]
    fn every_language_says_the_same_things() {
        for (code, text) in LANGUAGES {
            assert_eq!(keys(text), keys(LANGUAGES[0].1), "{code}");
        }
    }

    #[test]
    fn the_language_of_the_page() {
        let table = [
            (None, "", "fr"),
            (None, "en-GB,en;q=0.9,fr;q=0.8", "en"),
            (None, "de, fr;q=0.3, en;q=0.7", "en"),
            (None, "de", "fr"),
            (None, "en;q=0", "fr"),
            (None, "en;q=x, é, ,;", "fr"),
            (Some("lang=en"), "fr", "en"),
            (Some("a=b&lang=FR"), "en", "fr"),
            (Some("lang=%ff&lang="), "en", "en"),
        ];
        for (query, accepted, expected) in table {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_LANGUAGE, HeaderValue::from_str(accepted).unwrap());
            assert_eq!(language(query, &headers, &Config::default()), expected, "{query:?} {accepted}");
        }
    }

    #[test]
    fn the_page_escapes_names_and_has_no_script_of_its_own() {
        let mut config = Config::default();
        config.operator.name = "<b>Rail & Co</b>".into();
        for (code, _) in LANGUAGES {
            let html = render(&config, "webchat", code).unwrap();
            assert!(html.contains("&lt;b&gt;Rail &amp; Co&lt;") && !html.contains("<b>"), "{html}");
            assert!(!html.contains("<style") && !html.contains(" style=") && !html.contains("<script>"));
            assert!(!html.contains("{operator}"));
        }
    }

    #[test]
    fn the_widget_is_filled_in_and_small() {
        let widget = widget(&Config::default());
        for place in ["__CONFIG__", "__CSS__", "__VIEW__"] {
            assert!(!widget.contains(place), "{place}");
        }
        assert!(!widget.contains("innerHTML"));
        assert!(widget.len() < 32 * 1024, "{} bytes", widget.len());
        assert!(WIDGET.contains(&format!("const LONGEST = {};", super::super::api::MAX_CHARS)));
    }
}
