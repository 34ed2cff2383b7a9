//! One page of trains: what boards and ways are told as. Three sources share it, so that their templates know the same variables.

use crate::answers::asked::{Asked, Why, shifted};
use crate::answers::told::{Teller, does_not_run, place};
use crate::answers::{Lookup, Samples, sample};
use crate::model::{Fact, StationRef, Timestamp};
use crate::transit::planner::{Board, BoardQuery, Ends, Journey, JourneyQuery, Ride, Told, When};
use jiff::civil::Date;
use serde_json::{Value, json};

/// Trains told in one answer: what a screen shows at once.
pub(super) const LISTED: usize = 5;
/// Ways told in one answer.
const WAYS: usize = 3;
/// Cancelled trains named beside those that run.
const CANCELLED: usize = 3;
/// Trains looked at to find those of an interval: more than any pair of stations has in a day.
const LOOKED_AT: usize = 300;

/// Variables: `from` and `to` {name, short}, null when not asked for; `at`, the station whose board it is; `arriving`: a board
/// of arrivals, those from `origin` where it is not null; `departures`, rides that
/// run; `cancelled`, rides of the same time that do not; `journeys`, ways with changes; `direct`: some train goes there without a
/// change; `outside`: none in the asked interval, so what follows is later; `by`, when to be there; `after`, the asked time; `day`,
/// null for today; `next`, the first direct train of the next day, null when not looked for.
#[derive(Debug, Clone)]
pub(super) struct Page {
    pub from: Option<StationRef>,
    pub to: Option<StationRef>,
    pub at: StationRef,
    pub origin: Option<StationRef>,
    pub arriving: bool,
    pub rides: Vec<Ride>,
    pub cancelled: Vec<Ride>,
    pub journeys: Vec<Journey>,
    pub direct: bool,
    pub outside: bool,
    pub by: Option<Timestamp>,
    pub after: Option<Timestamp>,
    pub day: Date,
    pub next: Option<(Date, Ride)>,
}

impl Page {
    /// Nothing on it yet.
    pub(super) fn new(asked: &Asked<'_>, at: &StationRef, day: Date) -> Self {
        Self {
            at: at.clone(),
            origin: None,
            from: asked.from.clone(),
            to: asked.to.clone(),
            arriving: false,
            rides: Vec::new(),
            cancelled: Vec::new(),
            journeys: Vec::new(),
            direct: true,
            outside: false,
            by: None,
            after: Some(asked.at()),
            day,
            next: None,
        }
    }

    /// The trains of a board that answer the question.
    ///
    /// Of an interval those inside it, the last ones where it ends at a deadline; where none is inside, what comes later.
    pub(super) fn show(&mut self, asked: &Asked<'_>, board: Board) {
        let arriving = self.arriving;
        let moment = move |ride: &Ride| if arriving { ride.to.arrival } else { ride.from.departure };
        let inside = |ride: &Ride| {
            let ends = asked.until();
            moment(ride).is_some_and(|moment| ends.is_none_or(|end| moment.best() < end))
        };
        let runs = |ride: &Ride| moment(ride).is_some() && !does_not_run(ride);
        let (mut within, mut later): (Vec<Ride>, Vec<Ride>) =
            board.rides.into_iter().filter(runs).partition(inside);
        self.outside = within.is_empty() && !later.is_empty();
        if asked.cues.deadline && within.len() > LISTED {
            within.drain(..within.len() - LISTED);
        }
        self.rides = if self.outside { std::mem::take(&mut later) } else { within };
        self.rides.truncate(LISTED);
        let last = self.rides.last().and_then(moment).map(|moment| moment.best());
        let listed = self.rides.len();
        let near = |ride: &Ride| {
            // Past the end of a full list, a cancelled train is no news yet.
            let before_last = moment(ride)
                .zip(last)
                .is_none_or(|(moment, last)| moment.scheduled <= last || listed < LISTED);
            before_last && (inside(ride) || self.outside)
        };
        self.cancelled = board.cancelled.into_iter().filter(near).take(CANCELLED).collect();
        self.direct = board.direct;
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rides.is_empty() && self.journeys.is_empty()
    }

