//! The stations around a place.

use super::timetable::Timetable;
use crate::model::StationRef;

/// Farther than this, as the crow flies, nobody walks or cycles to a train: kilometres.
pub const NEAR_KM: u32 = 30;
/// So many stations are offered at most.
const MOST: usize = 3;
/// Mean radius of the earth in metres (IUGG).
const EARTH: f64 = 6_371_008.8;

/// A station and how far it is, as the crow flies.
#[derive(Debug, Clone, PartialEq)]
pub struct Nearby {
    pub station: StationRef,
    pub metres: u32,
}

/// Degrees, WGS 84.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Place {
    pub latitude: f64,
    pub longitude: f64,
}

impl Place {
    /// None unless it is one on earth. 0° N 0° E is in the sea, and in feeds means that nobody knew.
    pub fn new(latitude: f64, longitude: f64) -> Option<Self> {
        let on_earth = (-90.0..=90.0).contains(&latitude) && (-180.0..=180.0).contains(&longitude);
        let unknown = latitude == 0.0 && longitude == 0.0;
        (on_earth && !unknown).then_some(Self { latitude, longitude })
    }

    /// Great-circle distance in metres by the haversine formula, with the earth as a sphere: within 0.6 %.
    fn metres_to(self, other: Self) -> f64 {
        let (from, to) = (self.latitude.to_radians(), other.latitude.to_radians());
        let half = |degrees: f64| (degrees.to_radians() / 2.0).sin().powi(2);
        let across = half(other.longitude - self.longitude);
        let h = half(other.latitude - self.latitude) + from.cos() * to.cos() * across;
        2.0 * EARTH * h.clamp(0.0, 1.0).sqrt().asin()
    }
}

impl Timetable {
    /// Stations that trains call at, the nearest first: at most three, within [`NEAR_KM`]. Empty: none is near, or the feed says
    /// not where they are.
    pub fn nearest(&self, latitude: f64, longitude: f64) -> Vec<Nearby> {
        let Some(here) = Place::new(latitude, longitude) else { return Vec::new() };
        let served = self.stations.iter().zip(&self.places).take(self.served);
        let mut near: Vec<(f64, &StationRef)> = served
            .filter_map(|(station, place)| Some((here.metres_to((*place)?), station)))
            .filter(|(metres, _)| *metres <= f64::from(NEAR_KM) * 1_000.0)
            .collect();
        near.sort_by(|a, b| a.0.total_cmp(&b.0));
        // At most 30 km: it fits.
        let nearby = |(metres, station): (f64, &StationRef)| Nearby {
            station: station.clone(),
            metres: metres as u32,
        };
        near.into_iter().take(MOST).map(nearby).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transit::testing::demo;

    #[test]
    fn distances_are_those_of_the_map() {
        let place = |latitude, longitude| Place::new(latitude, longitude).unwrap();
        // Published great-circle distances: Paris to London 344 km, one degree of latitude 111.2 km.
        for (a, b, km, within) in [
            (place(48.8566, 2.3522), place(51.5074, -0.1278), 344.0, 2.0),
            (place(45.0, 3.0), place(46.0, 3.0), 111.2, 0.1),
            (place(-17.0, 179.9), place(-17.0, -179.9), 21.3, 0.1),
            (place(48.1, -1.67), place(48.1, -1.67), 0.0, 0.001),
        ] {
            let metres = a.metres_to(b);
            assert!((metres / 1_000.0 - km).abs() <= within, "{a:?} {b:?}: {metres}");
        }
    }

    #[test]
    fn the_nearest_stations_come_first_and_far_ones_never() {
        let table = demo();
        let names = |latitude, longitude| -> Vec<String> {
            table.nearest(latitude, longitude).into_iter().map(|near| near.station.name).collect()
        };
        let rennes = table.nearest(48.11, -1.68);
        assert_eq!(rennes[0].station.name, "Rennes");
        assert!(rennes.windows(2).all(|pair| pair[0].metres <= pair[1].metres), "{rennes:?}");
        assert!(rennes.len() <= 3 && rennes.iter().all(|near| near.metres <= 30_000));
        assert!(names(48.0, -20.0).is_empty(), "the ocean");
        assert!(names(0.0, 0.0).is_empty() && names(f64::NAN, 2.0).is_empty() && names(91.0, 2.0).is_empty());
    }
}
