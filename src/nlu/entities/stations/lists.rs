//! The words that the gazetteer knows by heart.

/// Words of names that say nothing about which station it is.
pub(super) const GENERIC: &[&str] = &[
    "ville", "gare", "hall", "sncf", "centre", "station", "train", "routiere",
];

/// Names do not begin with these alone.
pub(super) const WEAK_STARTS: &[&str] = &[
    "le", "la", "les", "l", "saint", "sainte", "pont", "port", "mont", "ville", "villers", "gare", "bois",
    "val", "champ", "croix", "grand", "petit", "aire", "mas", "parc", "bourg", "chateau", "de", "du", "des",
    "d", "aeroport", "place", "cite", "nord", "sud", "est", "ouest", "old", "new", "north", "south", "east",
    "west", "haut", "bas",
];

/// Words that may stand before a name without belonging to it.
pub(super) const LITTLE: &[&str] = &[
    "le", "la", "les", "l", "de", "d", "du", "des", "a", "au", "aux", "the", "to", "at", "in", "en", "et",
    "ou", "y",
];

/// Between the parts of one town's name: "Montauban-de-Bretagne" is another town than Montauban.
pub(super) const LINKS: &[&str] = &[
    "en", "sur", "sous", "les", "de", "la", "le", "du", "des", "d", "l", "aux", "pres",
];

/// Words of travel before "to", "pour", "de".
pub(super) const TRAVEL: &[&str] = &[
    "train", "trains", "ticket", "tickets", "go", "going", "get", "getting", "travel", "travelling",
    "traveling", "bus", "tgv", "ter", "billet", "billets", "aller", "alle", "vais", "va", "partir", "pars",
    "part", "depart", "departs", "departure", "departures", "arriver", "arrive", "arrivee", "arrives",
    "tr1", "ouigo", "trajet", "ligne", "line", "voyage", "trip", "return", "retour", "gare", "station",
    "correspondance", "connection", "coming", "vient", "viens", "venir", "rentrer", "rentre", "retourner",
    "monter", "monte", "descendre", "descends", "changer", "change", "arrete", "arret", "stop", "stops",
    "single", "seats", "tkt", "tkts", "trn", "trns", "tarin", "trian", "navette", "car", "depuis", "vol",
    "flight", "seat", "intercites", "rer", "quai", "platform", "terminus", "desservi",
];

/// Before a person's name.
pub(super) const TITLES: &[&str] = &[
    "m", "mr", "mme", "mlle", "monsieur", "madame", "mademoiselle", "dr", "docteur", "pr", "prof", "maitre",
    "me", "mrs", "ms", "miss", "mister", "doctor", "professor", "sir", "lady", "capitaine", "captain",
];
/// Before a relative's or a friend's name, in capitals.
pub(super) const KIN: &[&str] = &[
    "oncle", "tante", "fils", "fille", "frere", "soeur", "mari", "femme", "ami", "amie", "cousin",
    "cousine", "collegue", "papa", "maman", "papi", "mamie", "pere", "mere", "neveu", "niece", "uncle",
    "aunt", "son", "daughter", "brother", "sister", "husband", "wife", "friend", "nephew", "mum", "dad",
    "grandma", "grandpa", "gran", "nan", "colleague", "boss", "chef", "copain", "copine", "mate",
];
/// "née Laval", "she is called Chelles", "dossier au nom d'Angers", "born in Rennes".
pub(super) const NAMING: &[&str] = &[
    "nom", "prenom", "appelle", "prenomme", "surnomme", "called", "named", "name", "surname", "ne", "nee",
    "nes", "born", "signe", "signed", "dame", "maiden", "nomme", "nommee",
];
/// First names that often stand before a family name that is a town's.
pub(super) const FIRST_NAMES: &[&str] = &[
    "albert", "alain", "alice", "andre", "anne", "antoine", "arthur", "bernard", "brigitte", "camille",
    "catherine", "cecile", "charles", "charlotte", "chloe", "christian", "christine", "christophe",
    "claire", "claude", "daniel", "david", "denis", "didier", "dominique", "elise", "emma", "emily", "eric",
    "etienne", "florence", "francois", "francoise", "frederic", "gabriel", "georges", "gerard", "guillaume",
    "guy", "helene", "henri", "hugo", "isabelle", "jack", "jacques", "james", "jane", "jean", "jeanne",
    "jerome", "john", "jules", "julie", "julien", "karim", "kevin", "laura", "laurent", "lea", "louis",
    "louise", "lucas", "lucie", "manon", "marc", "marie", "marion", "martin", "mary", "mathieu", "maurice",
    "michel", "mohamed", "monique", "nathalie", "nicolas", "nicole", "olivier", "pascal", "patrick", "paul",
    "peter", "philippe", "pierre", "rene", "richard", "robert", "romain", "sarah", "simon", "sophie",
    "stephane", "sylvie", "thomas", "valerie", "veronique", "victor", "vincent", "william", "yves", "yann",
];

/// "un bordeaux", "trop nice", "mes deux romans": no station is counted or measured.
pub(super) const NOT_BEFORE_NAMES: &[&str] = &[
    "un", "une", "trop", "tres", "si", "so", "very", "really", "too", "plusieurs", "quelques", "deux",
    "trois", "mes", "tes", "ses", "ces", "nos", "vos", "aucun", "aucune", "some", "any", "a", "an",
];
/// "a glass of bordeaux".
pub(super) const VESSELS: &[&str] = &[
    "verre", "verres", "bouteille", "bouteilles", "glass", "glasses", "bottle", "bottles", "jar", "pot",
    "cup", "tasse", "pint",
];
/// "dijon mustard".
pub(super) const GOODS: &[&str] = &[
    "mustard", "moutarde", "wine", "wines", "vin", "vins", "cheese", "fromage", "sandwich", "sandwiches",
    "fraise", "menthe", "sausage", "saucisse", "soap", "savon",
];
