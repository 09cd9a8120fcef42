-- +goose Up
-- A code sent to a telephone or a mailbox to prove that whoever asks reads it, and
-- the attempts of those who ask. No name and no patient is here.
CREATE TABLE contact_codes (
    id         TEXT   PRIMARY KEY,
    contact    BYTEA NOT NULL,
    channel    TEXT   NOT NULL,
    hash       BYTEA NOT NULL,
    sealed     BYTEA NOT NULL,
    language   TEXT   NOT NULL,
    at         BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX contact_codes_contact ON contact_codes (contact, at);
CREATE INDEX contact_codes_expiry ON contact_codes (expires_at);
CREATE TABLE contact_attempts (
    hash            BYTEA NOT NULL PRIMARY KEY,
    contact         BYTEA NOT NULL,
    channel         TEXT   NOT NULL,
    practitioner_id TEXT   NOT NULL,
    tries           BIGINT NOT NULL,
    at              BIGINT NOT NULL,
    proven_at       BIGINT NOT NULL
);
CREATE INDEX contact_attempts_at ON contact_attempts (at);
CREATE TABLE budgets (
    name  TEXT   NOT NULL,
    key   TEXT   NOT NULL,
    since BIGINT NOT NULL,
    used  BIGINT NOT NULL,
    PRIMARY KEY (name, key, since)
);
CREATE INDEX budgets_since ON budgets (since);

-- +goose Down
DROP TABLE budgets;
DROP TABLE contact_attempts;
DROP TABLE contact_codes;
