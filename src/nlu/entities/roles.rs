//! Whether a station is where one leaves from or goes to, from the words around it.

use super::{Expected, Mention};
use crate::nlu::normalise::{Normalised, Sep};

/// What the words before a station say of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cue {
    From,
    To,
    Via,
    At,
    /// French "à" or English "for"/"to" where only the rest of the message tells.
    Towards,
    /// French "de": where from, unless it only links a noun to a name.
    Of,
    /// "entre A et B".
    Between,
    /// "et", "and", "ou": as the station before.
    And,
}

/// A role for each mention, in order: `from`, `to`, `via`, `at`, or `station` when nothing tells.
pub fn assign(text: &Normalised, stations: &[Mention], expected: Option<&Expected>) -> Vec<&'static str> {
    if let [only] = stations
        && let Some(role) = expected.and_then(|slot| lone_role(text, only, slot))
    {
        return vec![role];
    }
    let cues: Vec<Option<Cue>> = (0..stations.len()).map(|at| cue(text, stations, at)).collect();
    let mut roles: Vec<Option<&'static str>> = Vec::with_capacity(cues.len());
    for (at, cue) in cues.iter().enumerate() {
        let previous = at.checked_sub(1).and_then(|before| roles[before]);
        let adjacent = at > 0 && touches(text, &stations[at - 1], &stations[at]);
        roles.push(match cue {
            Some(Cue::From | Cue::Between) => Some("from"),
            Some(Cue::To) => Some("to"),
            Some(Cue::Via) => Some("via"),
            Some(Cue::At) => Some("at"),
            // "de Rennes à Brest": a way has begun, this is where it goes.
            Some(Cue::Towards) if previous == Some("from") => Some("to"),
            Some(Cue::Towards) => Some("at"),
            Some(Cue::Of) => Some("from"),
            Some(Cue::And) if cues.get(at.wrapping_sub(1)) == Some(&Some(Cue::Between)) => Some("to"),
            Some(Cue::And) => previous,
            None if adjacent && matches!(previous, Some("from") | None) => Some("to"),
            None => None,
        });
        // "Rennes-Brest" or "Rennes Brest": the pair is a way, whatever stood before the first.
        if adjacent && cue.is_none() {
            let tied = is_pair(text, &stations[at]);
            let linked = matches!(cues[at - 1], Some(Cue::Of | Cue::Towards));
            let first = &mut roles[at - 1];
            if first.is_none() || (tied && (*first == Some("at") || (*first == Some("to") && linked))) {
                *first = Some("from");
                roles[at] = Some("to");
            }
        }
    }
    complete(&mut roles);
    roles.into_iter().map(|role| role.unwrap_or("station")).collect()
}

/// One role known, one open: the open one is the other end of the way.
fn complete(roles: &mut [Option<&'static str>]) {
    let has = |roles: &[Option<&str>], role| roles.contains(&Some(role));
    let open: Vec<usize> = (0..roles.len()).filter(|&at| roles[at].is_none()).collect();
    let start = roles.iter().position(|role| *role == Some("at"));
    match (start, &open[..]) {
        // "je suis à Vitré, un train pour Rennes ?": where one is, is where one leaves from.
        (Some(at), _) if has(roles, "to") && !has(roles, "from") => roles[at] = Some("from"),
        _ => {}
    }
    match open[..] {
        [at] if has(roles, "to") && !has(roles, "from") => roles[at] = Some("from"),
        [at] if has(roles, "from") && !has(roles, "to") => roles[at] = Some("to"),
        [first, second] if roles.len() == 2 => {
            roles[first] = Some("from");
            roles[second] = Some("to");
        }
        _ => {}
    }
}

/// The asked role, when the message is little more than the station and no word of it says otherwise.
fn lone_role(text: &Normalised, only: &Mention, slot: &Expected) -> Option<&'static str> {
    let role = ["from", "to", "via", "at"].into_iter().find(|role| *role == slot.role)?;
    let extra = text.tokens.len().saturating_sub(only.tokens.len());
    if slot.kind != "station" || extra > 5 {
        return None;
    }
    let says = cue(text, std::slice::from_ref(only), 0);
    let contrary = match says {
        Some(Cue::From) => role == "to",
        Some(Cue::To) => role == "from",
        Some(Cue::Via) => role != "via",
        _ => false,
    };
    (!contrary).then_some(role)
}

