//! Filters of the queue that people keep, for themselves or for everyone.

use crate::model::{Agent, Role, Timestamp};
use crate::store::{SavedView, Store, StoreError};
use uuid::Uuid;

/// Views of one person, with those of all.
const MOST: usize = 30;
/// Characters of a name.
const LONGEST_NAME: usize = 40;

#[derive(Debug, thiserror::Error)]
pub enum ViewError {
    #[error("a view needs a name, and at least one filter")]
    Empty,
    #[error("there are 30 views already: delete one first")]
    TooMany,
    /// A view of everyone.
    #[error("your role does not allow this")]
    NotAllowed,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Keeps `query`, filters as the queue's page has them. For `everyone`: managers only.
pub async fn save(
    store: &Store,
    now: Timestamp,
    agent: &Agent,
    name: &str,
    query: String,
    everyone: bool,
) -> Result<SavedView, ViewError> {
    let name: String = name.trim().chars().take(LONGEST_NAME).collect();
    if name.is_empty() || query.is_empty() {
        return Err(ViewError::Empty);
    }
    if everyone && agent.role < Role::Manager {
        return Err(ViewError::NotAllowed);
    }
    let mut tx = store.begin().await?;
    if tx.views_of(agent.id).await?.len() >= MOST {
        return Err(ViewError::TooMany);
    }
    let owner = (!everyone).then_some(agent.id);
    let view = SavedView { id: Uuid::now_v7(), agent: owner, name, query };
    tx.insert_view(&view, now).await?;
    tx.commit().await?;
    Ok(view)
}

/// False: the person sees no such view.
pub async fn delete(store: &Store, agent: &Agent, id: Uuid) -> Result<bool, ViewError> {
    let mut tx = store.begin().await?;
    let known = tx.views_of(agent.id).await?.into_iter().find(|view| view.id == id);
    let Some(view) = known else { return Ok(false) };
    if view.agent.is_none() && agent.role < Role::Manager {
        return Err(ViewError::NotAllowed);
    }
    tx.delete_view(id).await?;
    tx.commit().await?;
    Ok(true)
}
