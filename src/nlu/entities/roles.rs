//! Whether a station is where one leaves from or goes to, from the words around it.

mod cue;
#[rustfmt::skip] // Lists of words read better in lines than in columns.
mod lists;
#[cfg(test)]
mod tests;

use super::{Expected, Mention};
use crate::nlu::normalise::{Normalised, Sep};
use cue::{Cue, cue, negated};

/// A role for each mention, in order: `from`, `to`, `via`, or `at`, which is also that of a station of which the
/// words only say that the message is about it. `station`: another kind of answer was asked for.
pub fn assign(text: &Normalised, stations: &[Mention], expected: Option<&Expected>) -> Vec<&'static str> {
    if let [only] = stations
        && let Some(role) = expected.and_then(|slot| lone_role(text, only, slot))
    {
        return vec![role];
    }
    let cues: Vec<Option<Cue>> = (0..stations.len()).map(|at| cue(text, stations, at)).collect();
    let links: Vec<Link> = (0..stations.len()).map(|at| link(text, stations, at)).collect();
    let mut way = Way { roles: first_reading(&cues, &links), cues, links };
    match alternatives(text, stations, &way.links) {
        Some(roles) => way.roles = roles,
        None => way.chains(),
    }
    way.complete();
    let undecided = if expected.is_some() { "station" } else { "at" };
    way.roles.into_iter().map(|role| role.unwrap_or(undecided)).collect()
}

/// The stations that are named only to be ruled out: "pas à Brest mais à Landivisiau", "instead of Bellegarde".
pub fn ruled_out(text: &Normalised, stations: &[Mention]) -> Vec<bool> {
    let out: Vec<bool> = (0..stations.len()).map(|at| negated(text, stations, at)).collect();
    // Where nothing else is named, the message is about this one after all.
    if out.iter().all(|&out| out) { vec![false; out.len()] } else { out }
}

/// How a station hangs on the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Link {
    /// Words stand between them.
    Apart,
    /// A hyphen, an arrow or a slash.
    Tied,
    /// Nothing but a space.
    Beside,
    /// A comma.
    Listed,
}

/// The roles as far as they are known.
struct Way {
    roles: Vec<Option<&'static str>>,
    cues: Vec<Option<Cue>>,
    links: Vec<Link>,
}

/// What the words before each station say on their own.
fn first_reading(cues: &[Option<Cue>], links: &[Link]) -> Vec<Option<&'static str>> {
    let mut roles: Vec<Option<&'static str>> = Vec::with_capacity(cues.len());
    for (at, cue) in cues.iter().enumerate() {
        let previous = at.checked_sub(1).and_then(|before| roles[before]);
        let next = cues.get(at + 1).copied().flatten();
        let goes_on = matches!(next, Some(Cue::Towards | Cue::To | Cue::Step));
        roles.push(match cue {
            Some(Cue::From) => Some("from"),
            // "une navette entre Aix TGV et le centre": the other end is no station.
            Some(Cue::Between) => Some(if next == Some(Cue::And) { "from" } else { "at" }),
            Some(Cue::To | Cue::Arrive | Cue::Bound) => Some("to"),
            Some(Cue::Via) => Some("via"),
            Some(Cue::At | Cue::Here | Cue::Stop) => Some("at"),
            // "de Rennes à Brest": a way has begun, this is where it goes.
            Some(Cue::Towards) if previous == Some("from") && cues[at - 1] != Some(Cue::Between) => {
                Some("to")
            }
            Some(Cue::Towards) => Some("at"),
            Some(Cue::Of | Cue::OfTrain) => Some("from"),
            Some(Cue::OfPlace) if goes_on && next == Some(Cue::Towards) => Some("from"),
            Some(Cue::OfPlace) => Some("at"),
            Some(Cue::And) if at > 0 && cues[at - 1] == Some(Cue::Between) => Some("to"),
            Some(Cue::And) => previous,
            Some(Cue::Step) => Some("to"),
            None if at > 0 && links[at] == Link::Listed && cues[at - 1].is_some() => previous,
            None => None,
        });
    }
    roles
}

