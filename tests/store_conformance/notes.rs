use crate::given::*;
use crate::support::TestDb;
use guichet::model::*;
use guichet::store::{AgentWithHash, Hint, Note, Proposal, Tx};
use std::sync::Arc;
use uuid::Uuid;

async fn people(tx: &mut Tx) -> [AgentWithHash; 2] {
    let people = [agent("elise"), agent("hugo")];
    for person in &people {
        assert!(tx.insert_agent(person, at(0)).await.unwrap());
    }
    people
}

fn note(c: &Conversation, by: AgentId, to: &[AgentId], text: &str, second: i64) -> Note {
    let created_at = at(second);
    let id = Uuid::now_v7();
    Note { id, conversation: c.id, agent: by, text: text.into(), mentions: to.to_vec(), created_at }
}

pub async fn a_note_calls_until_it_is_read(db: Arc<TestDb>) {
    let (c, other) = (conversation(&db, "+1").await, conversation(&db, "+2").await);
    let mut hints = db.store.hints();
    let mut tx = db.store.begin().await.unwrap();
    let [elise, hugo] = people(&mut tx).await.map(|person| person.agent.id);
    let notes = [
        note(&c, elise, &[hugo], "une 🚆", 1),
        note(&c, hugo, &[], "deux", 2),
        note(&c, elise, &[hugo], "trois", 3),
        note(&other, elise, &[hugo], "ailleurs", 4),
    ];
    for note in &notes {
        tx.insert_note(note).await.unwrap();
    }
    tx.commit().await.unwrap();
    let mut told = Vec::new();
    while let Ok(hint) = hints.try_recv() {
        told.push(hint);
    }
    assert!(told.contains(&Hint::Conversation(c.id)) && told.contains(&Hint::Desk), "{told:?}");

    let mut tx = db.store.read().await.unwrap();
    assert_eq!(tx.notes(c.id, 9).await.unwrap(), notes[..3]);
    assert_eq!(tx.notes(c.id, 2).await.unwrap(), notes[1..3], "the latest ones");
    assert_eq!(tx.note(notes[1].id).await.unwrap().as_ref(), Some(&notes[1]));
    assert_eq!((tx.count_mentions(hugo).await.unwrap(), tx.count_mentions(elise).await.unwrap()), (3, 0));
    assert_eq!(tx.count_mentions_in(hugo, c.id).await.unwrap(), 2);
    let mentions = tx.mentions(hugo, 2).await.unwrap();
    let read: Vec<_> = mentions.iter().map(|m| (m.note.text.as_str(), m.address.as_str())).collect();
    assert_eq!(read, [("ailleurs", "+2"), ("trois", "+1")]);
    drop(tx);
    let mut tx = db.store.begin().await.unwrap();
    tx.read_mentions(hugo, c.id, at(5)).await.unwrap();
    tx.commit().await.unwrap();
    let mut tx = db.store.read().await.unwrap();
    assert_eq!((tx.count_mentions(hugo).await.unwrap(), tx.mentions(hugo, 9).await.unwrap().len()), (1, 1));
}

pub async fn a_draft_is_told_when_it_changes_only(db: Arc<TestDb>) {
    let c = conversation(&db, "+1").await;
    let mut tx = db.store.begin().await.unwrap();
    let [elise, hugo] = people(&mut tx).await.map(|person| person.agent.id);
    tx.commit().await.unwrap();
    // Notices of the givens may still be on their way; a draft's are counted.
    let mut hints = db.store.hints();
    let save = async |agent, text: &str, second| {
        let mut tx = db.store.begin().await.unwrap();
        tx.save_draft(c.id, agent, text, at(second)).await.unwrap();
        tx.commit().await.unwrap();
    };
    save(elise, "B", 1).await;
    save(elise, "Bonjour", 2).await;
    save(elise, "Bonjour", 3).await;
    save(hugo, "moi", 3).await;
    let mut tx = db.store.read().await.unwrap();
    let kept = tx.draft(c.id, elise).await.unwrap().unwrap();
    assert_eq!((kept.text.as_str(), kept.updated_at, kept.name.as_str()), ("Bonjour", at(2), "Élise Ñandú"));
    drop(tx);
    save(elise, "", 4).await;
    save(elise, "", 5).await;
    let mut tx = db.store.read().await.unwrap();
    assert_eq!(tx.draft(c.id, elise).await.unwrap(), None);
    assert_eq!(tx.draft(c.id, hugo).await.unwrap().unwrap().text, "moi");
    let mut told = 0;
    while let Ok(hint) = hints.try_recv() {
        told += usize::from(hint == Hint::Draft(c.id));
    }
    // With Postgres a hint may come twice: from ourselves, and from the database.
    assert!(told >= 4 && (told == 4 || !db.store.single_instance()), "{told}");
}

