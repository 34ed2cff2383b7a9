-- How people prove who they are: a second step, recovery codes, what waits between two steps.

ALTER TABLE agents ADD COLUMN last_seen_at BIGINT;
-- Offered on the page, not confirmed with a code yet.
ALTER TABLE agents ADD COLUMN totp_pending TEXT;

-- Signed in by the provider of OpenID Connect, which had its own second step.
ALTER TABLE sessions ADD COLUMN by_provider BIGINT NOT NULL DEFAULT 0;
-- Sessions from before have no id to be ended by: their people sign in again.
DELETE FROM sessions;

-- For who lost the phone with the codes; each is used once.
CREATE TABLE recovery_codes (
    agent_id UUID NOT NULL REFERENCES agents (id),
    -- SHA-256 of 80 random bits.
    code_hash TEXT NOT NULL,
    used_at BIGINT,
    PRIMARY KEY (agent_id, code_hash)
);

-- Between a right password and the code, or between us and the provider and back. Worth no page.
CREATE TABLE sign_in_steps (
    -- SHA-256 of the browser's cookie.
    token_hash TEXT PRIMARY KEY NOT NULL,
    -- Whose password was right; none on the way to the provider.
    agent_id UUID REFERENCES agents (id),
    -- For the provider: what its token must repeat, and the secret behind our challenge (PKCE).
    nonce TEXT,
    verifier TEXT,
    -- The page that was asked for.
    next TEXT NOT NULL,
    attempts BIGINT NOT NULL DEFAULT 0,
    expires_at BIGINT NOT NULL
);
