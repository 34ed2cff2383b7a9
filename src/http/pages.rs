//! What every console page shares: templates, the two languages, headers, errors that people can read.

use super::AppState;
use super::problem::Problem;
use crate::model::Lang;
use axum::extract::{FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Response};
use minijinja::{Environment, UndefinedBehavior, Value, value::Serde};
use std::convert::Infallible;
use std::sync::LazyLock;

/// Our script sets this header: it wants a status and a problem, not a page.
pub const BY_SCRIPT: &str = "x-guichet";

macro_rules! templates {
    ($($name:literal),+ $(,)?) => {
        fn template(name: &str) -> Option<&'static str> {
            match name {
                $($name => Some(include_str!(concat!("../../console/desk/", $name))),)+
                _ => None,
            }
        }
        #[cfg(test)]
        const TEMPLATES: &[&str] = &[$($name),+];
    };
}
templates!(
    "base.html",
    "frame.html",
    "login.html",
    "code.html",
    "invitation.html",
    "people.html",
    "me.html",
    "audit.html",
    "error.html",
    "degraded.html",
    "queue.html",
    "queue_part.html",
    "conversation.html",
    "conversation_part.html",
    "composer_drafts.html",
    "composer_canned.html",
    "composer_count.html",
    "conversation_tools.html",
    "conversation_more.html",
    "conversation_receivers.html",
    "writing_part.html",
    "corrections.html",
    "reports.html",
    "handover.html",
    "handover.txt",
    "news.html",
    "teams.html",
    "trace.html",
    "tokens.html",
    "hooks.html",
    "api_docs.html",
);

static ENVIRONMENT: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_loader(|name| Ok(template(name).map(str::to_owned)));
    environment.add_filter("fill", |text: String, with: Value| text.replace("{}", &with.to_string()));
    environment
});

static FRENCH: LazyLock<Value> = LazyLock::new(|| texts(include_str!("../../console/desk/fr.toml")));
static ENGLISH: LazyLock<Value> = LazyLock::new(|| texts(include_str!("../../console/desk/en.toml")));

/// A file that does not parse leaves every text undefined, which no template accepts; a test holds both files.
fn texts(file: &str) -> Value {
    toml::from_str::<toml::Table>(file).map_or(Value::UNDEFINED, |table| Value::from(Serde(table)))
}

/// In which language the person reads the console: their choice (cookie `lang`), else the browser's, else the
/// operator's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ui(pub Lang);

impl FromRequestParts<AppState> for Ui {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Infallible> {
        Ok(Self::of(&parts.headers, state.config.operator.lang))
    }
}

impl Ui {
    fn of(headers: &HeaderMap, otherwise: Lang) -> Self {
        let known = |code: &str| match code {
            "fr" => Some(Lang::FR),
            "en" => Some(Lang::EN),
            _ => None,
        };
        let chosen = cookie(headers, "lang").and_then(known);
        // Browsers list languages best first.
        let accepted = || {
            let list = headers.get(header::ACCEPT_LANGUAGE)?.to_str().ok()?;
            list.split(',').find_map(|item| known(item.trim().get(..2)?))
        };
        let fallback = if otherwise == Lang::FR { Lang::FR } else { Lang::EN };
        Self(chosen.or_else(accepted).unwrap_or(fallback))
    }

    fn texts(self) -> Value {
        if self.0 == Lang::FR { FRENCH.clone() } else { ENGLISH.clone() }
    }

    /// One text by its dotted key; the key itself when there is none.
    pub fn text(self, key: &str) -> String {
        let found = key.split('.').try_fold(self.texts(), |value, part| value.get_attr(part).ok());
        found.and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_else(|| key.to_owned())
    }
}

/// The value of a cookie.
pub fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .find_map(|pair| pair.trim().strip_prefix(name)?.strip_prefix('='))
}

/// A page or a part of one. `t` are the texts, `lang` the language.
pub fn render(ui: Ui, name: &str, context: Value) -> Result<Response, Problem> {
    let context = minijinja::context! { t => ui.texts(), lang => ui.0.as_str(), ..context };
    let page = ENVIRONMENT.get_template(name).and_then(|template| template.render(context));
    page.map(|html| Html(html).into_response()).map_err(|error| {
        tracing::error!(template = name, error = %format!("{error:#}"), "a page cannot be shown");
        let detail = "the page cannot be shown; the server's log says why";
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "template", detail)
    })
}

/// A page as plain text.
pub fn render_text(ui: Ui, name: &str, context: Value) -> Result<String, Problem> {
    let context = minijinja::context! { t => ui.texts(), lang => ui.0.as_str(), ..context };
    let text = ENVIRONMENT.get_template(name).and_then(|template| template.render(context));
    text.map_err(|error| {
        tracing::error!(template = name, error = %format!("{error:#}"), "a text cannot be written");
        let detail = "the text cannot be written; the server's log says why";
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "template", detail)
    })
}

