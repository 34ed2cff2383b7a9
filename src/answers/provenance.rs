//! Where an answer comes from and how old it is, in words.

use super::dates::full_date;
use crate::model::{Lang, Timestamp};
use crate::sms::plain;
use crate::transit::planner::{LiveState, Provenance};
use jiff::tz::TimeZone;

/// What the live data has to do with what is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Live {
    /// It says something of what is told.
    Speaks,
    /// It covers what is told and says nothing of it.
    Silent,
    /// What is told lies on another day.
    Elsewhere,
    /// What is told was measured then, and kept: the train is over.
    Kept(Timestamp),
}

/// One sentence for `text`, and a shorter one in GSM-7 for `sms`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sentences {
    pub long: String,
    pub short: String,
}

/// `zone` is that of the network.
pub(super) fn sentences(
    of: &Provenance,
    live: Live,
    lang: Lang,
    zone: &TimeZone,
    now: Timestamp,
) -> Sentences {
    let words = Words { of, french: lang == Lang::FR, lang, zone, now };
    let mut long = words.sentence(live, &words.network(), words.french);
    let mut short = words.short(live);
    if of.live_partial && of.live.used().is_some() && live != Live::Elsewhere {
        let (more, less) = words.partial();
        long.push_str(more);
        short.push_str(less);
    }
    let short = plain(&short);
    Sentences { long, short }
}

struct Words<'a> {
    of: &'a Provenance,
    french: bool,
    lang: Lang,
    zone: &'a TimeZone,
    now: Timestamp,
}

