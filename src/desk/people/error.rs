use crate::desk::password;
use crate::store::StoreError;

/// Why an operation on people was refused; the console says it by [`PeopleError::code`].
#[derive(Debug, thiserror::Error)]
pub enum PeopleError {
    #[error("there is no such person")]
    NotFound,
    #[error("your role does not allow this")]
    NotAllowed,
    #[error("the last admin must stay one")]
    LastAdmin,
    #[error("ask another admin to change your own access")]
    Yourself,
    #[error("1 to 64 letters, digits, '.', '-', '_' or '@'")]
    BadLogin,
    #[error("write 1 to 80 characters")]
    BadName,
    #[error("this is no e-mail address")]
    BadEmail,
    #[error("this login is taken")]
    LoginTaken,
    #[error("the password was refused: {}", .0.code())]
    Password(password::Refused),
    /// Used, withdrawn, too old, or never there.
    #[error("this link cannot be used any more")]
    Gone,
    #[error("the date is past")]
    PastDate,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl PeopleError {
    /// The key of its text in the console's language files.
    pub fn code(&self) -> &'static str {
        match self {
            PeopleError::NotFound => "no_person",
            PeopleError::NotAllowed => "not_allowed",
            PeopleError::LastAdmin => "last_admin",
            PeopleError::Yourself => "yourself",
            PeopleError::BadLogin => "bad_login",
            PeopleError::BadName => "bad_name",
            PeopleError::BadEmail => "bad_email",
            PeopleError::LoginTaken => "login_taken",
            PeopleError::Password(refused) => refused.code(),
            PeopleError::Gone => "gone",
            PeopleError::PastDate => "past_date",
            PeopleError::Store(_) => "store",
        }
    }
}
