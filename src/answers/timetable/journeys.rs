//! `timetable.journeys`: how to get from one station to another, changes included.

use super::page::{self, Page};
use crate::answers::asked::{Answer, Asked, settled};
use crate::answers::told::Teller;
use crate::answers::{AnswerSource, Lookup, Query, Samples};
use crate::transit::planner::SharedPlanner;
use async_trait::async_trait;

/// Slots: `from`, `to` (stations; needed), `via` (a station), `when` (when to leave; when to be there where the words say so).
/// Variables: those of [`Page`]. [`Lookup::Nothing`]: surely no way that day.
pub(in crate::answers) struct Journeys(pub SharedPlanner);

#[async_trait]
impl AnswerSource for Journeys {
    fn name(&self) -> &'static str {
        "timetable.journeys"
    }

    async fn look_up(&self, query: &Query) -> Lookup {
        settled(async { answer(&Asked::read(query, &*self.0)?).await }).await
    }

    fn samples(&self) -> Samples {
        page::samples(|page| {
            let pair = page.from.is_some() && page.to.is_some();
            pair && !page.arriving && page.rides.is_empty()
        })
    }
}

pub(super) async fn answer(asked: &Asked<'_>) -> Answer {
    let (from, to) = (asked.need_from()?, asked.need_to()?);
    let by = asked.be_there_by();
    let told = page::ways(asked, from, to, asked.date(by.unwrap_or(asked.at()))).await?;
    let page::Ways { day, journeys } = told.value;
    let mut page = Page { by, journeys, ..Page::new(asked, from, day) };
    page.direct = page.journeys.iter().any(|journey| journey.rides.len() == 1);
    if page.is_empty() && by.is_none() {
        page.next = page::next_day(asked, from, to, day).await;
    }
    Ok(page.finish(&Teller::new(asked, &told.provenance)))
}
