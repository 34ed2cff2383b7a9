//! The words that tell roles, in French and English, with the ways in which they are typed.

/// Directly before a station one leaves.
pub(super) const FROM: &[&str] = &[
    "from", "frm", "form", "depuis", "dpuis", "depui", "dpui", "dps", "departing", "leaving", "quitte",
    "quitter", "quittons", "quittant", "leave", "leaves", "left", "dep", "departs", "aus", "outta", "fro",
    "quit",
];
/// Directly before one that is gone to.
pub(super) const TO: &[&str] = &[
    "to", "too", "tae", "for", "4", "pour", "vers", "ver", "vr", "pr", "por", "pou", "direction", "dir",
    "jusqu", "jusque", "jusqua", "jusq", "towards", "toward", "into", "destination", "reach", "reaching",
    "reaches", "rejoindre", "rejoins", "arrivee", "until", "till", "onto", "bound", "visit", "visiter",
    "rallier", "terminus", "heading", "before", "avant", "go", "goin", "going", "va", "vais", "gagner",
    "regagner", "visiting", "poru", "puor", "pur",
];
/// Directly before one that lies on the way.
pub(super) const VIA: &[&str] = &["via", "through", "thru", "par", "evitant", "crossing", "traverser"];
/// Directly before one where something is.
pub(super) const AT: &[&str] = &[
    "at", "in", "near", "nr", "outside", "around", "dans", "chez", "sur", "inside", "en", "within", "ds",
    "aupres", "on", "after", "apres", "cote", "past", "devant", "ici", "this", "is", "nearest",
];

/// Verbs of going, before "à", "in", "at", "sur".
pub(super) const GOING: &[&str] = &[
    "aller", "alle", "aler", "ale", "alee", "vais", "vai", "va", "vas", "allons", "allez", "vont", "allant",
    "allait", "irai", "irait", "ira", "rendre", "rends", "rend", "descendre", "descends", "descend",
    "rentrer", "rentre", "renter", "rentrons", "retourner", "retourne", "retour", "billet", "emmener",
    "emmene", "direct", "venir", "finis", "finir", "jve", "jvai", "jvais", "veux", "repartir", "repart",
    "continue", "getting", "get", "gets", "ending", "finish", "finishing", "reach", "reservation", "trajet",
    "voyage", "voyager", "accompagner", "filer", "bosser", "travailler", "redescendre", "redescends",
    "descendra", "descendrai", "descendait", "descendez", "descendent", "repasse", "remonter", "remonte",
    "rentrera", "rentrais", "rentrait", "desendr", "dessend", "dessendre",
];
/// "je dois être à Sens", "I must be in Rennes".
pub(super) const BEING_DUE: &[&str] = &[
    "dois", "doit", "devons", "must", "need", "should", "gotta", "faut", "supposed", "expected",
];
/// Verbs of boarding.
pub(super) const BOARDING: &[&str] = &[
    "monte", "monter", "monterai", "montons", "embarque", "embarquer", "board", "boarding", "boarded",
    "boards", "start", "starting", "starts", "commence", "depart", "departs", "departure", "departures",
    "pars", "part", "partir", "partons", "partant", "prends", "prend", "hop", "dropped",
];
/// Words of changing trains.
pub(super) const CHANGING: &[&str] = &[
    "changement", "changements", "changer", "change", "changes", "changing", "chagne", "chnge", "escale",
    "transit", "connect", "connecting", "swap", "stopover", "layover", "arreter",
];
/// Words of stopping and serving: the station is asked about.
pub(super) const STOPPING: &[&str] = &[
    "stop", "stops", "stopping", "call", "calls", "calling", "arrete", "arretent", "arret", "sarete",
    "sarrete", "saret", "dessert", "desservi", "desservie", "serve", "serves", "halt", "marque", "pass",
    "passes", "stp", "correspondance", "correspondances", "connection", "connections", "conection",
    "corespondance", "corespondence",
];
/// "de X" behind these is where one comes from.
pub(super) const LEAVING: &[&str] = &[
    "pars", "part", "partir", "partant", "partent", "partons", "parti", "partis", "partie", "viens",
    "vient", "venant", "venir", "viennent", "venons", "venu", "arrive", "arrivent", "arrives", "arriver",
    "arrivant", "sors", "sort", "sortir", "revenir", "reviens", "revient", "revenant", "rentre", "rentrer",
    "repars", "repart", "retour", "depart", "departs", "partance", "provenance", "origine", "aller", "vais",
    "va", "trajet", "trajets", "liaison", "voyage", "parcours", "descends", "descendre", "billet",
    "billets", "cher", "rapide", "vite", "minutes", "heures", "km", "direct", "out", "departures",
    "demarre", "decolle", "quitte", "jpar", "jpars", "par", "jvien", "jviens", "jarive", "jarrive", "ariv",
    "1er", "proch1", "prochain", "premier", "dernier", "dernié", "depar", "vien", "partnet", "partait",
    "partais", "prtir", "partim",
];
/// "de X" behind these is where something is.
pub(super) const PLACES: &[&str] = &[
    "pres", "cote", "niveau", "hauteur", "quais", "quai", "hall", "guichet", "guichets", "parking",
    "entree", "sortie", "agence", "bout", "ligne", "line", "cause", "mairie", "sud", "nord", "est", "ouest",
    "banlieue", "loin", "autour", "consigne", "bagages", "toilettes", "bord", "centre", "milieu",
    "boutique", "borne", "abri", "station", "arret", "aeroport", "port", "hotel", "hopital", "gares",
    "dehors", "panneau", "agent", "guichetier", "personnel", "equipe", "chef", "ascenseur", "escalator",
    "taxi", "marche", "pont", "tunnel", "wc", "salle",
];
/// Between "gare" and its name, and articles: walked over.
pub(super) const SKIPPED: &[&str] = &[
    "la", "le", "les", "l", "the", "sncf", "ville", "central", "vieux", "petite", "jolie", "our", "my",
    "beautiful", "old", "direct", "directement", "straight", "plutot", "finalement", "juste", "just",
    "donc", "euh", "um", "uh", "er", "bien", "back", "only", "encore", "toujours", "home", "maybe", "d",
    "say",
];
/// "not Chalons", "plus à Brest", "instead of Bellegarde".
pub(super) const NOT: &[&str] = &[
    "pas", "not", "plus", "instead", "lieu", "plutot", "rather", "longer", "non", "isnt", "aint",
];

