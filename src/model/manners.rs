use super::{Author, Timestamp, named_enum};

/// A message of an exchange, without what makes it heavy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spoken {
    pub author: Author,
    pub text: String,
    pub at: Timestamp,
}

named_enum!(
    /// Why a contact was put in quarantine.
    Suspicion {
        /// A message full of links.
        Links = "links",
        /// Messages that are nothing but a link, again and again.
        RepeatedLink = "repeated_link",
        /// Many contacts wrote the very same within minutes.
        Crowd = "crowd",
    }
);

/// Where a contact stands who seems to send spam.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quarantine {
    pub why: Suspicion,
    /// When a person said that it is spam.
    pub confirmed_at: Option<Timestamp>,
}
