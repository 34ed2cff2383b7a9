//! The report as one HTML page, self-contained and without script.

use super::{Curves, LearningPoint, Metrics};
use minijinja::{Environment, Error, UndefinedBehavior, Value, context, value::Serde};

/// Side of a plot's inner square, in SVG units.
const SIDE: f64 = 200.0;

/// The page. `title` says what was measured on what.
///
/// # Errors
/// The template is broken, which a test rules out.
pub fn report(
    title: &str,
    metrics: &Metrics,
    curves: &Curves,
    learning: &[LearningPoint],
) -> Result<String, Error> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.add_template("report.html", include_str!("report.html"))?;
    environment.add_filter("percent", |share: f64| format!("{:.1} %", share * 100.0));
    let most = curves.bins.iter().map(|bin| bin.right + bin.wrong).max().unwrap_or(1).max(1);
    let histogram: Vec<_> = curves
        .bins
        .iter()
        .enumerate()
        .map(|(at, bin)| {
            let height = |count: usize| SIDE * count as f64 / most as f64;
            let (right, wrong) = (height(bin.right), height(bin.wrong));
            context! { x => at as f64 * SIDE / 10.0, right, wrong, n => bin.right + bin.wrong, n_wrong => bin.wrong }
        })
        .collect();
    let filled = curves.bins.iter().filter(|bin| bin.right + bin.wrong > 0);
    let reliability: Vec<(f64, f64)> = filled
        .map(|bin| (bin.mean_confidence * 100.0, 100.0 * bin.right as f64 / (bin.right + bin.wrong) as f64))
        .collect();
    let sizes = || learning.iter().map(|point| point.examples.max(1) as f64);
    let (least, most) = (sizes().fold(f64::INFINITY, f64::min), sizes().fold(1.0, f64::max));
    let learned = |lang: &str| -> Vec<(f64, f64)> {
        let x = |examples: usize| 100.0 * (examples as f64 / least).ln() / (most / least).ln().max(1e-9);
        let accuracy = |point: &LearningPoint| point.metrics.by_lang.get(lang).map(|share| share.accuracy);
        learning.iter().filter_map(|point| Some((x(point.examples), accuracy(point)? * 100.0))).collect()
    };
    let page = context! {
        title, histogram,
        metrics => Value::from(Serde(metrics)),
        curves => Value::from(Serde(curves)),
        reliability => line(&reliability),
        risk_coverage => line(&curves.risk_coverage),
        rejection => line(&curves.rejection),
        learning => learning.iter().map(|point| {
            context! { examples => point.examples, metrics => Value::from(Serde(&point.metrics)) }
        }).collect::<Vec<_>>(),
        learned_fr => line(&learned("fr")),
        learned_en => line(&learned("en")),
        side => SIDE,
        rows => rows(curves),
    };
    environment.get_template("report.html")?.render(page)
}

/// Points in percent as the coordinates of an SVG polyline, y upwards.
fn line(points: &[(f64, f64)]) -> String {
    let at = |(x, y): &(f64, f64)| format!("{:.1},{:.1}", x * SIDE / 100.0, SIDE - y * SIDE / 100.0);
    points.iter().map(at).collect::<Vec<_>>().join(" ")
}

/// The confusion matrix by row, each cell with its share of the row.
fn rows(curves: &Curves) -> Vec<Value> {
    let cell = |row: &[usize], at: usize| {
        let sum: usize = row.iter().sum();
        context! { n => row[at], share => row[at] as f64 / sum.max(1) as f64 }
    };
    let row = |(at, row): (usize, &Vec<usize>)| {
        let cells: Vec<_> = (0..row.len()).map(|column| cell(row, column)).collect();
        context! { name => curves.intents[at].clone(), at, cells }
    };
    curves.confusion.iter().enumerate().map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{IntentScore, Lang, Tone, Understanding};
    use crate::nlu::evaluate::Judged;

    fn judged(text: &str, expected: &str, got: &str, confidence: f32) -> Judged {
        let line = serde_json::json!({"text": text, "lang": "fr", "intent": expected});
        Judged {
            case: serde_json::from_value(line).unwrap(),
            got: Understanding {
                lang: Lang::FR,
                intents: vec![IntentScore { intent: got.into(), confidence }],
                entities: Vec::new(),
                questions: Vec::new(),
                tone: Tone::Neutral,
                model: "ngram".into(),
            },
            micros: 1,
        }
    }

    #[test]
    fn draws_everything_and_escapes_what_customers_wrote() {
        let all = [
            judged("<script>alert(1)</script>", "a.x", "b.y", 0.9),
            judged("ok", "a.x", "a.x", 0.8),
            judged("météo", "out_of_scope", "out_of_scope", 0.7),
        ];
        let metrics = Metrics::of(&all);
        let curves = Curves::of(&all);
        let learning = [10, 20].map(|examples| LearningPoint { examples, metrics: metrics.clone() });
        let page = report("test", &metrics, &curves, &learning).unwrap();
        assert!(page.contains("&lt;script&gt;alert(1)"));
        assert!(!page.contains("<script"));
        assert_eq!(curves.confusion, [[1, 1, 0], [0, 0, 0], [0, 0, 1]]);
        assert_eq!(curves.worst.len(), 1);
        for part in ["Confusion", "Reliability", "Risk", "Learning", "polyline"] {
            assert!(page.contains(part), "{part}");
        }
        report("empty", &Metrics::of(&[]), &Curves::of(&[]), &[]).unwrap();
    }
}
