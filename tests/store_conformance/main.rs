//! One suite for both databases: each case runs on SQLite (a file) and on Postgres, each time in a database of
//! its own. What one dialect does by nature and the other not is for the store to level, and for this to prove.

#![allow(clippy::unwrap_used)] // the helpers of tests are tests

mod conversations;
mod given;
mod group_commit;
mod guards;
mod history;
mod hours;
mod ingest;
mod lanes;
mod notes;
mod notices;
mod people;
mod programs;
mod schema;
#[path = "../support/mod.rs"]
mod support;
mod views;
mod withdraw;

macro_rules! conformance {
    ($($module:ident { $($case:ident),+ $(,)? })+) => {
        mod sqlite {
            use crate::support::{TestDb, run};
            $($(
                #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
                async fn $case() {
                    run(TestDb::sqlite().await, crate::$module::$case).await;
                }
            )+)+
        }
        mod postgres {
            use crate::support::{TestDb, run};
            $($(
                #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
                async fn $case() {
                    if let Some(db) = TestDb::postgres().await {
                        run(db, crate::$module::$case).await;
                    }
                }
            )+)+
        }
    };
}

conformance! {
    ingest {
        an_inbound_message_brings_its_conversation_job_and_events,
        a_repeated_delivery_is_stored_once,
        twenty_concurrent_twins_are_stored_once,
        one_id_on_two_channels_is_two_messages,
        seq_is_gapless_and_jobs_follow_it_under_concurrency,
        any_text_comes_back_as_it_went_in,
        a_nul_character_is_replaced_the_same_way,
        an_oversized_key_is_refused,
        times_are_64_bit,
    }
    conversations {
        a_contact_has_one_conversation_that_is_not_over,
        a_resolved_conversation_reopens_within_the_window,
        what_reopens_is_with_the_bot_again,
        everything_of_a_conversation_is_saved,
        everything_of_a_message_is_stored,
        set_status_keeps_what_is_not_said,
        a_contact_history_is_in_order_of_arrival,
        a_worker_and_a_new_message_never_deadlock,
    }
    lanes {
        only_the_head_of_a_lane_can_be_claimed,
        a_waiting_retry_holds_its_lane_only,
        processing_and_sending_are_two_lanes,
        two_claimers_share_no_job,
        a_lost_claim_cannot_end_the_job,
        a_job_behind_ends_with_its_head,
        release_all_frees_every_claim,
        attempts_count_up,
        next_job_at_is_when_a_claim_can_succeed,
        jobs_are_counted_by_kind,
    }
    guards {
        events_are_append_only,
        the_audit_log_is_append_only,
        what_is_dropped_leaves_nothing,
        a_transaction_with_a_failed_statement_cannot_commit,
        reading_cannot_write,
        a_reader_sees_one_moment,
        every_name_of_an_enum_is_accepted_and_no_other,
        hints_are_told_after_the_commit_only,
    }
    notes {
        a_note_calls_until_it_is_read,
        a_draft_is_told_when_it_changes_only,
        tags_are_offered_latest_first,
        a_proposal_is_kept_once_and_decided_once,
        a_person_is_who_agents_say,
    }
    notices {
        a_watch_is_kept_once_and_for_its_time,
        watches_are_kept_until_they_are_ended,
        who_opts_out_hears_the_confirmation_and_nothing_else,
        what_was_told_last_is_remembered,
        a_correction_is_committed_once,
        an_event_is_said_to_a_contact_once,
        a_notice_goes_where_the_contact_is,
    }
    people {
        a_login_is_taken_once,
        a_session_ends,
        a_new_password_ends_every_session,
        an_access_ends_with_its_sessions,
        sessions_are_listed_and_ended,
        failures_are_counted_until_the_lock,
        codes_are_used_once,
        a_step_is_tried_so_often_and_in_time,
        an_invitation_is_used_once,
        people_are_found_by_what_they_have,
        the_audit_log_is_filtered_and_paged,
        a_nonce_is_used_once,
    }
    programs {
        a_token_opens_until_it_ends,
        a_hook_reads_no_further_than_what_surely_happened,
        deliveries_wait_in_their_order,
    }
    views {
        the_queue_is_by_priority_then_age,
        the_queue_shows_trouble_and_the_last_words,
        events_of_a_period_are_those_of_its_conversations,
    }
    withdraw {
        what_was_taken_back_is_gone_and_known,
        what_a_worker_has_held_stays,
        of_worker_and_agent_one_wins,
        a_proposal_is_for_one_agent_in_one_conversation,
    }
    hours {
        the_same_call_is_raised_once_with_its_job,
        a_promise_is_told_once,
        what_changed_in_the_content_is_kept,
        a_survey_is_of_one_conversation_and_open_while_none_else_is,
    }
    schema {
        every_statement_prepares,
        migrating_again_changes_nothing,
    }
    history {
        the_last_word_about_a_train_is_kept,
    }
}