/// Three names or more side by side, of which the message asks which: no way, but a choice.
fn alternatives(
    text: &Normalised,
    stations: &[Mention],
    links: &[Link],
) -> Option<Vec<Option<&'static str>>> {
    let side_by_side = links.len() > 2 && links[1..].iter().all(|l| matches!(l, Link::Beside | Link::Listed));
    let end = stations.last()?.tokens.end;
    let which = (end..text.tokens.len().min(end + 5)).find(|&at| {
        matches!(
            text.word(at),
            "which" | "lequel" | "laquelle" | "lesquels" | "lesquelles" | "quel" | "quelle"
        )
    });
    let which = which.filter(|_| side_by_side)?;
    let said =
        |list: &[&str]| (which..text.tokens.len().min(which + 4)).any(|at| list.contains(&text.word(at)));
    let role = if said(&["on", "sont", "dessert", "are", "ont", "have", "has"]) { "at" } else { "to" };
    let mut roles = vec![Some(role); links.len()];
    // "lequel part en premier": it leaves from the first.
    if said(&["part", "leaves", "goes", "partent"]) {
        roles[0] = Some("from");
    }
    Some(roles)
}

impl Way {
    /// "Rennes-Brest", "Quimper → Lorient → Vannes", "Tours then Angers then Nantes": a chain is a way, whatever
    /// stood before its first station.
    fn chains(&mut self) {
        let mut start = 0;
        while start < self.roles.len() {
            let joins = |at: usize| {
                matches!(self.links[at], Link::Tied | Link::Beside)
                    && !matches!(self.cues[at], Some(Cue::Via | Cue::From))
                    || self.cues[at] == Some(Cue::Step)
                    || (self.links[at] == Link::Listed && self.cues.get(at + 1) == Some(&Some(Cue::Step)))
            };
            let end = (start + 1..self.roles.len()).find(|&at| !joins(at)).unwrap_or(self.roles.len());
            if end - start >= 2 {
                self.chain(start, end);
            }
            start = end;
        }
    }

    fn chain(&mut self, start: usize, end: usize) {
        let tied = self.links[start + 1] != Link::Beside || end - start > 2;
        let first = self.cues[start];
        // "pour Rennes Brest": two ends of ways; only a hyphen makes one way of them.
        let keeps = !tied && matches!(first, Some(Cue::To | Cue::Arrive | Cue::Via));
        if keeps {
            self.roles[start + 1] = self.roles[start + 1].or(Some("to"));
            return;
        }
        // "to Nice from Marseille - Lyon": a start that is known keeps the rest of the chain a way.
        for at in start..end {
            self.roles[at] = Some(if at == start {
                "from"
            } else if at + 1 == end {
                "to"
            } else {
                "via"
            });
        }
    }

    fn has(&self, role: &str) -> bool {
        self.roles.contains(&Some(role))
    }

    /// One role known, one open: the open one is the other end of the way.
    fn complete(&mut self) {
        self.settle_trains();
        self.leave_from_here();
        self.go_there();
        let open: Vec<usize> = (0..self.roles.len()).filter(|&at| self.roles[at].is_none()).collect();
        let Some(&first) = open.first() else { return };
        let role = match (self.has("from"), self.has("to")) {
            (false, true) => "from",
            (true, false) if self.cues.contains(&Some(Cue::OfTrain)) => "at",
            (true, false) => "to",
            (true, true) => "at",
            (false, false) if self.has("via") => "to",
            (false, false) if open.len() == 2 && self.roles.len() == 2 => {
                let choice = self.cues[open[1]] == Some(Cue::And);
                self.roles = if choice { vec![Some("at"); 2] } else { vec![Some("from"), Some("to")] };
                return;
            }
            (false, false) => return,
        };
        self.roles[first] = Some(role);
        self.follow(first);
    }

