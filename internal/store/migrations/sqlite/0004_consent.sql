-- +goose Up
CREATE TABLE consents (
    id             TEXT PRIMARY KEY,
    appointment_id TEXT NOT NULL,
    patient_id     TEXT NOT NULL,
    seq            INTEGER NOT NULL,
    state          TEXT NOT NULL CHECK (state IN ('granted', 'refused', 'withdrawn')),
    purpose        TEXT NOT NULL,
    text_id        TEXT NOT NULL,
    version        INTEGER NOT NULL,
    language       TEXT NOT NULL,
    sha256         TEXT NOT NULL,
    channel        TEXT NOT NULL CHECK (channel IN ('web', 'oral', 'representative')),
    by_role        TEXT NOT NULL,
    at             BIGINT NOT NULL,
    bundle         BLOB NOT NULL,
    jws            TEXT NOT NULL,
    hash           TEXT NOT NULL,
    UNIQUE (appointment_id, seq)
);
CREATE INDEX consents_patient ON consents (patient_id, at);
-- +goose StatementBegin
CREATE TRIGGER consents_no_update BEFORE UPDATE ON consents
BEGIN SELECT RAISE(ABORT, 'consents are append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER consents_no_delete BEFORE DELETE ON consents
BEGIN SELECT RAISE(ABORT, 'consents are append-only'); END;
-- +goose StatementEnd

-- +goose Down
DROP TABLE consents;
