//! `timetable.first_last`: the first and the last train of a day.

use super::page;
use crate::answers::asked::{Answer, Asked, Why, settled, shifted};
use crate::answers::told::{Teller, place};
use crate::answers::{AnswerSource, Lookup, Query, Samples, sample};
use crate::model::StationRef;
use crate::transit::planner::{self, Journey, Ride, SharedPlanner, Told};
use async_trait::async_trait;
use jiff::civil::Date;
use serde_json::{Value, json};

/// Slots: `from` (a station; needed), `to` (a station), `when` (the day; today when absent). Which of the two is asked comes from
/// the words; where they do not tell, both are told.
///
/// Variables: `from`, `to` (null when not asked); `first`, `last`, rides, null when not asked for or when there is none;
/// `first_gone`, `last_gone`: it has left; `journeys`, the first way with changes where no train is direct; `day`.
pub(in crate::answers) struct FirstLast(pub SharedPlanner);

#[async_trait]
impl AnswerSource for FirstLast {
    fn name(&self) -> &'static str {
        "timetable.first_last"
    }

    async fn look_up(&self, query: &Query) -> Lookup {
        settled(async { answer(&Asked::read(query, &*self.0)?).await }).await
    }

    fn samples(&self) -> Samples {
        samples()
    }
}

struct Ends {
    from: StationRef,
    to: Option<StationRef>,
    first: Option<Ride>,
    last: Option<Ride>,
    journeys: Vec<Journey>,
    day: Date,
}

async fn answer(asked: &Asked<'_>) -> Answer {
    let from = asked.need_from()?;
    let (first, last) = match (asked.cues.first, asked.cues.last) {
        (true, false) => (true, false),
        (false, true) => (false, true),
        _ => (true, true),
    };
    let told = of_the_day(asked, from, first, last).await?;
    let mut ends = Ends {
        from: from.clone(),
        to: asked.to.clone(),
        first: told.value.first.filter(|ride| first && ride.from.departure.is_some()),
        last: told.value.last.filter(|ride| last && ride.from.departure.is_some()),
        journeys: Vec::new(),
        day: told.value.day,
    };
    if let (None, None, Some(to)) = (&ends.first, &ends.last, &asked.to) {
        let ways = page::ways(asked, from, to, ends.day).await?.value;
        (ends.day, ends.journeys) = (ways.day, ways.journeys);
    }
    let teller = Teller::new(asked, &told.provenance);
    let mut facts: Vec<_> = ends.rides().map(|ride| teller.ride_fact(ride)).collect();
    let data = ends.data(&teller);
    if facts.is_empty() {
        facts.push(teller.scheduled_fact(format!("no train from {} on {}", from.name, ends.day)));
        return Ok(Lookup::Nothing { data, facts });
    }
    Ok(Lookup::Found { data, facts })
}

/// Of the day that was meant. Before 04:00 the evening before is not over; the first train of a day whose first has left is
/// tomorrow's, when no day was named.
async fn of_the_day(
    asked: &Asked<'_>,
    from: &StationRef,
    first: bool,
    last: bool,
) -> Result<Told<planner::FirstLast>, Why> {
    let to = asked.to.as_ref().map(|to| to.id.as_str());
    let now = asked.now();
    let on = async |day: Date| -> Result<_, Why> {
        let told = asked.planner.first_last(&from.id, to, day, now).await?;
        if told.value.incomplete {
            return Err(format!("on {day} some trains have no exact time in the timetable").into());
        }
        Ok(told)
    };
    let ahead = |ride: &Option<Ride>| {
        ride.as_ref().and_then(|ride| ride.from.departure).is_some_and(|moment| moment.best() >= now)
    };
    if let Some(window) = asked.when {
        return on(asked.date(window.start)).await;
    }
    let today = asked.today();
    let early = asked.train_day(now) < today;
    if early && last {
        // Where the feed does not reach back to yesterday, today's is the answer.
        if let Ok(evening) = on(shifted(today, -1)).await
            && ahead(&evening.value.last)
        {
            return Ok(evening);
        }
    }
    let told = on(today).await?;
    if first && !last && told.value.first.is_some() && !ahead(&told.value.first) {
        return on(shifted(today, 1)).await;
    }
    Ok(told)
}

impl Ends {
    fn rides(&self) -> impl Iterator<Item = &Ride> {
        let legs = self.journeys.iter().flat_map(|journey| &journey.rides);
        self.first.iter().chain(&self.last).chain(legs)
    }

    fn data(&self, teller: &Teller<'_>) -> Value {
        let row = |ride: &Option<Ride>| ride.as_ref().map(|ride| teller.ride(ride, self.day));
        let gone = |ride: &Option<Ride>| {
            let departs = ride.as_ref().and_then(|ride| ride.from.departure);
            departs.is_some_and(|moment| moment.best() < teller.now)
        };
        let journeys: Vec<Value> =
            self.journeys.iter().filter_map(|journey| teller.journey(journey, self.day)).collect();
        let data = json!({
            "from": place(&self.from),
            "to": self.to.as_ref().map(place),
            "first": row(&self.first),
            "last": row(&self.last),
            "first_gone": gone(&self.first),
            "last_gone": gone(&self.last),
            "journeys": journeys,
            "day": teller.day(self.day),
        });
        teller.sourced(data, self.day, self.rides())
    }
}

fn samples() -> Samples {
    let of = sample::provenance();
    let teller = sample::teller(&of);
    let ends = |first: Option<Ride>, last: Option<Ride>, to: bool| Ends {
        from: sample::station("Paris Montparnasse"),
        to: to.then(|| sample::station("Rennes")),
        first,
        last,
        journeys: Vec::new(),
        day: teller.date(sample::NOW),
    };
    let way = Journey { rides: vec![sample::ride(), sample::bare_ride()] };
    let mut gone = sample::late_ride();
    gone.from.departure = sample::moment(-60, Some(10));
    let found = [
        ends(Some(sample::ride()), Some(sample::bare_ride()), true),
        Ends { day: shifted(teller.date(sample::NOW), 1), ..ends(Some(sample::late_ride()), None, false) },
        ends(None, Some(gone), true),
        ends(Some(sample::cancelled_ride()), Some(sample::cancelled_ride()), true),
        Ends { journeys: vec![way], ..ends(None, None, true) },
    ];
    let nothing = [ends(None, None, true), ends(None, None, false)];
    Samples {
        found: found.iter().map(|ends| ends.data(&teller)).collect(),
        nothing: nothing.iter().map(|ends| ends.data(&teller)).collect(),
    }
}
