//! Calls, promises, versions of the content, surveys.

use crate::given::*;
use crate::support::TestDb;
use guichet::model::*;
use guichet::store::{FileChange, NewAlert, Survey, Wanted};
use std::collections::BTreeMap;
use std::sync::Arc;

async fn first_message(db: &TestDb, c: &Conversation) -> Message {
    db.store.read().await.unwrap().messages(c.id, 0, 1).await.unwrap().remove(0)
}

pub async fn the_same_call_is_raised_once_with_its_job(db: Arc<TestDb>) {
    let c = conversation(&db, "a").await;
    let message = first_message(&db, &c).await;
    let alert = |about: &str| NewAlert {
        id: JobId::new(),
        kind: AlertKind::Emergency,
        conversation_id: c.id,
        message_id: message.id,
        about: about.into(),
        data: serde_json::json!({"kind": "emergency"}),
    };
    let mut raised = Vec::new();
    for about in ["1", "1", "2"] {
        let mut tx = db.store.begin().await.unwrap();
        let alert = alert(about);
        if tx.raise_alert(&alert, at(1)).await.unwrap() {
            raised.push(alert);
        }
        tx.commit().await.unwrap();
    }
    assert_eq!(raised.len(), 2);
    let mut tx = db.store.begin().await.unwrap();
    let jobs = tx.claim_jobs(at(2), at(60), 10).await.unwrap();
    let ids: Vec<JobId> = jobs.iter().filter(|j| j.kind.as_str() == "alert").map(|j| j.id).collect();
    assert_eq!(ids, [raised[0].id, raised[1].id], "two lanes: both at once");
    assert_eq!(tx.alert(ids[0]).await.unwrap().unwrap().data, raised[0].data);
    tx.alert_failed(ids[0], "status 500", at(3)).await.unwrap();
    assert_eq!(tx.alerts_unheard(at(0)).await.unwrap(), 1);
    tx.alert_delivered(ids[1], "204", at(4)).await.unwrap();
    assert_eq!(tx.alerts_unheard(at(0)).await.unwrap(), 0);
    tx.commit().await.unwrap();
}

pub async fn a_promise_is_told_once(db: Arc<TestDb>) {
    let c = conversation(&db, "a").await;
    changed(&db, c.id, |c| {
        c.state = ConversationState::Queued;
        c.escalated_at = Some(at(0));
        c.desk.warned_at = Some(at(1));
    })
    .await;
    let told = (c.id, Promise::FirstAnswer, at(0), PromiseNews::Near);
    let mut tx = db.store.begin().await.unwrap();
    assert!(tx.tell_promise(told, at(1)).await.unwrap());
    assert!(!tx.tell_promise(told, at(2)).await.unwrap());
    assert!(tx.tell_promise((c.id, Promise::FirstAnswer, at(0), PromiseNews::Missed), at(2)).await.unwrap());
    assert_eq!(tx.told_promises().await.unwrap().len(), 2);
    assert_eq!(tx.promises_in_danger(10).await.unwrap()[0].conversation.id, c.id);
    tx.commit().await.unwrap();
    changed(&db, c.id, |c| c.state = ConversationState::Resolved).await;
    let mut tx = db.store.read().await.unwrap();
    assert!(tx.told_promises().await.unwrap().is_empty());
    assert!(tx.promises_in_danger(10).await.unwrap().is_empty());
}

pub async fn what_changed_in_the_content_is_kept(db: Arc<TestDb>) {
    let set = |files: &[(&str, &str)]| -> BTreeMap<String, String> {
        files.iter().map(|(name, digest)| ((*name).to_owned(), (*digest).to_owned())).collect()
    };
    let mut tx = db.store.begin().await.unwrap();
    let first = set(&[("a", "1"), ("b", "1")]);
    assert_eq!(tx.keep_content(&first, at(0)).await.unwrap(), Some(vec![]), "the first set changes nothing");
    assert_eq!(tx.keep_content(&first, at(1)).await.unwrap(), None);
    let changes = tx.keep_content(&set(&[("b", "2"), ("c", "1")]), at(2)).await.unwrap().unwrap();
    let change = |file: &str, how: &str| FileChange { file: file.into(), how: how.into() };
    assert_eq!(changes, [change("a", "gone"), change("b", "changed"), change("c", "new")]);
    let since = tx.content_since(at(0), 10).await.unwrap();
    assert_eq!((since.len(), since[0].at, &since[0].changes), (1, at(2), &changes));
    tx.commit().await.unwrap();
}

pub async fn a_survey_is_of_one_conversation_and_open_while_none_else_is(db: Arc<TestDb>) {
    let c = conversation(&db, "a").await;
    let message = first_message(&db, &c).await;
    changed(&db, c.id, |c| {
        c.state = ConversationState::Resolved;
        c.resolved_at = Some(at(10));
    })
    .await;
    let wanted = Wanted { resolved: (at(0), at(10)), not_since: at(0), bot: true };
    let mut tx = db.store.begin().await.unwrap();
    assert_eq!(tx.surveys_wanted(wanted, None, 10).await.unwrap()[0].id, c.id);
    assert!(
        tx.surveys_wanted(wanted, Some((at(10), c.id)), 10).await.unwrap().is_empty(),
        "behind it there is none"
    );
    assert!(!tx.survey_is_wanted(Wanted { bot: false, ..wanted }, c.id).await.unwrap(), "no person wrote");
    assert!(tx.survey_is_wanted(wanted, c.id).await.unwrap());
    let survey = Survey {
        conversation_id: c.id,
        message_id: message.id,
        asked_at: at(20),
        until: at(100),
        score: None,
        comment: None,
        answered_at: None,
        comment_until: Some(at(100)),
    };
    assert!(tx.insert_survey(&survey, &c).await.unwrap());
    assert!(!tx.insert_survey(&survey, &c).await.unwrap());
    assert!(!tx.survey_is_wanted(wanted, c.id).await.unwrap());
    assert_eq!(tx.open_survey(c.contact_id, at(99)).await.unwrap(), Some(survey.clone()));
    assert_eq!(tx.open_survey(c.contact_id, at(100)).await.unwrap(), None);
    tx.set_score(c.id, 4, Some(at(50)), at(30)).await.unwrap();
    tx.set_comment(c.id, "bien").await.unwrap();
    tx.set_score(c.id, 5, Some(at(60)), at(40)).await.unwrap();
    let now = tx.survey(c.id).await.unwrap().unwrap();
    assert_eq!((now.score, now.comment.as_deref(), now.answered_at), (Some(5), Some("bien"), Some(at(30))));
    let of_period = tx.surveys_of_period(at(20), at(21)).await.unwrap();
    assert_eq!((of_period.len(), of_period[0].score, &*of_period[0].channel), (1, Some(5), "sms"));
    tx.commit().await.unwrap();
    // The customer writes of something else: what they write is about that.
    let other = ingested(&db.store, inbound("a", "in-2", "bonjour"), at(50)).await.conversation_id;
    let mut tx = db.store.begin().await.unwrap();
    assert_eq!(tx.open_survey(c.contact_id, at(51)).await.unwrap(), None);
    // A message that was taken for an answer finds its place there.
    let mut message = first_message(&db, &c).await;
    tx.lock_conversation(other).await.unwrap();
    tx.move_message(&mut message, other).await.unwrap();
    assert_eq!((message.conversation_id, message.seq), (other, 2));
    tx.commit().await.unwrap();
    let there = db.store.read().await.unwrap().messages(other, 0, 10).await.unwrap();
    assert_eq!(there.last().map(|m| m.id), Some(message.id));
}