/// Verbs of arriving, before "à", "in", "at".
pub(super) const ARRIVING: &[&str] = &[
    "arriver", "arrive", "arrivee", "arrives", "arriv", "ariv", "arivee", "arrivera", "arriverai",
    "arrivent", "arrivons", "arriveras", "arriving", "arrival", "arrived", "land", "landed", "landing",
    "lands", "debarquer", "debarque", "due", "atterris", "atterrit", "atterrir",
];
/// "aller voir ma soeur à Toulon".
pub(super) const SEEING: &[&str] = &[
    "voir", "see", "seeing", "visit", "visiter", "retrouver", "rejoindre", "meet", "attend", "attends",
];
/// What one travels to.
pub(super) const EVENTS: &[&str] = &[
    "rdv", "rendez", "reunion", "entretien", "examen", "exam", "exams", "xam", "oral", "concours",
    "mariage", "wedding", "operation", "audience", "chemo", "job", "interview", "concert", "match", "stage",
    "colloque", "conference", "bosse", "jbosse", "bosser", "travaille", "travail", "shift", "boulot", "taf",
    "gig", "meeting", "appointment", "fac", "course", "honeymoon", "hotel", "gite", "vacances", "holiday",
    "service", "party", "anniversaire", "bapteme", "demenage", "festival", "enterrement", "funeral",
    "marie", "lunch", "audition", "formation",
];
pub(super) const OVER: &[&str] = &[
    "fini", "finie", "finit", "finira", "termine", "terminee", "terminera", "acheve", "over", "finish",
    "finishes", "finished", "ends", "ended", "traine", "apres", "after", "sors",
];
/// "je suis à", "I'm in", "stuck in", "coincé à".
pub(super) const BEING: &[&str] = &[
    "suis", "jsui", "jsuis", "sui", "am", "m", "im", "sommes", "stuck", "coince", "coincee", "bloque",
    "bloquee", "perdu", "perdue", "lost", "habite", "jabite", "vis", "live", "living", "stay", "staying",
    "dors", "loge", "sitting", "standing", "attends", "waiting", "poireaute", "on", "plantes", "plante",
    "coinces", "bloques", "marooned", "stranded", "echoue", "dort", "reste", "restee", "reveille",
];
pub(super) const TRAINS: &[&str] = &[
    "train", "trains", "tr1", "trin", "trian", "tarin", "ter", "tgv", "ouigo", "bus", "car", "cars",
    "celui", "celle", "rer", "intercites", "wagon", "navette", "tren", "trn",
];
/// Nouns that stand directly beside where one goes: "billet Rouen", "the Avignon train".
pub(super) const BOUND: &[&str] = &[
    "train", "trains", "trian", "tarin", "tr1", "ticket", "tickets", "billet", "billets", "biye", "tkt",
    "trip", "bus", "coach", "prochain", "proch1", "dernier", "next", "nxt", "last", "first", "one", "run",
    "retour", "return", "single", "simple", "navette", "seat", "seats", "tgv", "ter", "ouigo", "aller",
    "allerretour", "vol", "flight", "tarjet", "trajet", "trajets",
];
