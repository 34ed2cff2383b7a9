//! What the desk refuses, as problems: 403 for a role, 404 for what is not there, 422 for a value that cannot be, 409 for
//! one that could be at another moment, 502 for what another system has not done.

use super::problem::Problem;
use crate::channels::Forbidden;
use crate::desk::DeskError;
use crate::desk::people::PeopleError;
use crate::desk::saved_views::ViewError;
use crate::desk::teams::TeamError;
use crate::hooks::manage::HookError;
use axum::http::StatusCode;

fn role(error: &impl ToString) -> Problem {
    Problem::new(StatusCode::FORBIDDEN, "role", error.to_string())
}

fn value(kind: &'static str, error: &impl ToString) -> Problem {
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, kind, error.to_string())
}

fn conflict(kind: &'static str, error: &impl ToString) -> Problem {
    Problem::new(StatusCode::CONFLICT, kind, error.to_string())
}

impl From<DeskError> for Problem {
    fn from(error: DeskError) -> Self {
        match error {
            DeskError::Store(error) => error.into(),
            DeskError::NotFound => Self::not_found(error.to_string()),
            DeskError::ForManagers => role(&error),
            // Its name is the request's, and a problem repeats nothing of that.
            DeskError::Gap(_) => value(error.code(), &"the text has a gap: fill in what stands in [[ ]]"),
            DeskError::Provider(_) => Self::new(StatusCode::BAD_GATEWAY, error.code(), error.to_string()),
            DeskError::Empty
            | DeskError::TooLong { .. }
            | DeskError::SnoozeTime
            | DeskError::NoReceiver
            | DeskError::NoContact
            | DeskError::ManyContacts
            | DeskError::SameIntent
            | DeskError::NoIntent
            | DeskError::CannotModerate
            | DeskError::Forbidden(Forbidden::TooLong { .. }) => value(error.code(), &error),
            DeskError::InCharge { .. }
            | DeskError::NotInCharge
            | DeskError::Resolved
            | DeskError::NewMessages
            | DeskError::NoChannel(_)
            | DeskError::KeyReused
            | DeskError::Withdrawn
            | DeskError::Left
            | DeskError::NotInTrouble
            | DeskError::Offered { .. }
            | DeskError::OptedOut
            | DeskError::NotInQuarantine
            | DeskError::TooManyTags
            | DeskError::TooManyContacts
            | DeskError::Forbidden(Forbidden::TooLate { .. }) => conflict(error.code(), &error),
        }
    }
}

impl From<PeopleError> for Problem {
    fn from(error: PeopleError) -> Self {
        match error {
            PeopleError::Store(error) => error.into(),
            PeopleError::NotFound | PeopleError::Gone => Self::not_found(error.to_string()),
            PeopleError::NotAllowed => role(&error),
            PeopleError::LastAdmin | PeopleError::Yourself | PeopleError::LoginTaken => {
                conflict(error.code(), &error)
            }
            PeopleError::BadLogin
            | PeopleError::BadName
            | PeopleError::BadEmail
            | PeopleError::Password(_)
            | PeopleError::PastDate => value(error.code(), &error),
        }
    }
}

impl From<TeamError> for Problem {
    fn from(error: TeamError) -> Self {
        match error {
            TeamError::Store(error) => error.into(),
            TeamError::NotAllowed => role(&error),
            TeamError::NoTeam | TeamError::NoPerson => Self::not_found(error.to_string()),
            TeamError::NoName => value("no_name", &error),
            TeamError::Capacity => value("capacity", &error),
            TeamError::NameTaken => conflict("name_taken", &error),
        }
    }
}

impl From<ViewError> for Problem {
    fn from(error: ViewError) -> Self {
        match error {
            ViewError::Store(error) => error.into(),
            ViewError::NotAllowed => role(&error),
            ViewError::Empty => value("empty", &error),
            ViewError::TooMany => conflict("too_many", &error),
        }
    }
}

impl From<HookError> for Problem {
    fn from(error: HookError) -> Self {
        match error {
            HookError::Store(error) => error.into(),
            HookError::NotAllowed => role(&error),
            HookError::NotFound => Self::not_found(error.to_string()),
            HookError::TooMany => conflict(error.code(), &error),
            HookError::NoUrl
            | HookError::NotListed
            | HookError::NotEncrypted
            | HookError::Inside
            | HookError::NoKind => value(error.code(), &error),
        }
    }
}