    /// "le train de Carhaix roule ? je pars de Guingamp": it goes there.
    fn settle_trains(&mut self) {
        let explicit = |at: usize| self.roles[at] == Some("from") && self.cues[at] != Some(Cue::OfTrain);
        if (0..self.roles.len()).any(explicit) && !self.has("to") {
            for at in 0..self.roles.len() {
                if self.cues[at] == Some(Cue::OfTrain) {
                    self.roles[at] = Some("to");
                }
            }
        }
    }

    /// "une audience à Rennes, je pars de Laval": the way ends where one has something to do.
    fn go_there(&mut self) {
        if !self.has("from") || self.has("to") || self.cues.contains(&Some(Cue::OfTrain)) {
            return;
        }
        let there = |at: &usize| {
            let placed = matches!(self.cues[*at], Some(Cue::At | Cue::Towards | Cue::OfPlace));
            self.roles[*at] == Some("at") && placed
        };
        if let Some(at) = (0..self.roles.len()).find(there) {
            self.roles[at] = Some("to");
        }
    }

    /// "je suis à Vitré, un train pour Rennes ?": where one is, is where one leaves from. So is where one arrives,
    /// when the message goes on from there.
    fn leave_from_here(&mut self) {
        if self.has("from") {
            return;
        }
        let all = 0..self.roles.len();
        let open = all.clone().find(|&at| self.roles[at].is_none());
        let here = all.clone().find(|&at| self.cues[at] == Some(Cue::Here) && self.roles[at] == Some("at"));
        // "I mean Chalon sur Saône, and I'm in Dijon"
        let event = |at: &usize| {
            self.roles[*at] == Some("at") && matches!(self.cues[*at], Some(Cue::At | Cue::Towards))
        };
        let open = open.or_else(|| all.clone().find(event).filter(|_| here.is_some()));
        if let (Some(open), Some(_), false) = (open, here, self.has("to")) {
            self.roles[open] = Some("to");
        }
        let ends = all.clone().filter(|&at| self.roles[at] == Some("to")).count();
        let arrival = all.clone().find(|&at| {
            matches!(self.cues[at], Some(Cue::Arrive | Cue::Bound))
                && self.roles[at] == Some("to")
                && ends > 1
        });
        let stays = |at: &usize| {
            self.roles[*at] == Some("at") && !matches!(self.cues[*at], Some(Cue::Stop | Cue::OfPlace))
        };
        let start = arrival.or_else(|| here.filter(|_| self.has("to")));
        let start = start.or_else(|| all.clone().find(stays).filter(|_| self.has("to")));
        let near = |at: &usize| self.roles[*at] == Some("at") && self.cues[*at] == Some(Cue::OfPlace);
        let start = start.or_else(|| all.clone().find(near).filter(|_| self.has("to")));
        if let Some(at) = start {
            self.roles[at] = Some("from");
            self.follow(at);
        }
    }

    /// "A ou B" share the role that the first one was given.
    fn follow(&mut self, at: usize) {
        for next in at + 1..self.roles.len() {
            if self.cues[next] != Some(Cue::And) {
                break;
            }
            self.roles[next] = self.roles[at];
        }
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

fn link(text: &Normalised, stations: &[Mention], at: usize) -> Link {
    let Some(before) = at.checked_sub(1) else { return Link::Apart };
    let start = stations[at].tokens.start;
    if stations[before].tokens.end != start {
        return Link::Apart;
    }
    match text.tokens.get(start).map(|token| token.before) {
        Some(Sep::Hyphen | Sep::Dash | Sep::Arrow | Sep::Slash) => Link::Tied,
        Some(Sep::Comma) => Link::Listed,
        Some(Sep::Stop) | None => Link::Apart,
        _ => Link::Beside,
    }
}
