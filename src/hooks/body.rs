//! What a hook is told of a line of the log.

use super::HookKind;
use crate::store::HookEvent;
use serde_json::{Value, json};
use uuid::Uuid;

/// The JSON that is posted, the same at every try.
pub fn of(id: Uuid, kind: HookKind, told: &HookEvent, public_url: &str) -> String {
    let event = &told.event;
    let conversation = event.conversation_id.map(|id| {
        json!({
            "id": id,
            "channel": told.channel,
            "lang": told.lang,
            "intent": told.intent,
            "url": format!("{public_url}/console/conversations/{id}"),
        })
    });
    let agent = event.agent_id.map(|id| json!({ "id": id, "name": told.agent_name }));
    let mut body = json!({
        "id": id,
        "type": format!("conversation.{kind}"),
        "seq": event.seq,
        "at": event.at.to_string(),
        "actor": event.actor,
        "conversation": conversation,
        "agent": agent,
        "message": event.message_id,
    });
    if kind == HookKind::Escalated {
        for name in ["reason", "priority"] {
            body[name] = event.data.get(name).cloned().unwrap_or(Value::Null);
        }
    }
    body.to_string()
}
