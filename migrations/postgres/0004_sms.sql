-- What a message sent by SMS takes and costs: SMS, and millionths of the operator's currency. NULL: no SMS, or no price known.
ALTER TABLE messages ADD COLUMN segments BIGINT;
ALTER TABLE messages ADD COLUMN cost BIGINT;
