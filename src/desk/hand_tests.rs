use super::dispatch::Dispatcher;
use super::hand::{Receiver, decline, hand_back, leave, set_presence, snooze, transfer, wake};
use super::hours::Calendar;
use super::oncall::OnCall;
use super::tests::{Desk, NOW, desk, person};
use super::*;
use crate::clock::{Clock, ManualClock};
use crate::config::{ByPriority, HoursConfig, RoutingConfig, RoutingMode, SlaConfig, Span};
use crate::model::{Presence, Team, TeamId};
use crate::store::{Ingest, Member};
use std::sync::Arc;
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);

fn dispatcher(desk: &Desk, clock: Arc<ManualClock>) -> Dispatcher {
    let config = RoutingConfig { mode: RoutingMode::Offer, ..RoutingConfig::default() };
    let calendar = Calendar::new(HoursConfig::default(), jiff::tz::TimeZone::UTC);
    Dispatcher {
        store: desk.store.clone(),
        clock,
        config,
        sla: SlaConfig::default(),
        calendar,
        on_call: OnCall::default(),
    }
}

async fn there(desk: &Desk, agent: &Agent) {
    set_presence(&desk.store, NOW, agent, Presence::Available).await.unwrap();
}

async fn presence(desk: &Desk, agent: &Agent) -> Presence {
    let seats = desk.store.read().await.unwrap().seats(NOW).await.unwrap();
    seats.iter().find(|seat| seat.agent.id == agent.id).unwrap().presence
}

#[tokio::test]
async fn an_offer_is_accepted_by_its_agent_only() {
    let desk = desk().await;
    let clock = Arc::new(ManualClock::at(NOW));
    let dispatcher = dispatcher(&desk, clock.clone());
    assert_eq!(dispatcher.pass().await.unwrap(), 0, "nobody is there");
    there(&desk, &desk.camille).await;
    assert_eq!(dispatcher.pass().await.unwrap(), 1);
    assert_eq!(dispatcher.pass().await.unwrap(), 0, "offered once");
    let refused = desk.take(&desk.sacha).await.unwrap_err();
    assert!(matches!(refused, DeskError::Offered { name } if name == "Camille"));
    desk.take(&desk.camille).await.unwrap();
    let (conversation, _, events) = desk.read().await;
    assert_eq!(conversation.agent_id, Some(desk.camille.id));
    assert_eq!(conversation.desk.offered_to, None);
    assert!(events.ends_with(&[EventKind::Offered, EventKind::Taken]), "{events:?}");
}

#[tokio::test]
async fn an_offer_that_passes_goes_to_the_next_and_who_misses_two_is_away() {
    let desk = desk().await;
    let clock = Arc::new(ManualClock::at(NOW));
    let dispatcher = dispatcher(&desk, clock.clone());
    there(&desk, &desk.camille).await;
    dispatcher.pass().await.unwrap();
    there(&desk, &desk.sacha).await;
    clock.advance(Duration::from_secs(31));
    dispatcher.pass().await.unwrap();
    let (conversation, ..) = desk.read().await;
    assert_eq!(conversation.desk.offer(clock.now()), Some(desk.sacha.id), "not Camille again");
    assert_eq!(presence(&desk, &desk.camille).await, Presence::Available, "one may be missed");
    decline(&desk.store, clock.now(), &desk.sacha, desk.conversation).await.unwrap();
    // Both refused it for now: anyone may take it, and in five minutes it is offered again.
    assert_eq!(dispatcher.pass().await.unwrap(), 0);
    clock.advance(5 * MINUTE);
    dispatcher.pass().await.unwrap();
    clock.advance(MINUTE);
    dispatcher.pass().await.unwrap();
    let missed = presence(&desk, &desk.camille).await;
    assert_eq!(missed, Presence::Away, "two in a row: she is not there");
}

