//! `timetable.departures`: the next trains from a station, or between two.

use super::page::{self, Page};
use crate::answers::asked::{Answer, Asked, settled};
use crate::answers::told::Teller;
use crate::answers::{AnswerSource, Lookup, Query, Samples};
use crate::transit::planner::{Ends, SharedPlanner};
use async_trait::async_trait;

/// Slots: `from` (a station; needed), `to` (a station), `when` (a time; now when absent). Variables: those of [`Page`].
///
/// Where no direct train is left or ever goes, ways with a change are offered. [`Lookup::Nothing`] says that there is surely
/// no train that day. Words that ask for arrivals at the station get those; words that say by when to be there get ways.
pub(in crate::answers) struct Departures(pub SharedPlanner);

#[async_trait]
impl AnswerSource for Departures {
    fn name(&self) -> &'static str {
        "timetable.departures"
    }

    async fn look_up(&self, query: &Query) -> Lookup {
        settled(async { answer(&Asked::read(query, &*self.0)?).await }).await
    }

    fn samples(&self) -> Samples {
        page::samples(|_| true)
    }
}

async fn answer(asked: &Asked<'_>) -> Answer {
    let from = asked.need_from()?;
    if asked.cues.arrivals && asked.to.is_none() {
        return super::arrivals::at(asked, from, None).await;
    }
    if asked.to.is_some() && (asked.be_there_by().is_some() || asked.via.is_some()) {
        return super::journeys::answer(asked).await;
    }
    let told = page::board(asked, Ends::Departures, from, asked.to.as_ref()).await?;
    if !told.value.direct && asked.to.is_none() {
        return Err(format!("no train can be boarded at {}", from.name).into());
    }
    let mut page = Page::new(asked, from, told.value.day);
    page.show(asked, told.value);
    if let (true, Some(to)) = (page.is_empty(), &asked.to) {
        let ways = page::ways(asked, from, to, page.day).await?.value;
        (page.day, page.journeys) = (ways.day, ways.journeys);
        if page.journeys.is_empty() {
            page.next = page::next_day(asked, from, to, page.day).await;
        }
    }
    Ok(page.finish(&Teller::new(asked, &told.provenance)))
}
