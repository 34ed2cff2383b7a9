//! What agents leave beside a conversation: notes, drafts, tags, corrections of the bot; and whose other conversations
//! there are.

use crate::store::driver::Statement;

statements! {
    NOTE_INSERT = "INSERT INTO notes (id, conversation_id, agent_id, text, mentions, created_at) \
        VALUES ($1, $2, $3, $4, $5, $6)";
    NOTE_BY_ID = "SELECT n.id, n.conversation_id, n.agent_id, n.text, n.mentions, n.created_at FROM notes n WHERE n.id = $1";
    NOTES_OF_CONVERSATION = "SELECT id, conversation_id, agent_id, text, mentions, created_at FROM \
        (SELECT * FROM notes WHERE conversation_id = $1 ORDER BY created_at DESC, id DESC LIMIT $2) recent \
        ORDER BY created_at, id";
    MENTION_INSERT = "INSERT INTO mentions (note_id, agent_id, conversation_id) VALUES ($1, $2, $3)";
    MENTIONS_READ = "UPDATE mentions SET read_at = $3 WHERE agent_id = $1 AND conversation_id = $2 AND read_at IS NULL";
    MENTIONS_COUNT = "SELECT COUNT(*) AS n FROM mentions WHERE agent_id = $1 AND read_at IS NULL";
    MENTIONS_IN = "SELECT COUNT(*) AS n FROM mentions WHERE agent_id = $1 AND conversation_id = $2 AND read_at IS NULL";
    MENTIONS_UNREAD = "SELECT n.id, n.conversation_id, n.agent_id, n.text, n.mentions, n.created_at, a.name, k.address \
        FROM mentions m JOIN notes n ON n.id = m.note_id JOIN agents a ON a.id = n.agent_id \
        JOIN conversations c ON c.id = n.conversation_id JOIN contacts k ON k.id = c.contact_id \
        WHERE m.agent_id = $1 AND m.read_at IS NULL ORDER BY n.created_at DESC, n.id DESC LIMIT $2";

    DRAFT_SAVE = "INSERT INTO drafts (conversation_id, agent_id, text, updated_at) VALUES ($1, $2, $3, $4) \
        ON CONFLICT (conversation_id, agent_id) DO UPDATE SET text = excluded.text, updated_at = excluded.updated_at \
        WHERE drafts.text <> excluded.text";
    DRAFT_DELETE = "DELETE FROM drafts WHERE conversation_id = $1 AND agent_id = $2";
    DRAFT_OF_AGENT = "SELECT d.agent_id, a.name, d.text, d.updated_at FROM drafts d JOIN agents a ON a.id = d.agent_id \
        WHERE d.conversation_id = $1 AND d.agent_id = $2";

    TAGS_LATELY = "SELECT tags FROM conversations WHERE tags <> '[]' ORDER BY last_message_at DESC LIMIT $1";

    PROPOSAL_INSERT = "INSERT INTO proposed_examples (id, message_id, agent_id, lang, text, read_as, intent, created_at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (message_id, intent) DO NOTHING";
    PROPOSALS_OF_CONVERSATION = concat!("SELECT ", proposal_columns!(), " FROM proposed_examples p \
        JOIN agents a ON a.id = p.agent_id JOIN messages m ON m.id = p.message_id WHERE m.conversation_id = $1 \
        ORDER BY p.created_at, p.id");
    PROPOSALS_OPEN = concat!("SELECT ", proposal_columns!(), " FROM proposed_examples p \
        JOIN agents a ON a.id = p.agent_id JOIN messages m ON m.id = p.message_id WHERE p.decided_at IS NULL \
        ORDER BY p.created_at, p.id LIMIT $1");
    PROPOSALS_ACCEPTED = concat!("SELECT ", proposal_columns!(), " FROM proposed_examples p \
        JOIN agents a ON a.id = p.agent_id JOIN messages m ON m.id = p.message_id WHERE p.accepted = 1 \
        ORDER BY p.decided_at DESC, p.id LIMIT $1");
    PROPOSAL_DECIDE = "UPDATE proposed_examples SET decided_at = $2, decided_by = $3, accepted = $4, \
        text = COALESCE($5, text) WHERE id = $1 AND decided_at IS NULL RETURNING intent, lang";

    CONTACT_SET_PERSON = "UPDATE contacts SET person_id = $2 WHERE id = $1";
    CONTACT_PERSON = "SELECT person_id FROM contacts WHERE id = $1";
    PERSONS_JOIN = "UPDATE contacts SET person_id = $2 WHERE person_id = $1";
    PERSON_CONTACTS = concat!("SELECT ", contact_columns!(), " FROM contacts WHERE person_id = $1 ORDER BY created_at, id");
    // Of the contact, and of the contacts that an agent linked with it.
    CONVERSATIONS_EARLIER = concat!("SELECT ", conversation_columns!(), ", k.address, a.name AS agent_name \
        FROM conversations c JOIN contacts k ON k.id = c.contact_id LEFT JOIN agents a ON a.id = c.agent_id \
        WHERE c.id <> $2 AND c.contact_id IN (SELECT id FROM contacts WHERE id = $1 UNION SELECT id FROM contacts \
        WHERE person_id = (SELECT person_id FROM contacts WHERE id = $1)) ORDER BY c.opened_at DESC, c.id DESC LIMIT $3");
}