#[tokio::test]
async fn only_the_team_is_offered_what_is_the_teams() {
    let desk = desk().await;
    let clock = Arc::new(ManualClock::at(NOW));
    let team =
        Team { id: TeamId::new(), name: "Night".into(), languages: vec![], topics: vec![], channels: vec![] };
    let mut tx = desk.store.begin().await.unwrap();
    tx.save_team(&team, NOW).await.unwrap();
    // Sacha helps until midnight.
    let until = Some(NOW.plus(60 * MINUTE));
    tx.save_member(Member { team: team.id, agent: desk.sacha.id, until }).await.unwrap();
    let mut conversation = tx.lock_conversation(desk.conversation).await.unwrap().unwrap();
    conversation.desk.team = Some(team.id);
    tx.save_conversation(&conversation).await.unwrap();
    tx.commit().await.unwrap();
    there(&desk, &desk.camille).await;
    let dispatcher = dispatcher(&desk, clock.clone());
    assert_eq!(dispatcher.pass().await.unwrap(), 0);
    there(&desk, &desk.sacha).await;
    assert_eq!(dispatcher.pass().await.unwrap(), 1);
    clock.advance(61 * MINUTE);
    dispatcher.pass().await.unwrap();
    let (conversation, ..) = desk.read().await;
    assert_eq!(conversation.desk.offer(clock.now()), None, "the guest's time in the team is over");
}

#[tokio::test]
async fn a_transfer_gives_it_to_a_colleague_or_to_a_team() {
    let desk = desk().await;
    let boss = person(&desk.store, "Boss", Role::Manager).await;
    let team =
        Team { id: TeamId::new(), name: "Lost".into(), languages: vec![], topics: vec![], channels: vec![] };
    let mut tx = desk.store.begin().await.unwrap();
    tx.save_team(&team, NOW).await.unwrap();
    tx.commit().await.unwrap();
    let to = |agent: &Agent| Receiver::Agent(agent.id);
    let give =
        async |by: &Agent, receiver| transfer(&desk.store, NOW, by, desk.conversation, receiver, "").await;
    assert!(matches!(give(&desk.camille, to(&desk.sacha)).await, Err(DeskError::NotInCharge)));
    desk.take(&desk.camille).await.unwrap();
    assert!(matches!(give(&desk.sacha, to(&desk.sacha)).await, Err(DeskError::InCharge { .. })));
    let nobody = Receiver::Agent(AgentId::new());
    assert!(matches!(give(&desk.camille, nobody).await, Err(DeskError::NoReceiver)));
    give(&desk.camille, to(&desk.sacha)).await.unwrap();
    assert_eq!(desk.read().await.0.agent_id, Some(desk.sacha.id));
    give(&boss, Receiver::Team(team.id)).await.unwrap();
    let (conversation, _, events) = desk.read().await;
    assert_eq!(conversation.state, ConversationState::Queued);
    assert_eq!((conversation.agent_id, conversation.desk.team), (None, Some(team.id)));
    assert_eq!(events.iter().filter(|kind| **kind == EventKind::Transferred).count(), 2);
}

#[tokio::test]
async fn a_snooze_ends_with_its_time_or_with_the_customers_next_message() {
    let desk = desk().await;
    let clock = Arc::new(ManualClock::at(NOW));
    let dispatcher = dispatcher(&desk, clock.clone());
    desk.take(&desk.camille).await.unwrap();
    let put_off =
        async |until| snooze(&desk.store, clock.now(), &desk.camille, desk.conversation, until).await;
    assert!(matches!(put_off(NOW).await, Err(DeskError::SnoozeTime)));
    put_off(NOW.plus(60 * MINUTE)).await.unwrap();
    assert_eq!(dispatcher.pass().await.unwrap(), 0);
    clock.advance(60 * MINUTE);
    assert_eq!(dispatcher.pass().await.unwrap(), 1);
    assert_eq!(desk.read().await.0.desk.snoozed_until, None);
    put_off(clock.now().plus(60 * MINUTE)).await.unwrap();
    let mut tx = desk.store.begin().await.unwrap();
    let inbound =
        Ingest { channel: "web", address: "a", provider_id: "2", text: "et ?", ..Ingest::default() };
    tx.ingest(inbound, clock.now(), Duration::ZERO).await.unwrap();
    tx.commit().await.unwrap();
    let (conversation, _, events) = desk.read().await;
    assert_eq!(conversation.desk.snoozed_until, None);
    assert_eq!(events.iter().filter(|kind| **kind == EventKind::Woken).count(), 2);
}

