use super::*;
use crate::model::StationRef;
use crate::nlu::entities::stations::{CommonWords, Gazetteer};

fn roles(message: &str, expected: Option<(&str, &str)>) -> Vec<(&'static str, String)> {
    let stations = ["Rennes", "Brest", "Vitré", "Laval", "Le Mans", "Nantes"];
    let stations = stations.iter().map(|name| StationRef { id: name.to_string(), name: name.to_string() });
    let gazetteer = Gazetteer::new(stations.collect(), &[], &[]);
    let text = Normalised::new(message);
    let found = gazetteer.find(&text, &CommonWords::default(), &[], expected.is_some());
    let expected =
        expected.map(|(kind, role)| Expected { kind: kind.into(), role: role.into(), train: false });
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
