//! What providers tell of our messages.

use super::deliver::{mark_sent, message_event};
use crate::channels::{Receipt, ReceiptState};
use crate::model::{DeliveryStatus, Direction, EventKind, Message, Timestamp};
use crate::store::{StoreError, Tx};

/// Applies a receipt. Receipts arrive late, twice and out of order: a message only moves forward, and one that
/// was in doubt is settled. False: it is about no message of ours.
pub async fn apply_receipt(
    tx: &mut Tx,
    channel: &str,
    receipt: &Receipt,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let Some(message) = find(tx, channel, receipt).await? else { return Ok(false) };
    // Pending after an attempt: the provider did not list it when we asked, and has it after all.
    let tried = message.status == DeliveryStatus::Pending && message.attempted_at.is_some();
    let in_doubt = tried || matches!(message.status, DeliveryStatus::Sending | DeliveryStatus::Unknown);
    if in_doubt {
        mark_sent(tx, &message, Some(&receipt.provider_id), now).await?;
    }
    let on_its_way = in_doubt || message.status == DeliveryStatus::Sent;
    match &receipt.state {
        ReceiptState::Delivered if on_its_way => {
            tx.set_status(&message, DeliveryStatus::Delivered, None, None, None).await?;
            tx.append_event(now, message_event(&message, EventKind::MessageDelivered)).await?;
        }
        ReceiptState::Failed(why) if on_its_way => {
            tx.set_status(&message, DeliveryStatus::Failed, Some(why), None, None).await?;
            tx.append_event(now, message_event(&message, EventKind::MessageFailed)).await?;
        }
        _ => {}
    }
    Ok(true)
}

/// By the provider's id, else by our own when the provider gave it back.
async fn find(tx: &mut Tx, channel: &str, receipt: &Receipt) -> Result<Option<Message>, StoreError> {
    if let Some(message) = tx.lock_message_by_provider_id(channel, &receipt.provider_id).await? {
        return Ok(Some(message));
    }
    let Some(id) = receipt.message_id else { return Ok(None) };
    let message = tx.lock_message(id).await?;
    Ok(message
        .filter(|m| m.channel == channel && m.direction == Direction::Outbound && m.provider_id.is_none()))
}