    pub(super) fn finish(self, teller: &Teller<'_>) -> Lookup {
        let (data, facts) = (self.data(teller), self.facts(teller));
        if self.is_empty() { Lookup::Nothing { data, facts } } else { Lookup::Found { data, facts } }
    }

    fn data(&self, teller: &Teller<'_>) -> Value {
        let rows = |rides: &[Ride]| -> Vec<Value> {
            let row = |ride| {
                if self.arriving { teller.arriving(ride, self.day) } else { teller.ride(ride, self.day) }
            };
            rides.iter().map(row).collect()
        };
        let journeys: Vec<Value> =
            self.journeys.iter().filter_map(|journey| teller.journey(journey, self.day)).collect();
        let next = self.next.as_ref().map(|(day, ride)| {
            let mut row = teller.ride(ride, *day);
            row["day"] = teller.day(*day);
            row
        });
        // A day asked for as a whole begins at midnight, which says nothing.
        let after = self.after.map(|at| teller.clock(at)).filter(|clock| clock != "00:00");
        let data = json!({
            "from": self.from.as_ref().map(place),
            "to": self.to.as_ref().map(place),
            "at": place(&self.at),
            "origin": self.origin.as_ref().map(place),
            "arriving": self.arriving,
            "departures": rows(&self.rides),
            "cancelled": rows(&self.cancelled),
            "journeys": journeys,
            "direct": self.direct,
            "outside": self.outside,
            "by": self.by.map(|at| teller.clock(at)),
            "after": after,
            "day": teller.day(self.day),
            "next": next,
        });
        teller.sourced(data, self.day, self.all())
    }

    fn all(&self) -> impl Iterator<Item = &Ride> {
        let legs = self.journeys.iter().flat_map(|journey| &journey.rides);
        self.rides.iter().chain(&self.cancelled).chain(legs)
    }

    fn facts(&self, teller: &Teller<'_>) -> Vec<Fact> {
        let mut facts: Vec<Fact> = self.all().map(|ride| teller.ride_fact(ride)).collect();
        facts.extend(self.next.iter().map(|(_, ride)| teller.ride_fact(ride)));
        if self.is_empty() {
            let name =
                |station: &Option<StationRef>| station.as_ref().map_or("anywhere", |s| &s.name).to_owned();
            let after = self.after.map_or_else(String::new, |at| format!(" from {}", teller.clock(at)));
            let value = format!("no train {} to {} on {}{after}", name(&self.from), name(&self.to), self.day);
            facts.push(teller.scheduled_fact(value));
        }
        facts
    }
}

/// The board of `station`; of more trains than are told where an interval must be cut out.
pub(super) async fn board(
    asked: &Asked<'_>,
    ends: Ends,
    station: &StationRef,
    other: Option<&StationRef>,
) -> Result<Told<Board>, Why> {
    let limit = if asked.until().is_some() { LOOKED_AT } else { LISTED };
    let query = BoardQuery {
        station: station.id.clone(),
        other: other.map(|other| other.id.clone()),
        ends,
        at: asked.at(),
        limit,
    };
    let told = asked.planner.board(&query, asked.now()).await?;
    if told.value.incomplete {
        return Err(format!("on {} some trains have no exact time in the timetable", told.value.day).into());
    }
    Ok(told)
}

/// Ways that leave on one day.
pub(super) struct Ways {
    pub day: Date,
    pub journeys: Vec<Journey>,
}

