//! Calls to whoever is on call, news of promises, versions of the content, surveys, handover.

use crate::store::driver::Statement;

macro_rules! survey_columns {
    () => {
        "s.conversation_id, s.message_id, s.asked_at, s.until_at, s.score, s.comment, s.answered_at, s.comment_until"
    };
}

// What makes a conversation one that may be asked about. $1, $2: resolved after and at; $3: contacts asked since; $4: 1 to ask
// about conversations that no person had.
macro_rules! survey_wanted {
    () => {
        "FROM conversations c JOIN contacts k ON k.id = c.contact_id WHERE c.state = 'resolved' \
         AND c.resolved_at > $1 AND c.resolved_at <= $2 AND k.opted_out_at IS NULL AND k.blocked_at IS NULL \
         AND NOT EXISTS (SELECT 1 FROM surveys s WHERE s.conversation_id = c.id) \
         AND NOT EXISTS (SELECT 1 FROM conversations o WHERE o.contact_id = c.contact_id AND o.opened_at > c.opened_at) \
         AND NOT EXISTS (SELECT 1 FROM surveys s JOIN conversations o ON o.id = s.conversation_id \
         WHERE o.contact_id = c.contact_id AND s.asked_at > $3) \
         AND NOT EXISTS (SELECT 1 FROM quarantine q WHERE q.contact_id = c.contact_id) \
         AND NOT EXISTS (SELECT 1 FROM events e WHERE e.conversation_id = c.id AND (e.kind IN ('opted_out', 'spam_confirmed') \
         OR (e.kind = 'escalated' AND e.data LIKE '%\"emergency\"%'))) \
         AND ($4 = 1 OR EXISTS (SELECT 1 FROM messages m WHERE m.conversation_id = c.id AND m.author = 'agent' \
         AND m.status IN ('sent', 'delivered')))"
    };
}

statements! {
    ALERT_INSERT = "INSERT INTO alerts (id, kind, conversation_id, message_id, about, created_at, data) \
        VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (conversation_id, kind, about) DO NOTHING";
    ALERT_FIND = "SELECT kind, conversation_id, message_id, created_at, data, answer, delivered_at, failed_at FROM alerts WHERE id = $1";
    ALERT_ANSWERED = "UPDATE alerts SET answer = $2 WHERE id = $1";
    ALERT_DELIVERED = "UPDATE alerts SET answer = $2, delivered_at = $3 WHERE id = $1";
    ALERT_FAILED = "UPDATE alerts SET answer = $2, failed_at = $3 WHERE id = $1";
    // Until one arrives again.
    ALERTS_UNHEARD = "SELECT COUNT(*) AS n FROM alerts WHERE failed_at > $1 \
        AND failed_at > COALESCE((SELECT MAX(d.delivered_at) FROM alerts d WHERE d.delivered_at IS NOT NULL), 0)";

    PROMISE_NEWS_INSERT = "INSERT INTO promise_news (conversation_id, promise, since_at, news, told_at) \
        VALUES ($1, $2, $3, $4, $5) ON CONFLICT (conversation_id, promise, since_at, news) DO NOTHING";
    PROMISE_NEWS = "SELECT n.conversation_id, n.promise, n.since_at, n.news FROM promise_news n \
        JOIN conversations c ON c.id = n.conversation_id WHERE c.state IN ('queued', 'in_charge')";
    // For supervisors: promises of open conversations that are near or missed, the longest missed first.
    PROMISES_IN_DANGER = concat!("SELECT ", conversation_columns!(), ", k.address, a.name AS agent_name \
        FROM conversations c JOIN contacts k ON k.id = c.contact_id LEFT JOIN agents a ON a.id = c.agent_id \
        WHERE c.state IN ('queued', 'in_charge') AND (c.warned_at IS NOT NULL OR c.breached_at IS NOT NULL) \
        ORDER BY CASE WHEN c.breached_at IS NULL THEN 1 ELSE 0 END, COALESCE(c.breached_at, c.warned_at), c.id LIMIT $1");

    CONTENT_LATEST = "SELECT files FROM content_versions ORDER BY at DESC, id DESC LIMIT 1";
    CONTENT_INSERT = "INSERT INTO content_versions (id, at, files, changes) VALUES ($1, $2, $3, $4)";
    CONTENT_SINCE = "SELECT at, changes FROM content_versions WHERE at > $1 ORDER BY at, id LIMIT $2";

    SURVEYS_WANTED = concat!("SELECT ", conversation_columns!(), " ", survey_wanted!(),
        " AND (c.resolved_at, c.id) > ($5, $6) ORDER BY c.resolved_at, c.id LIMIT $7");
    SURVEY_WANTED = concat!("SELECT c.id ", survey_wanted!(), " AND c.id = $5");
    SURVEY_INSERT = "INSERT INTO surveys (conversation_id, message_id, asked_at, until_at, team_id, comment_until) \
        VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (conversation_id) DO NOTHING";
    SURVEY_OF_CONVERSATION = concat!("SELECT ", survey_columns!(), " FROM surveys s WHERE s.conversation_id = $1");
    // The latest one of a contact who has no open conversation.
    SURVEY_OPEN = concat!("SELECT ", survey_columns!(), " FROM surveys s JOIN conversations c ON c.id = s.conversation_id \
        WHERE c.contact_id = $1 AND s.until_at > $2 AND NOT EXISTS (SELECT 1 FROM conversations o \
        WHERE o.contact_id = $1 AND o.state <> 'resolved') ORDER BY s.asked_at DESC LIMIT 1");
    SURVEY_SCORE = "UPDATE surveys SET score = $2, answered_at = COALESCE(answered_at, $3), comment_until = $4 \
        WHERE conversation_id = $1";
    SURVEY_COMMENT = "UPDATE surveys SET comment = $2 WHERE conversation_id = $1";
    MESSAGE_MOVE = "UPDATE messages SET conversation_id = $2, seq = $3 WHERE id = $1";
    SURVEYS_OF_PERIOD = "SELECT s.score, s.comment, s.asked_at, c.channel, t.name AS team, s.conversation_id FROM surveys s \
        JOIN conversations c ON c.id = s.conversation_id LEFT JOIN teams t ON t.id = s.team_id \
        WHERE s.asked_at >= $1 AND s.asked_at < $2 ORDER BY s.asked_at, s.conversation_id";

    HANDOVER_EVENTS = "SELECT seq, at, kind, actor, agent_id, conversation_id, message_id, data FROM events \
        WHERE at > $1 AND kind IN ('transferred', 'snoozed', 'sla_breached') ORDER BY seq DESC LIMIT $2";
    HANDOVER_WATCHES = "SELECT w.what, w.until_at FROM watches w JOIN contacts k ON k.id = w.contact_id \
        WHERE w.ended_at IS NULL AND w.until_at > $1 AND k.opted_out_at IS NULL ORDER BY w.until_at, w.id LIMIT $2";
    HANDOVER_NOTES = "SELECT n.conversation_id, n.text, n.created_at, a.name FROM notes n JOIN agents a ON a.id = n.agent_id \
        JOIN conversations c ON c.id = n.conversation_id WHERE c.state IN ('queued', 'in_charge') \
        ORDER BY n.created_at DESC, n.id LIMIT $1";
}
