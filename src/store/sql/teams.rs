//! Teams, who is in them, and who is there.

use crate::store::driver::Statement;

statements! {
    TEAM_UPSERT = "INSERT INTO teams (id, name, languages, topics, channels, created_at) VALUES ($1, $2, $3, $4, $5, $6) \
        ON CONFLICT (id) DO UPDATE SET name = excluded.name, languages = excluded.languages, \
        topics = excluded.topics, channels = excluded.channels";
    TEAM_ARCHIVE = "UPDATE teams SET archived_at = $2 WHERE id = $1 AND archived_at IS NULL";
    TEAMS = "SELECT id, name, languages, topics, channels FROM teams WHERE archived_at IS NULL ORDER BY name";
    MEMBER_UPSERT = "INSERT INTO team_members (team_id, agent_id, until_at) VALUES ($1, $2, $3) \
        ON CONFLICT (team_id, agent_id) DO UPDATE SET until_at = excluded.until_at";
    MEMBER_DELETE = "DELETE FROM team_members WHERE team_id = $1 AND agent_id = $2";
    MEMBERS = "SELECT m.team_id, m.agent_id, m.until_at FROM team_members m JOIN teams t ON t.id = m.team_id \
        WHERE t.archived_at IS NULL AND (m.until_at IS NULL OR m.until_at > $1)";
    // People whose access has not ended, with what they have in hand: what they have in charge and is not snoozed,
    // and what is being offered to them.
    SEATS = "SELECT a.id, a.login, a.name, a.role, a.presence, a.presence_at, a.capacity, a.languages, \
        (SELECT COUNT(*) FROM conversations c WHERE c.agent_id = a.id AND c.state = 'in_charge' \
        AND (c.snoozed_until IS NULL OR c.snoozed_until <= $1)) \
        + (SELECT COUNT(*) FROM conversations c WHERE c.offered_to = a.id AND c.state = 'queued' \
        AND c.offered_until > $1) AS load, \
        (SELECT MAX(c.taken_at) FROM conversations c WHERE c.agent_id = a.id) AS last_taken_at \
        FROM agents a WHERE a.disabled_at IS NULL AND (a.expires_at IS NULL OR a.expires_at > $1) ORDER BY a.name, a.id";
    PRESENCE = "SELECT presence FROM agents WHERE id = $1";
    PRESENCE_SET = "UPDATE agents SET presence = $2, presence_at = $3 WHERE id = $1";
    CAPACITY_SET = "UPDATE agents SET capacity = $2, languages = $3 WHERE id = $1";
    VIEWS = "SELECT id, agent_id, name, query FROM saved_views WHERE agent_id = $1 OR agent_id IS NULL ORDER BY name, id";
    VIEW_INSERT = "INSERT INTO saved_views (id, agent_id, name, query, created_at) VALUES ($1, $2, $3, $4, $5)";
    VIEW_DELETE = "DELETE FROM saved_views WHERE id = $1";
    IN_CHARGE_OF = "SELECT id FROM conversations WHERE agent_id = $1 AND state = 'in_charge' ORDER BY id";
    OFFERED_TO = "SELECT id FROM conversations WHERE offered_to = $1 AND state = 'queued' ORDER BY id";
    OFFERS_OVER = "SELECT id FROM conversations WHERE offered_until <= $1 ORDER BY offered_until, id LIMIT $2";
    // Over, or none was made: to be given out. Most pressing first.
    TO_OFFER = "SELECT id FROM conversations WHERE state = 'queued' AND (offered_until IS NULL OR offered_until <= $1) \
        ORDER BY priority_rank, escalated_at, id LIMIT $2";
    SNOOZES_OVER = "SELECT id FROM conversations WHERE snoozed_until <= $1 AND state = 'in_charge' ORDER BY id LIMIT $2";
    WAKE = "UPDATE conversations SET snoozed_until = NULL WHERE id = $1";
    // What promises are computed from: the customer's oldest message after the last one of a person, and the first one of
    // a person since the hand-over.
    PROMISED = concat!("SELECT ", conversation_columns!(), ", \
        (SELECT MIN(m.created_at) FROM messages m WHERE m.conversation_id = c.id AND m.direction = 'inbound' \
        AND m.seq > COALESCE((SELECT MAX(a.seq) FROM messages a WHERE a.conversation_id = c.id AND a.author = 'agent'), 0)) \
        AS unanswered_since, \
        (SELECT MIN(m.created_at) FROM messages m WHERE m.conversation_id = c.id AND m.author = 'agent' \
        AND m.created_at >= c.escalated_at) AS first_answered_at \
        FROM conversations c WHERE c.state IN ('queued', 'in_charge') AND c.escalated_at IS NOT NULL \
        ORDER BY c.escalated_at LIMIT $1");
    REFUSED_OFFERS = "SELECT agent_id, kind FROM events WHERE conversation_id = $1 AND at > $2 \
        AND kind IN ('offer_declined', 'offer_expired')";
    MISSED_OFFERS = "SELECT kind FROM events WHERE agent_id = $1 AND at > $2 \
        AND kind IN ('offer_declined', 'offer_expired', 'taken', 'agent_answered', 'signed_in') ORDER BY seq DESC LIMIT 5";
    TEAM_NAMED = "SELECT id FROM teams WHERE name = $1";
}