/// The ways from one station to the other, changes included. Planners look a day ahead, and an answer names one day: those of
/// `day`, or of the day of the first where that leaves later.
pub(super) async fn ways(
    asked: &Asked<'_>,
    from: &StationRef,
    to: &StationRef,
    day: Date,
) -> Result<Told<Ways>, Why> {
    let when = asked.be_there_by().map_or(When::DepartAfter(asked.at()), When::ArriveBefore);
    let query = JourneyQuery {
        from: from.id.clone(),
        to: to.id.clone(),
        via: asked.via.as_ref().map(|via| via.id.clone()),
        when,
        limit: WAYS,
    };
    let Told { value: mut journeys, provenance } = asked.planner.journeys(&query, asked.now()).await?;
    // A way that cannot be taken, or of which an end has no time, is none.
    let whole = |journey: &Journey| {
        let timed = |ride: &Ride| ride.from.departure.is_some() && ride.to.arrival.is_some();
        !journey.rides.is_empty() && journey.rides.iter().all(|ride| timed(ride) && !does_not_run(ride))
    };
    journeys.retain(whole);
    // A night train of the evening before `day` belongs to it here.
    let leaves = |journey: &Journey| {
        let moment = journey.rides.first()?.from.departure?;
        Some(asked.train_day(moment.best()).max(day))
    };
    let day = journeys.first().and_then(leaves).unwrap_or(day);
    journeys.retain(|journey| leaves(journey) == Some(day));
    Ok(Told { value: Ways { day, journeys }, provenance })
}

/// The first direct train of the day after: what one who missed the last wants to know. None where it is not known.
pub(super) async fn next_day(
    asked: &Asked<'_>,
    from: &StationRef,
    to: &StationRef,
    day: Date,
) -> Option<(Date, Ride)> {
    let day = shifted(day, 1);
    let told = asked.planner.first_last(&from.id, Some(&to.id), day, asked.now()).await.ok()?;
    let first = told.value.first.filter(|ride| !does_not_run(ride) && !told.value.incomplete)?;
    Some((told.value.day, first))
}

/// Every shape of the pages that a source may fill.
pub(super) fn samples(may: impl Fn(&Page) -> bool) -> Samples {
    let of = sample::provenance();
    let teller = sample::teller(&of);
    let plain = Page {
        from: Some(sample::station("Paris Montparnasse")),
        to: Some(sample::station("Rennes")),
        at: sample::station("Paris Montparnasse"),
        origin: None,
        arriving: false,
        rides: vec![sample::ride(); LISTED],
        cancelled: Vec::new(),
        journeys: Vec::new(),
        direct: true,
        outside: false,
        by: None,
        after: Some(sample::NOW),
        day: teller.date(sample::NOW),
        next: None,
    };
    let other_day = shifted(plain.day, 1);
    let way = Journey { rides: vec![sample::ride(), sample::bare_ride()] };
    let pages = [
        plain.clone(),
        Page {
            rides: vec![sample::late_ride(); 3],
            cancelled: vec![sample::cancelled_ride(); 2],
            ..plain.clone()
        },
        Page { to: None, rides: vec![sample::bare_ride()], day: other_day, outside: true, ..plain.clone() },
        Page {
            to: None,
            arriving: true,
            rides: vec![sample::late_ride(), sample::bare_ride()],
            ..plain.clone()
        },
        Page { arriving: true, origin: Some(sample::station("Rennes")), to: None, ..plain.clone() },
        Page { rides: Vec::new(), journeys: vec![way.clone(); WAYS], direct: false, ..plain.clone() },
        Page {
            rides: Vec::new(),
            journeys: vec![way],
            day: other_day,
            by: Some(sample::NOW),
            ..plain.clone()
        },
    ];
    let empty = Page { rides: Vec::new(), ..plain };
    let nothing = [
        empty.clone(),
        Page {
            next: Some((other_day, sample::ride())),
            cancelled: vec![sample::cancelled_ride()],
            ..empty.clone()
        },
        Page { direct: false, after: None, day: other_day, by: Some(sample::NOW), ..empty.clone() },
        Page { to: None, ..empty.clone() },
        Page { to: None, arriving: true, ..empty },
    ];
    let data =
        |pages: &[Page]| pages.iter().filter(|page| may(page)).map(|page| page.data(&teller)).collect();
    Samples { found: data(&pages), nothing: data(&nothing) }
}
