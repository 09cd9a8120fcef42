-- +goose Up
CREATE TABLE consents_new (
    id             TEXT PRIMARY KEY,
    appointment_id TEXT NOT NULL,
    patient_id     TEXT NOT NULL,
    seq            INTEGER NOT NULL,
    state          TEXT NOT NULL CHECK (state IN ('granted', 'refused', 'withdrawn', 'emergency')),
    purpose        TEXT NOT NULL,
    text_id        TEXT NOT NULL,
    version        INTEGER NOT NULL,
    language       TEXT NOT NULL,
    sha256         TEXT NOT NULL,
    channel        TEXT NOT NULL CHECK (channel IN ('web', 'oral', 'representative', 'emergency')),
    by_role        TEXT NOT NULL,
    at             BIGINT NOT NULL,
    bundle         BLOB NOT NULL,
    jws            TEXT NOT NULL,
    hash           TEXT NOT NULL,
    ground         TEXT NOT NULL DEFAULT '',
    UNIQUE (appointment_id, seq)
);
INSERT INTO consents_new (id, appointment_id, patient_id, seq, state, purpose, text_id, version, language, sha256, channel, by_role, at, bundle, jws, hash)
    SELECT id, appointment_id, patient_id, seq, state, purpose, text_id, version, language, sha256, channel, by_role, at, bundle, jws, hash FROM consents;
CREATE TABLE consent_stamps_new (
    consent_id TEXT PRIMARY KEY REFERENCES consents_new (id),
    state      TEXT NOT NULL CHECK (state IN ('pending', 'retrying', 'stamped')),
    attempts   INTEGER NOT NULL,
    next_at    BIGINT NOT NULL,
    reason     TEXT NOT NULL,
    token      BLOB NOT NULL,
    at         BIGINT NOT NULL,
    authority  TEXT NOT NULL,
    CHECK ((state = 'stamped') = (length(token) > 0))
);
INSERT INTO consent_stamps_new (consent_id, state, attempts, next_at, reason, token, at, authority)
    SELECT consent_id, state, attempts, next_at, reason, token, at, authority FROM consent_stamps;
DROP TABLE consent_stamps;
DROP TABLE consents;
ALTER TABLE consents_new RENAME TO consents;
ALTER TABLE consent_stamps_new RENAME TO consent_stamps;
CREATE INDEX consents_patient ON consents (patient_id, at);
CREATE INDEX consents_hash ON consents (hash);
CREATE INDEX consent_stamps_due ON consent_stamps (state, next_at);
-- +goose StatementBegin
CREATE TRIGGER consents_no_update BEFORE UPDATE ON consents
BEGIN SELECT RAISE(ABORT, 'consents are append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER consents_no_delete BEFORE DELETE ON consents
BEGIN SELECT RAISE(ABORT, 'consents are append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER consent_stamps_no_update BEFORE UPDATE ON consent_stamps WHEN OLD.state = 'stamped'
BEGIN SELECT RAISE(ABORT, 'a time stamp never changes'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER consent_stamps_no_delete BEFORE DELETE ON consent_stamps
BEGIN SELECT RAISE(ABORT, 'a time stamp is never removed'); END;
-- +goose StatementEnd

-- +goose Down
ALTER TABLE consents DROP COLUMN ground;
