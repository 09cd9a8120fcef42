-- +goose Up
CREATE TABLE consent_stamps (
    consent_id TEXT PRIMARY KEY REFERENCES consents (id),
    state      TEXT NOT NULL CHECK (state IN ('pending', 'retrying', 'stamped')),
    attempts   INTEGER NOT NULL,
    next_at    BIGINT NOT NULL,
    reason     TEXT NOT NULL,
    token      BLOB NOT NULL,
    at         BIGINT NOT NULL,
    authority  TEXT NOT NULL,
    CHECK ((state = 'stamped') = (length(token) > 0))
);
CREATE INDEX consent_stamps_due ON consent_stamps (state, next_at);
CREATE INDEX consents_hash ON consents (hash);
INSERT INTO consent_stamps (consent_id, state, attempts, next_at, reason, token, at, authority)
    SELECT id, 'pending', 0, at, '', x'', 0, '' FROM consents;
-- +goose StatementBegin
CREATE TRIGGER consent_stamps_no_update BEFORE UPDATE ON consent_stamps WHEN OLD.state = 'stamped'
BEGIN SELECT RAISE(ABORT, 'a time stamp never changes'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER consent_stamps_no_delete BEFORE DELETE ON consent_stamps
BEGIN SELECT RAISE(ABORT, 'a time stamp is never removed'); END;
-- +goose StatementEnd

-- +goose Down
DROP TABLE consent_stamps; DROP INDEX consents_hash;
