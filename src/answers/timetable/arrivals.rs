//! `timetable.arrivals`: the next trains that arrive at a station, from anywhere or from one other.

use super::page::{self, Page};
use crate::answers::asked::{Answer, Asked, settled};
use crate::answers::told::Teller;
use crate::answers::{AnswerSource, Lookup, Query, Samples};
use crate::model::StationRef;
use crate::transit::planner::{Ends, SharedPlanner};
use async_trait::async_trait;

/// Slots: `to`, or `from` alone (the station; one of them needed), `from` beside `to` (where the trains come from), `when`.
/// Variables: those of [`Page`].
pub(in crate::answers) struct Arrivals(pub SharedPlanner);

#[async_trait]
impl AnswerSource for Arrivals {
    fn name(&self) -> &'static str {
        "timetable.arrivals"
    }

    async fn look_up(&self, query: &Query) -> Lookup {
        settled(async {
            let asked = Asked::read(query, &*self.0)?;
            match &asked.to {
                Some(to) => at(&asked, to, asked.from.as_ref()).await,
                None => at(&asked, asked.need_from()?, None).await,
            }
        })
        .await
    }

    fn samples(&self) -> Samples {
        page::samples(|page| page.arriving)
    }
}

/// The board of arrivals of `station`.
pub(super) async fn at(asked: &Asked<'_>, station: &StationRef, origin: Option<&StationRef>) -> Answer {
    let told = page::board(asked, Ends::Arrivals, station, origin).await?;
    if !told.value.direct && origin.is_none() {
        return Err(format!("no train ends a ride at {}", station.name).into());
    }
    let mut page =
        Page { arriving: true, origin: origin.cloned(), ..Page::new(asked, station, told.value.day) };
    page.show(asked, told.value);
    Ok(page.finish(&Teller::new(asked, &told.provenance)))
}
