//! How a train is called. Feeds disagree on where the number and the brand stand; this is our whole rule.
//!
//! - **number**: `trip_short_name` where the feed fills it (what GTFS means it for: "train numbers for commuter rail trips");
//!   else `trip_headsign` when it is digits only, which is how SNCF publishes its numbers; else unknown.
//! - **brand**: the words between `OCE` and the UIC code in a stop id such as `StopPoint:OCETGV INOUI-87391003`, the
//!   only place where SNCF names the brand; else `route_short_name`, `route_long_name`, the agency's name.
//! - **terminus**: `trip_headsign` unless it is a number; else the name of the last station.

/// Longest headsign taken for a train number.
const LONGEST_NUMBER: usize = 8;

fn filled(text: Option<&str>) -> Option<&str> {
    text.map(str::trim).filter(|text| !text.is_empty())
}

fn is_number(text: &str) -> bool {
    text.len() <= LONGEST_NUMBER && text.bytes().all(|byte| byte.is_ascii_digit())
}

pub(super) fn train_number<'a>(short_name: Option<&'a str>, headsign: Option<&'a str>) -> Option<&'a str> {
    filled(short_name).or_else(|| filled(headsign).filter(|text| is_number(text)))
}

pub(super) fn terminus<'a>(headsign: Option<&'a str>, last_station: &'a str) -> &'a str {
    filled(headsign).filter(|text| !is_number(text)).unwrap_or(last_station)
}

/// The brand inside an SNCF stop id: `StopPoint:OCE<brand>-<UIC code>`.
fn brand_in_stop_id(stop_id: &str) -> Option<&str> {
    let (brand, code) = stop_id.strip_prefix("StopPoint:OCE")?.rsplit_once('-')?;
    let is_code = !code.is_empty() && code.bytes().all(|byte| byte.is_ascii_digit());
    filled(Some(brand)).filter(|_| is_code)
}

/// The names a route and its agency offer, best first, as the feed has them.
pub(super) fn brand<'a>(
    first_stop_id: &'a str,
    route_short: Option<&'a str>,
    route_long: Option<&'a str>,
    agency: Option<&'a str>,
) -> Option<&'a str> {
    brand_in_stop_id(first_stop_id)
        .or_else(|| filled(route_short))
        .or_else(|| filled(route_long))
        .or_else(|| filled(agency))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn number_comes_from_the_short_name_or_a_numeric_headsign() {
        for (short, headsign, expected) in [
            (Some("850007"), Some("Rennes"), Some("850007")),
            (None, Some("12221"), Some("12221")),
            (Some(" "), Some("12221"), Some("12221")),
            (None, Some("South Ferry"), None),
            (None, Some("123456789"), None),
            (None, None, None),
        ] {
            assert_eq!(train_number(short, headsign), expected, "{short:?} {headsign:?}");
        }
    }

    #[test]
    fn terminus_is_never_a_number() {
        assert_eq!(terminus(Some("12221"), "Lyon Part Dieu"), "Lyon Part Dieu");
        assert_eq!(terminus(Some("South Ferry"), "Whitehall"), "South Ferry");
        assert_eq!(terminus(None, "Rennes"), "Rennes");
    }

    #[test]
    fn brand_comes_from_the_stop_id_then_the_route_then_the_agency() {
        for (stop, short, long, expected) in [
            ("StopPoint:OCETGV INOUI-87391003", Some("001G"), None, Some("TGV INOUI")),
            ("StopPoint:OCEOUIGO-87391003", None, None, Some("OUIGO")),
            ("StopPoint:OCE-87391003", Some("001G"), None, Some("001G")),
            ("RNS-1", Some("Littoral"), Some("Rennes - Brest"), Some("Littoral")),
            ("RNS-1", None, Some("Rennes - Brest"), Some("Rennes - Brest")),
            ("RNS-1", Some(""), None, Some("An agency")),
        ] {
            assert_eq!(brand(stop, short, long, Some("An agency")), expected, "{stop}");
        }
    }
}