/// No script or style but ours from our own files, nobody frames us, nothing is kept in caches.
const HEADERS: [(HeaderName, &str); 5] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
         form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    // Not no-referrer: browsers would then send `Origin: null` with our own forms.
    (header::REFERRER_POLICY, "same-origin"),
    (header::CACHE_CONTROL, "no-store"),
];

/// Last touch on every console response: security headers; refusals of the framework, which repeat the request,
/// become problems; a problem becomes a page for people.
pub async fn finish(request: Request, next: Next) -> Response {
    let asked = request.headers().clone();
    let mut response = next.run(request).await;
    if has_type(&response, "text/plain") && response.status().is_client_error() {
        let status = response.status();
        let detail = "the request cannot be read: check its address, its fields and its size";
        response = Problem::new(status, "malformed", detail).into_response();
    }
    if has_type(&response, "application/problem+json") && wants_page(&asked) {
        let status = response.status();
        let context = minijinja::context! { status => status.as_u16() };
        if let Ok(page) = render(Ui::of(&asked, Lang::FR), "error.html", context) {
            let retry = response.headers_mut().remove(header::RETRY_AFTER);
            response = (status, page).into_response();
            if let Some(retry) = retry {
                response.headers_mut().insert(header::RETRY_AFTER, retry);
            }
        }
    }
    for (name, value) in HEADERS {
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

fn has_type(response: &Response, kind: &str) -> bool {
    let stated = response.headers().get(header::CONTENT_TYPE);
    stated.and_then(|v| v.to_str().ok()).is_some_and(|v| v.starts_with(kind))
}

fn wants_page(asked: &HeaderMap) -> bool {
    let accept = asked.get(header::ACCEPT).and_then(|v| v.to_str().ok());
    accept.is_some_and(|accept| accept.contains("text/html")) && !asked.contains_key(BY_SCRIPT)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(prefix: &str, table: &toml::Table, found: &mut Vec<String>) {
        for (key, value) in table {
            match value {
                toml::Value::Table(inner) => keys(&format!("{prefix}{key}."), inner, found),
                value => {
                    let holes = value.as_str().unwrap().matches("{}").count();
                    found.push(format!("{prefix}{key} {holes}"));
                }
            }
        }
    }

    #[test]
    fn both_languages_say_the_same_things() {
        let all = |text: &str| {
            let mut found = Vec::new();
            keys("", &text.parse().unwrap(), &mut found);
            found.sort();
            found
        };
        let french = all(include_str!("../../console/desk/fr.toml"));
        assert_eq!(french, all(include_str!("../../console/desk/en.toml")));
        assert!(french.len() > 50);
    }

    #[test]
    fn every_name_of_an_enum_has_its_word() {
        use crate::channels::Forbidden;
        use crate::desk::DeskError;
        use crate::insights::clocks::Clock;
        use crate::model::{ConversationState, DeliveryStatus, EscalationReason, Priority, Role, Tone};
        fn names<T: std::fmt::Display>(section: &str, all: &[T]) -> Vec<String> {
            all.iter().map(|name| format!("{section}.{name}")).collect()
        }
        let forbidden = [Forbidden::TooLate { hours: 24 }, Forbidden::TooLong { bytes: 1_000 }];
        let errors = [DeskError::NotFound, DeskError::NotInCharge, DeskError::Empty, DeskError::KeyReused];
        let errors = errors.into_iter().chain(forbidden.map(DeskError::Forbidden)).collect::<Vec<_>>();
        let expected = [
            names("state", ConversationState::ALL),
            names("status", DeliveryStatus::ALL),
            names("reason", EscalationReason::ALL),
            names("priority", Priority::ALL),
            names("role", Role::ALL),
            names("tone", Tone::ALL),
            names("clock", Clock::ALL),
            names("clock_about", Clock::ALL),
            errors.iter().map(|e| format!("errors.{}", e.code())).collect(),
        ];
        for key in expected.concat() {
            assert_ne!(Ui(Lang::FR).text(&key), key);
            assert_ne!(Ui(Lang::EN).text(&key), key);
        }
    }

    #[test]
    fn every_template_parses_and_no_markup_carries_script_or_style() {
        for name in TEMPLATES {
            ENVIRONMENT.get_template(name).unwrap();
            let source = template(name).unwrap();
            for forbidden in ["<style", " style=", "onclick", "onsubmit", "javascript:", "|safe", "| safe"] {
                assert!(!source.contains(forbidden), "{name}: {forbidden}");
            }
        }
    }

    #[test]
    fn the_language_is_chosen_accepted_or_the_operators() {
        let ui = |cookie: &str, accept: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::COOKIE, cookie.parse().unwrap());
            headers.insert(header::ACCEPT_LANGUAGE, accept.parse().unwrap());
            Ui::of(&headers, Lang::FR).0
        };
        assert_eq!(ui("a=b; lang=en", "fr"), Lang::EN);
        assert_eq!(ui("lang=xx", "de-DE,en-GB;q=0.9,fr;q=0.8"), Lang::EN);
        assert_eq!(ui("", "é, d"), Lang::FR);
        assert_eq!(Ui::of(&HeaderMap::new(), Lang::EN).0, Lang::EN);
    }
}