#[tokio::test]
async fn who_signs_out_leaves_nothing_behind() {
    let desk = desk().await;
    there(&desk, &desk.camille).await;
    desk.take(&desk.camille).await.unwrap();
    snooze(&desk.store, NOW, &desk.camille, desk.conversation, NOW.plus(MINUTE)).await.unwrap();
    let mut tx = desk.store.begin().await.unwrap();
    leave(&mut tx, NOW, &desk.camille).await.unwrap();
    tx.commit().await.unwrap();
    let (conversation, _, events) = desk.read().await;
    assert_eq!((conversation.state, conversation.agent_id), (ConversationState::Queued, None));
    assert_eq!(conversation.desk.snoozed_until, None);
    assert_eq!(events.last(), Some(&EventKind::Released));
    assert_eq!(presence(&desk, &desk.camille).await, Presence::Away);
}

#[tokio::test]
async fn a_promise_is_warned_of_missed_and_kept_by_an_answer() {
    let desk = desk().await;
    let clock = Arc::new(ManualClock::at(NOW));
    let minutes = |n: u64| ByPriority { normal: Some(Span::seconds(n * 60)), ..ByPriority::default() };
    let sla = SlaConfig { first_answer: minutes(10), next_answer: minutes(20), ..SlaConfig::default() };
    let dispatcher = Dispatcher { sla, ..dispatcher(&desk, clock.clone()) };
    let looked = async |after: Duration| {
        clock.advance(after);
        dispatcher.pass().await.unwrap();
        let (conversation, _, events) = desk.read().await;
        let told =
            events.into_iter().filter(|kind| matches!(kind, EventKind::SlaWarned | EventKind::SlaBreached));
        (conversation.desk, told.collect::<Vec<_>>())
    };
    let again = Dispatcher { clock: clock.clone(), ..dispatcher.clone() };
    let (desk_state, told) = looked(Duration::ZERO).await;
    assert_eq!((desk_state.first_due_at, told), (Some(NOW.plus(10 * MINUTE)), vec![]));
    assert_eq!(looked(6 * MINUTE).await.1, [EventKind::SlaWarned]);
    assert_eq!(looked(5 * MINUTE).await.1, [EventKind::SlaWarned, EventKind::SlaBreached]);
    // Another server, or the same after a restart, knows what was told.
    again.pass().await.unwrap();
    assert_eq!(looked(MINUTE).await.1, [EventKind::SlaWarned, EventKind::SlaBreached]);
    desk.take(&desk.camille).await.unwrap();
    desk.reply_at(clock.now(), "Bonjour").await;
    let (desk_state, _) = looked(MINUTE).await;
    assert_eq!((desk_state.first_due_at, desk_state.next_due_at, desk_state.breached_at), (None, None, None));
    let written = clock.now();
    let mut tx = desk.store.begin().await.unwrap();
    let inbound =
        Ingest { channel: "web", address: "a", provider_id: "2", text: "et ?", ..Ingest::default() };
    tx.ingest(inbound, written, Duration::ZERO).await.unwrap();
    tx.commit().await.unwrap();
    let (desk_state, _) = looked(MINUTE).await;
    assert_eq!(desk_state.next_due_at, Some(written.plus(20 * MINUTE)));
}