fn touches(text: &Normalised, first: &Mention, second: &Mention) -> bool {
    first.tokens.end == second.tokens.start
        && text.tokens.get(second.tokens.start).is_some_and(|token| token.before != Sep::Stop)
}

/// Tied by a hyphen, an arrow or a slash.
fn is_pair(text: &Normalised, second: &Mention) -> bool {
    let before = text.tokens.get(second.tokens.start).map(|token| token.before);
    matches!(before, Some(Sep::Hyphen | Sep::Dash | Sep::Arrow | Sep::Slash))
}

/// Looks back from a station over articles and "la gare de" to the word that tells its role.
fn cue(text: &Normalised, stations: &[Mention], which: usize) -> Option<Cue> {
    let floor = which.checked_sub(1).map_or(0, |before| stations[before].tokens.end);
    let start = stations.get(which)?.tokens.start;
    if text.tokens.get(start).is_some_and(|token| token.before == Sep::Arrow) {
        return Some(Cue::To);
    }
    let mut at = start;
    let mut of = false;
    let mut place = false;
    for _ in 0..6 {
        if at <= floor || text.tokens.get(at).is_some_and(|token| token.before == Sep::Stop) {
            break;
        }
        at -= 1;
        let word = text.word(at);
        let before = at.checked_sub(1).filter(|&b| b >= floor).map_or("", |b| text.word(b));
        match word {
            "la" | "le" | "les" | "l" | "the" | "sncf" | "station" | "stations" | "gare" | "gares"
            | "ville" | "tgv" | "ter" | "train" | "central" | "stop" => {
                place |= matches!(word, "gare" | "station" | "gares");
                if matches!(word, "train" | "tgv" | "ter") {
                    break;
                }
            }
            "de" | "d" | "du" | "of" => {
                // "partir de", "loin de", "près de"; "gare de" is walked over.
                match before {
                    "gare" | "gares" | "station" => continue,
                    "destination" | "direction" | "dir" => return Some(Cue::To),
                    "pres" | "cote" | "niveau" | "hauteur" | "quais" | "quai" | "hall" | "guichet"
                    | "parking" | "entree" | "sortie" | "ville" | "agence" | "bout" => return Some(Cue::At),
                    "ligne" | "line" | "cause" | "mairie" | "sud" | "nord" | "banlieue" => {
                        return Some(Cue::At);
                    }
                    _ => {}
                }
                of = true;
                break;
            }
            _ => {
                return word_cue(word, before, place).or_else(|| followed_by_station(text, &stations[which]));
            }
        }
    }
    if of {
        return Some(Cue::Of);
    }
    if place { Some(Cue::At) } else { followed_by_station(text, &stations[which]) }
}

/// "Marseille station".
fn followed_by_station(text: &Normalised, mention: &Mention) -> Option<Cue> {
    (text.word(mention.tokens.end) == "station").then_some(Cue::At)
}