pub async fn tags_are_offered_latest_first(db: Arc<TestDb>) {
    for (address, second, tags) in [("+1", 1, ["perdu", "vip"]), ("+2", 2, ["bus", "perdu"])] {
        let done = ingested(&db.store, inbound(address, address, "x"), at(second)).await;
        changed(&db, done.conversation_id, |c| c.desk.tags = tags.map(str::to_owned).to_vec()).await;
    }
    conversation(&db, "untagged").await;
    let mut tx = db.store.read().await.unwrap();
    assert_eq!(tx.tags_lately(9).await.unwrap(), ["bus", "perdu", "vip"]);
    assert_eq!(tx.tags_lately(1).await.unwrap(), ["bus", "perdu"]);
}

pub async fn a_proposal_is_kept_once_and_decided_once(db: Arc<TestDb>) {
    let c = conversation(&db, "+1").await;
    let mut tx = db.store.begin().await.unwrap();
    let [elise, hugo] = people(&mut tx).await;
    let message = tx.messages(c.id, 0, 1).await.unwrap().remove(0);
    let proposal = |intent: &str, read_as: Option<&str>, second| Proposal {
        id: Uuid::now_v7(),
        message: message.id,
        conversation: c.id,
        agent: elise.agent.id,
        agent_name: elise.agent.name.clone(),
        lang: Lang::FR,
        text: "où est mon train ?".into(),
        read_as: read_as.map(str::to_owned),
        intent: intent.to_owned(),
        created_at: at(second),
        accepted: None,
    };
    let (delay, thanks) =
        (proposal("traffic.train_delay", Some("x.y"), 1), proposal("general.thanks", None, 2));
    for (proposal, fresh) in [(&delay, true), (&thanks, true), (&delay, false)] {
        let again = Proposal { id: Uuid::now_v7(), ..proposal.clone() };
        let proposal = if fresh { proposal } else { &again };
        assert_eq!(tx.insert_proposal(proposal).await.unwrap(), fresh);
    }
    tx.commit().await.unwrap();
    let mut tx = db.store.begin().await.unwrap();
    assert_eq!(tx.open_proposals(9).await.unwrap(), [delay.clone(), thanks.clone()]);
    assert_eq!(tx.open_proposals(1).await.unwrap(), std::slice::from_ref(&delay));
    let by = hugo.agent.id;
    let decided = tx.decide_proposal(delay.id, by, true, Some("où est le train ?"), at(3)).await.unwrap();
    assert_eq!(decided.as_deref(), Some("traffic.train_delay"));
    assert_eq!(tx.decide_proposal(delay.id, by, false, None, at(4)).await.unwrap(), None);
    tx.decide_proposal(thanks.id, by, false, None, at(4)).await.unwrap();
    tx.commit().await.unwrap();
    let mut tx = db.store.read().await.unwrap();
    let delay = Proposal { text: "où est le train ?".into(), accepted: Some(true), ..delay };
    let thanks = Proposal { accepted: Some(false), ..thanks };
    assert_eq!(tx.accepted_proposals(9).await.unwrap(), std::slice::from_ref(&delay));
    assert_eq!(tx.proposals_of(c.id).await.unwrap(), [delay, thanks]);
    assert!(tx.open_proposals(9).await.unwrap().is_empty());
}

pub async fn a_person_is_who_agents_say(db: Arc<TestDb>) {
    let first = conversation(&db, "+1").await;
    changed(&db, first.id, |c| {
        c.state = ConversationState::Resolved;
        c.resolved_at = Some(at(1));
    })
    .await;
    let second = ingested(&db.store, inbound("+1", "2", "encore"), at(2)).await.conversation_id;
    let (other, third) = (conversation(&db, "+2").await, conversation(&db, "+3").await);
    let earlier = async |c: &Conversation| {
        let mut tx = db.store.read().await.unwrap();
        let found = tx.earlier_conversations(c.contact_id, c.id, 9).await.unwrap();
        found.into_iter().map(|e| (e.address, e.conversation.id)).collect::<Vec<_>>()
    };
    let same = ("+1".to_owned(), second);
    assert_eq!(earlier(&first).await, std::slice::from_ref(&same));
    assert!(earlier(&other).await.is_empty());

    let (mine, theirs) = (Uuid::now_v7(), Uuid::now_v7());
    let mut tx = db.store.begin().await.unwrap();
    let both = tx.lock_contacts(vec![other.contact_id, first.contact_id, other.contact_id]).await.unwrap();
    assert_eq!(both.len(), 2);
    for (contact, person) in
        [(first.contact_id, mine), (other.contact_id, theirs), (third.contact_id, theirs)]
    {
        tx.set_person(contact, Some(person)).await.unwrap();
    }
    tx.join_persons(theirs, mine).await.unwrap();
    tx.set_person(third.contact_id, None).await.unwrap();
    assert_eq!(tx.person_of(other.contact_id).await.unwrap(), Some(mine));
    let addresses: Vec<_> = tx.contacts_of(mine).await.unwrap().into_iter().map(|c| c.address).collect();
    assert_eq!(addresses, ["+1", "+2"]);
    tx.commit().await.unwrap();
    assert_eq!(earlier(&first).await, [same, ("+2".to_owned(), other.id)], "the latest first");
    assert_eq!(earlier(&other).await.len(), 2);
    assert!(earlier(&third).await.is_empty());
}