impl Words<'_> {
    /// An invented network is named as such whatever its label.
    fn network(&self) -> String {
        match (self.of.invented, self.french) {
            (false, _) => self.of.label.clone(),
            (true, true) => "réseau de démonstration inventé".to_owned(),
            (true, false) => "invented demonstration network".to_owned(),
        }
    }

    fn date(&self) -> String {
        full_date(self.of.timetable_as_of, self.lang)
    }

    /// "24/11/2026, 18:04".
    fn moment(&self, at: Timestamp) -> String {
        let day = at.to_jiff().to_zoned_datetime(self.zone.clone()).date();
        format!("{}, {}", full_date(day, self.lang), self.clock(at))
    }

    fn clock(&self, at: Timestamp) -> String {
        at.to_jiff().to_zoned_datetime(self.zone.clone()).strftime("%H:%M").to_string()
    }

    /// "il y a 4 min": whole minutes, at least one.
    fn age(&self, at: Timestamp) -> String {
        let minutes = (self.now.since(at).as_secs() / 60).max(1);
        if self.french { format!("il y a {minutes} min") } else { format!("{minutes} min ago") }
    }

    fn scheduled(&self, network: &str) -> String {
        let date = self.date();
        if self.french {
            format!("Horaires théoriques, {network} (données du {date})")
        } else {
            format!("Scheduled times, {network} (data of {date})")
        }
    }

    /// Long and short.
    fn partial(&self) -> (&'static str, &'static str) {
        if self.french {
            (
                " Temps réel incomplet : des retards ou des suppressions peuvent y manquer.",
                " Temps réel incomplet.",
            )
        } else {
            (" Live data is incomplete: delays or cancellations may be missing.", " Live data incomplete.")
        }
    }

    fn sentence(&self, live: Live, network: &str, french: bool) -> String {
        let scheduled = self.scheduled(network);
        match (self.of.live, live) {
            (_, Live::Kept(at)) if french => format!("Temps réel du {}, {network}.", self.moment(at)),
            (_, Live::Kept(at)) => format!("Live data of {}, {network}.", self.moment(at)),
            (LiveState::Absent, _) | (_, Live::Elsewhere) => format!("{scheduled}."),
            (LiveState::Fresh(at), Live::Speaks) if french => {
                format!("Temps réel à {}, {network}.", self.clock(at))
            }
            (LiveState::Fresh(at), Live::Speaks) => format!("Live data at {}, {network}.", self.clock(at)),
            (LiveState::Fresh(at), Live::Silent) if french => {
                format!("{scheduled} ; temps réel à {} : rien de signalé.", self.clock(at))
            }
            (LiveState::Fresh(at), Live::Silent) => {
                format!("{scheduled}; live data at {}: nothing reported.", self.clock(at))
            }
            (LiveState::Old(at), Live::Speaks) if french => {
                format!("Temps réel de {}, {} : peut avoir changé ({network}).", self.clock(at), self.age(at))
            }
            (LiveState::Old(at), Live::Speaks) => {
                format!("Live data of {}, {}: may have changed ({network}).", self.clock(at), self.age(at))
            }
            (LiveState::Old(at), Live::Silent) if french => {
                format!(
                    "{scheduled} ; rien de signalé par le temps réel de {}, {} : peut avoir changé.",
                    self.clock(at),
                    self.age(at)
                )
            }
            (LiveState::Old(at), Live::Silent) => format!(
                "{scheduled}; nothing reported by the live data of {}, {}: may have changed.",
                self.clock(at),
                self.age(at)
            ),
            (LiveState::Lost(_), _) if french => {
                let scheduled = scheduled.replacen("Horaires théoriques", "horaires théoriques seulement", 1);
                format!("Temps réel indisponible : {scheduled}.")
            }
            (LiveState::Lost(_), _) => {
                let scheduled = scheduled.replacen("Scheduled times", "scheduled times only", 1);
                format!("Live data unavailable: {scheduled}.")
            }
        }
    }

    fn short(&self, live: Live) -> String {
        let network = match (self.of.invented, self.french) {
            (false, _) => self.of.label.clone(),
            (true, true) => "démo inventée".to_owned(),
            (true, false) => "invented demo".to_owned(),
        };
        let date = self.date();
        let scheduled = if self.french { "Théorique" } else { "Scheduled" };
        let clock = |at: Timestamp| self.clock(at);
        match (self.of.live, live) {
            (_, Live::Kept(at)) if self.french => format!("Temps réel du {} ({network}).", self.moment(at)),
            (_, Live::Kept(at)) => format!("Live data of {} ({network}).", self.moment(at)),
            (LiveState::Absent, _) | (_, Live::Elsewhere) => format!("{scheduled} ({network}, {date})."),
            (LiveState::Fresh(at), Live::Speaks) if self.french => {
                format!("Temps réel à {} ({network}).", clock(at))
            }
            (LiveState::Fresh(at), Live::Speaks) => format!("Live at {} ({network}).", clock(at)),
            (LiveState::Fresh(at), Live::Silent) if self.french => {
                format!("Théorique, rien de signalé à {} ({network}, {date}).", clock(at))
            }
            (LiveState::Fresh(at), Live::Silent) => {
                format!("Scheduled, nothing reported at {} ({network}, {date}).", clock(at))
            }
            (LiveState::Old(at), _) if self.french => {
                format!("Temps réel de {}, {} : peut avoir changé ({network}).", clock(at), self.age(at))
            }
            (LiveState::Old(at), _) => {
                format!("Live data of {}, {}: may have changed ({network}).", clock(at), self.age(at))
            }
            (LiveState::Lost(_), _) if self.french => {
                format!("Sans temps réel, théorique seulement ({network}, {date}).")
            }
            (LiveState::Lost(_), _) => format!("No live data, scheduled only ({network}, {date})."),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transit::testing::paris;
    use jiff::civil::date;

    #[test]
    fn every_state_says_source_and_age() {
        let now = paris("2026-12-20T12:08");
        let at = paris("2026-12-20T12:04");
        let fr = "Horaires théoriques, réseau de démonstration inventé (données du 01/11/2026)";
        let en = "Scheduled times, invented demonstration network (data of 1 November 2026)";
        for (state, live, french, english) in [
            (
                LiveState::Absent,
                Live::Kept(paris("2026-12-19T18:04")),
                "Temps réel du 19/12/2026, 18:04, réseau de démonstration inventé.".to_owned(),
                "Live data of 19 December 2026, 18:04, invented demonstration network.".to_owned(),
            ),
            (LiveState::Absent, Live::Silent, format!("{fr}."), format!("{en}.")),
            (LiveState::Fresh(at), Live::Elsewhere, format!("{fr}."), format!("{en}.")),
            (
                LiveState::Fresh(at),
                Live::Speaks,
                "Temps réel à 12:04, réseau de démonstration inventé.".to_owned(),
                "Live data at 12:04, invented demonstration network.".to_owned(),
            ),
            (
                LiveState::Fresh(at),
                Live::Silent,
                format!("{fr} ; temps réel à 12:04 : rien de signalé."),
                format!("{en}; live data at 12:04: nothing reported."),
            ),
            (
                LiveState::Old(at),
                Live::Speaks,
                "Temps réel de 12:04, il y a 4 min : peut avoir changé (réseau de démonstration inventé)."
                    .to_owned(),
                "Live data of 12:04, 4 min ago: may have changed (invented demonstration network)."
                    .to_owned(),
            ),
            (
                LiveState::Lost(Some(at)),
                Live::Silent,
                "Temps réel indisponible : horaires théoriques seulement, réseau de démonstration inventé \
                 (données du 01/11/2026)."
                    .to_owned(),
                "Live data unavailable: scheduled times only, invented demonstration network \
                 (data of 1 November 2026)."
                    .to_owned(),
            ),
        ] {
            let of = Provenance {
                label: "Guichet demo (invented)".into(),
                invented: true,
                timetable_as_of: date(2026, 11, 1),
                live: state,
                live_partial: false,
            };
            let zone = TimeZone::get("Europe/Paris").unwrap();
            let said = |lang| sentences(&of, live, lang, &zone, now);
            assert_eq!(said(Lang::FR).long, french);
            assert_eq!(said(Lang::EN).long, english);
            for lang in [Lang::FR, Lang::EN] {
                let short = said(lang).short;
                assert_eq!(crate::sms::encoding(&short).as_str(), "GSM-7", "{short}");
                assert!(short.len() < 80 && short.contains("invent"), "{short}");
            }
        }
    }
    #[test]
    fn what_is_missing_is_said_where_live_data_is_used() {
        let (now, at) = (paris("2026-12-20T12:08"), paris("2026-12-20T12:08"));
        let zone = TimeZone::get("Europe/Paris").unwrap();
        let (said, short) =
            ("Temps réel incomplet : des retards ou des suppressions", "Temps réel incomplet.");
        for (state, live, expected) in [
            (LiveState::Fresh(at), Live::Speaks, true),
            (LiveState::Fresh(at), Live::Silent, true),
            (LiveState::Old(at), Live::Silent, true),
            (LiveState::Fresh(at), Live::Elsewhere, false),
            (LiveState::Lost(Some(at)), Live::Silent, false),
        ] {
            let of = Provenance {
                label: "Réseau".into(),
                invented: false,
                timetable_as_of: date(2026, 11, 1),
                live: state,
                live_partial: true,
            };
            let told = sentences(&of, live, Lang::FR, &zone, now);
            assert_eq!(
                (told.long.contains(said), told.short.ends_with(short)),
                (expected, expected),
                "{told:?}"
            );
            let told = sentences(&of, live, Lang::EN, &zone, now);
            assert_eq!(told.long.ends_with("cancellations may be missing."), expected, "{told:?}");
            assert!(
                told.short.len() < 100
                    && !sentences(&Provenance { live_partial: false, ..of }, live, Lang::EN, &zone, now)
                        .long
                        .contains("incomplete")
            );
        }
    }
}
