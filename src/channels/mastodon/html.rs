//! Statuses are HTML; customers are read in plain text.
//!
//! The markup is cut into its tokens as browsers do (the WHATWG's tokenizer, by `html5gum`); no tag, no attribute and no
//! script of it is ever shown. What Mastodon writes: paragraphs, line breaks, links whose beginning and end are hidden, lists
//! and quotations ("HTML sanitization" of its documentation).

use html5gum::{Token, Tokenizer};

/// Statuses beyond this are cut: no customer writes so much, and other servers may.
const MAX_BYTES: usize = 64 * 1024;

/// The words of a status.
pub fn text(html: &str) -> String {
    let end = (0..=html.len().min(MAX_BYTES)).rev().find(|at| html.is_char_boundary(*at)).unwrap_or(0);
    let mut text = String::new();
    // Within these nothing is to be read.
    let mut hidden: usize = 0;
    for Ok(token) in Tokenizer::new(&html[..end]) {
        match token {
            Token::String(words) if hidden == 0 => text.push_str(&String::from_utf8_lossy(&words)),
            Token::StartTag(tag) => match tag.name.as_slice() {
                b"script" | b"style" if !tag.self_closing => hidden += 1,
                b"br" => text.push('\n'),
                b"p" | b"blockquote" | b"pre" => end_line(&mut text, 2),
                b"ul" | b"ol" => end_line(&mut text, 1),
                b"li" => {
                    end_line(&mut text, 1);
                    text.push_str("- ");
                }
                _ => {}
            },
            Token::EndTag(tag) => match tag.name.as_slice() {
                b"script" | b"style" => hidden = hidden.saturating_sub(1),
                b"p" | b"blockquote" | b"pre" => end_line(&mut text, 2),
                b"li" | b"ul" | b"ol" => end_line(&mut text, 1),
                _ => {}
            },
            _ => {}
        }
    }
    text.trim().to_owned()
}

/// Line ends at the end of the text: at least so many, unless it is empty.
fn end_line(text: &mut String, ends: usize) {
    text.truncate(text.trim_end_matches(' ').len());
    if text.is_empty() {
        return;
    }
    let there = text.len() - text.trim_end_matches('\n').len();
    text.extend(std::iter::repeat_n('\n', ends.saturating_sub(there)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read_and_markup_is_not() {
        let mention = r#"<span class="h-card" translate="no"><a href="https://m.example/@trains" class="u-url mention">@<span>trains</span></a></span>"#;
        let link = r#"<a href="https://ter.example/bretagne/tres/long" rel="nofollow"><span class="invisible">https://</span><span class="ellipsis">ter.example/bretagne</span><span class="invisible">/tres/long</span></a>"#;
        let cases: &[(&str, &str)] = &[
            (
                &format!("<p>{mention} le 8745 est-il à l&#39;heure&nbsp;?</p>"),
                "@trains le 8745 est-il à l'heure\u{a0}?",
            ),
            (&format!("<p>Voir {link}</p>"), "Voir https://ter.example/bretagne/tres/long"),
            ("<p>un<br>deux<br/>trois</p><p>quatre</p>", "un\ndeux\ntrois\n\nquatre"),
            ("<p>a &lt;b&gt; &amp;amp; c</p>", "a <b> &amp; c"),
            ("<p>liste</p><ul><li>un</li><li>deux</li></ul>", "liste\n\n- un\n- deux"),
            ("<script>alert(1)</script>bonjour<style>p{}</style>", "bonjour"),
            ("<img src=x onerror=alert(1)>vu", "vu"),
            ("<p>pas fini <b", "pas fini"),
            ("<p>a</p   ><!-- rien --><p\n>b", "a\n\nb"),
            ("", ""),
            ("sans balise", "sans balise"),
            ("&#x1F686; &#0; &unknown;", "🚆 \u{fffd} &unknown;"),
        ];
        for (html, expected) in cases {
            assert_eq!(text(html), *expected, "{html}");
        }
    }

    #[test]
    fn what_is_endless_is_cut_between_characters() {
        let long = "é".repeat(MAX_BYTES);
        assert_eq!(text(&long).len(), MAX_BYTES);
        assert!(text(&"<p>".repeat(100_000)).len() <= 1, "a tag that was cut is no text");
        assert!(text(&"<".repeat(100_000)).len() <= MAX_BYTES);
    }
}