fn word_cue(word: &str, before: &str, place: bool) -> Option<Cue> {
    match word {
        "from" | "depuis" | "dpuis" | "depui" | "departing" | "leaving" | "quitte" | "quitter" | "leave"
        | "dep" | "depart" | "frm" | "quittant" | "departs" | "leaves" | "aus" => Some(Cue::From),
        "pour" | "vers" | "pr" | "direction" | "dir" | "jusqu" | "jusque" | "towards" | "toward" | "into"
        | "destination" | "ver" | "reach" | "reaching" | "rejoindre" | "arrivee" | "until" | "till"
        | "onto" | "bound" | "rejoins" | "reaches" | "visit" | "por" | "rallier" | "jusq" | "jusqua" => {
            Some(Cue::To)
        }
        "2" if before.is_empty() => None,
        "to" | "2" | "for" => Some(Cue::To),
        "via" | "par" | "through" | "thru" => Some(Cue::Via),
        "at" | "in" | "near" | "outside" | "around" | "dans" | "chez" | "sur" | "inside" | "en"
        | "within" | "@" => Some(match before {
            "changing" | "change" | "arriving" | "arrives" | "arrive" | "get" | "gets" | "getting" => {
                if before.starts_with("ch") {
                    Cue::Via
                } else {
                    Cue::To
                }
            }
            _ => Cue::At,
        }),
        "a" | "au" | "aux" | "ai" => Some(match before {
            "aller" | "alle" | "vais" | "va" | "allons" | "allez" | "vont" | "rendre" | "rends" | "jusqu"
            | "jusque" | "arriver" | "arrive" | "arrivee" | "arrives" | "arriv" | "monter" | "monte"
            | "descendre" | "rentrer" | "rentre" | "retourner" | "retourne" | "billet" | "emmener"
            | "direct" | "arrivera" | "vai" | "allant" | "arriverai" | "arrivent" | "venir" | "aler"
            | "retour" | "irai" => Cue::To,
            "changement" | "changer" | "correspondance" | "escale" | "change" | "passe" | "passant"
            | "transit" => Cue::Via,
            _ if place => Cue::At,
            _ => Cue::Towards,
        }),
        "entre" | "between" | "btw" => Some(Cue::Between),
        "et" | "and" | "ou" | "or" | "puis" => Some(Cue::And),
        "va" | "vais" | "go" | "aller" | "visiter" | "4" => Some(Cue::To),
        _ if place => Some(Cue::At),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::stations::{CommonWords, Gazetteer};
    use super::*;
    use crate::model::StationRef;

    fn roles(message: &str, expected: Option<(&str, &str)>) -> Vec<(&'static str, String)> {
        let stations = ["Rennes", "Brest", "Vitré", "Laval", "Le Mans", "Nantes"];
        let stations =
            stations.iter().map(|name| StationRef { id: name.to_string(), name: name.to_string() });
        let gazetteer = Gazetteer::new(stations.collect(), &[], &[]);
        let text = Normalised::new(message);
        let found = gazetteer.find(&text, &CommonWords::default(), &[], expected.is_some());
        let expected = expected.map(|(kind, role)| Expected { kind: kind.into(), role: role.into() });
        let surface = |m: &Mention| message[text.original_span(m.tokens.clone())].to_owned();
        assign(&text, &found, expected.as_ref()).into_iter().zip(found.iter().map(surface)).collect()
    }

    #[test]
    fn reads_roles_from_the_words_around() {
        let cases: &[(&str, &[(&str, &str)])] = &[
            ("prochain train pour Rennes", &[("to", "Rennes")]),
            ("a kel h le tr1 Vitré Rennes", &[("from", "Vitré"), ("to", "Rennes")]),
            ("de Rennes à Brest via Laval", &[("from", "Rennes"), ("to", "Brest"), ("via", "Laval")]),
            ("Rennes-Brest en retard", &[("from", "Rennes"), ("to", "Brest")]),
            ("Rennes → Brest", &[("from", "Rennes"), ("to", "Brest")]),
            ("to Brest from Rennes", &[("to", "Brest"), ("from", "Rennes")]),
            ("je suis à Rennes", &[("at", "Rennes")]),
            ("perdu à la gare de Rennes", &[("at", "Rennes")]),
            ("au départ de la gare de Rennes", &[("from", "Rennes")]),
            ("stuck in Laval", &[("at", "Laval")]),
            ("entre Laval et Rennes", &[("from", "Laval"), ("to", "Rennes")]),
            ("je veux aller à Nantes", &[("to", "Nantes")]),
            ("direction Le Mans", &[("to", "Le Mans")]),
        ];
        for (message, expected) in cases {
            let expected: Vec<_> = expected.iter().map(|(role, text)| (*role, text.to_string())).collect();
            assert_eq!(roles(message, None), expected, "{message}");
        }
    }

    #[test]
    fn a_lone_station_takes_the_asked_role() {
        assert_eq!(roles("Rennes", Some(("station", "from")))[0].0, "from");
        assert_eq!(roles("à Rennes svp", Some(("station", "to")))[0].0, "to");
        assert_eq!(roles("pour Rennes", Some(("station", "from")))[0].0, "to");
        assert_eq!(roles("Rennes", Some(("time", "when")))[0].0, "station");
    }
}
