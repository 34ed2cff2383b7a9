use super::*;

fn gazetteer() -> Gazetteer {
    let names = [
        "Rennes",
        "Vitré",
        "Saint-Malo",
        "Paris Gare de Lyon Hall 1 - 2",
        "Paris Montparnasse Hall 1 - 2",
        "Lyon Part Dieu",
        "Lyon Perrache",
        "Saint-Denis",
        "Saint-Denis",
        "Die",
        "Albert",
        "Dol-de-Bretagne",
        "Nice Ville",
        "Saint-Pierre-des-Corps",
        "Villeneuve-Loubet",
    ];
    let stations = names.iter().enumerate();
    let stations =
        stations.map(|(at, name)| StationRef { id: at.to_string(), name: name.to_string() }).collect();
    let alias = |name: &str, also: &[&str]| Alias {
        name: name.into(),
        also: also.iter().map(|a| a.to_string()).collect(),
    };
    let aliases = [
        alias("Paris Gare de Lyon", &["gare de lyon", "pgl", "paris lyon"]),
        alias("Nice", &[]),
        alias("Gotham", &["gotham city"]),
    ];
    Gazetteer::new(stations, &aliases, &["die".into(), "albert".into(), "nice".into()])
}

fn found(message: &str) -> Vec<String> {
    let text = Normalised::new(message);
    let mentions = gazetteer().find(&text, &CommonWords::default(), &[], false);
    let name = |value: &EntityValue| match value {
        EntityValue::Station { station } => station.name.clone(),
        EntityValue::Ambiguous { options } => format!("{}?", options.len()),
        other => panic!("{other:?}"),
    };
    mentions.iter().map(|mention| name(&mention.value)).collect()
}

#[test]
fn recognises_spellings() {
    for (message, expected) in [
        ("train pour rennes", vec!["Rennes"]),
        ("train pour st malo", vec!["Saint-Malo"]),
        ("train pour saintmalo", vec!["Saint-Malo"]),
        ("train pour RENES", vec!["Rennes"]),
        ("de vitre a reenes", vec!["Vitré", "Rennes"]),
        ("to saint pierre des crops", vec!["Saint-Pierre-des-Corps"]),
        ("gare de lyon", vec!["Paris Gare de Lyon Hall 1 - 2"]),
        ("la gare de Lyon Part-Dieu", vec!["Lyon Part Dieu"]),
        ("from montparnasse", vec!["Paris Montparnasse Hall 1 - 2"]),
        ("à Lyon", vec!["2?"]),
        ("Saint-Denis", vec!["2?"]),
        ("depuis dol de bretagne", vec!["Dol-de-Bretagne"]),
        ("i want to die", vec![]),
        ("train to die", vec!["Die"]),
        ("mon oncle albert est en retard", vec![]),
        ("how nice of you", vec![]),
        ("ticket to Nice please", vec!["Nice Ville"]),
        ("from gotham city", vec!["Gotham"]),
        ("merci beaucoup", vec![]),
        ("", vec![]),
    ] {
        assert_eq!(found(message), expected, "{message}");
    }
}

#[test]
fn a_station_of_the_alias_file_alone_says_so() {
    let text = Normalised::new("gotham");
    let mentions = gazetteer().find(&text, &CommonWords::default(), &[], false);
    assert!(matches!(&mentions[0].value, EntityValue::Station { station } if station.id == "alias:Gotham"));
}

#[test]
fn towns_beyond_the_timetable_are_known() {
    let station = |id: &str, name: &str| StationRef { id: id.into(), name: name.into() };
    let stations = vec![
        station("MDB", "Montauban-de-Bretagne"),
        station("BSV", "Besançon Viotte"),
        station("BSF", "Besançon Franche-Comté TGV"),
    ];
    let town = |name: &str, also: &[&str]| Alias {
        name: name.into(),
        also: also.iter().map(|a| a.to_string()).collect(),
    };
    let known = [
        town("Montauban", &[]),
        town("Besançon", &["besac"]),
        town("Le Croisic", &[]),
        town("Quimper", &[]),
        town("Bordeaux", &[]),
    ];
    let gazetteer = Gazetteer::with_known(stations, &[], &known, &[]);
    let ids = |message: &str| -> Vec<String> {
        let text = Normalised::new(message);
        let mentions = gazetteer.find(&text, &CommonWords::default(), &[], false);
        let ids = |value: &EntityValue| match value {
            EntityValue::Station { station } => station.id.clone(),
            EntityValue::Ambiguous { options } => {
                options.iter().map(|option| &*option.id).collect::<Vec<_>>().join("/")
            }
            other => panic!("{other:?}"),
        };
        mentions.iter().map(|mention| ids(&mention.value)).collect()
    };
    for (message, expected) in [
        // Another town with the same beginning is asked about; the town's own stations are served.
        ("train pour Montauban", vec!["MDB/alias:Montauban"]),
        ("train pour Besançon", vec!["BSF/BSV"]),
        ("de besac à Montauban de Bretagne", vec!["BSF/BSV", "MDB"]),
        ("je suis au Croisic", vec!["alias:Le Croisic"]),
        ("le croisic est joli", vec!["alias:Le Croisic"]),
        ("vers kimper puis bordo", vec!["alias:Quimper", "alias:Bordeaux"]),
        ("M. Quimper est parti", vec![]),
        ("un verre de bordeaux", vec![]),
    ] {
        assert_eq!(ids(message), expected, "{message}");
    }
}