#[tokio::test]
async fn a_note_goes_with_a_transfer_or_neither_happens() {
    let desk = desk().await;
    desk.take(&desk.camille).await.unwrap();
    let give = async |note: &str| {
        let to = Receiver::Agent(desk.sacha.id);
        transfer(&desk.store, NOW, &desk.camille, desk.conversation, to, note).await
    };
    assert!(matches!(give(&"é".repeat(2_001)).await, Err(DeskError::TooLong { max: 2_000 })));
    assert_eq!(desk.read().await.0.agent_id, Some(desk.camille.id), "it is still hers");
    give(" Bonjour,\r\nbillet perdu ").await.unwrap();
    assert_eq!(desk.read().await.0.agent_id, Some(desk.sacha.id));
    let mut tx = desk.store.read().await.unwrap();
    let told = tx.mentions(desk.sacha.id, 9).await.unwrap();
    let [mention] = &told[..] else { panic!("{told:?}") };
    assert_eq!((mention.note.text.as_str(), mention.by.as_str()), ("Bonjour,\nbillet perdu", "Camille"));
}

#[tokio::test]
async fn the_bot_has_it_back_as_if_nobody_had_been_called() {
    let desk = desk().await;
    let back = async |agent: &Agent| hand_back(&desk.store, NOW, agent, desk.conversation).await;
    assert!(matches!(back(&desk.camille).await, Err(DeskError::NotInCharge)), "it waits for people");
    desk.take(&desk.camille).await.unwrap();
    let mut tx = desk.store.begin().await.unwrap();
    let mut conversation = tx.lock_conversation(desk.conversation).await.unwrap().unwrap();
    conversation.dialogue.hushed = true;
    conversation.dialogue.asked = Some("from".into());
    conversation.dialogue.intent = Some("schedules.next_departure".into());
    conversation.desk.tags = vec!["vip".into()];
    conversation.desk.first_due_at = Some(NOW);
    tx.save_conversation(&conversation).await.unwrap();
    tx.commit().await.unwrap();
    assert!(matches!(back(&desk.sacha).await, Err(DeskError::InCharge { .. })));
    for _ in 0..2 {
        back(&desk.camille).await.unwrap();
    }
    let (conversation, _, events) = desk.read().await;
    assert_eq!((conversation.state, conversation.agent_id), (ConversationState::Bot, None));
    assert_eq!((conversation.reason, conversation.escalated_at), (None, None));
    assert_eq!((conversation.desk.first_due_at, conversation.desk.tags), (None, vec!["vip".to_owned()]));
    let dialogue = conversation.dialogue;
    assert_eq!((dialogue.hushed, dialogue.asked), (false, None));
    assert_eq!(dialogue.intent.as_deref(), Some("schedules.next_departure"), "it remembers");
    assert_eq!(events.iter().filter(|kind| **kind == EventKind::HandedBack).count(), 1);

    desk.take(&desk.camille).await.unwrap();
    let boss = person(&desk.store, "Boss", Role::Manager).await;
    back(&boss).await.unwrap();
    assert_eq!(desk.read().await.0.state, ConversationState::Bot);
}

#[tokio::test]
async fn a_snooze_is_ended_by_its_agent_or_a_manager() {
    let desk = desk().await;
    desk.take(&desk.camille).await.unwrap();
    snooze(&desk.store, NOW, &desk.camille, desk.conversation, NOW.plus(MINUTE)).await.unwrap();
    let wake = async |agent: &Agent| wake(&desk.store, NOW, agent, desk.conversation).await;
    assert!(matches!(wake(&desk.sacha).await, Err(DeskError::InCharge { .. })));
    for _ in 0..2 {
        wake(&desk.camille).await.unwrap();
    }
    let (conversation, _, events) = desk.read().await;
    assert_eq!(conversation.desk.snoozed_until, None);
    assert_eq!(events.iter().filter(|kind| **kind == EventKind::Woken).count(), 1);
}
