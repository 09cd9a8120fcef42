-- +goose Up
CREATE TABLE companions (
    id             TEXT PRIMARY KEY,
    appointment_id TEXT NOT NULL,
    patient_id     TEXT NOT NULL REFERENCES patients (id),
    contact        BYTEA NOT NULL,
    sealed         BYTEA NOT NULL,
    at             BIGINT NOT NULL,
    revoked_at     BIGINT NOT NULL
);
CREATE UNIQUE INDEX companions_invited ON companions (appointment_id, contact) WHERE revoked_at = 0;
ALTER TABLE links ADD COLUMN companion_id TEXT NOT NULL DEFAULT '';
CREATE INDEX links_companion ON links (companion_id) WHERE companion_id <> '';
ALTER TABLE sessions ADD COLUMN companion_id TEXT NOT NULL DEFAULT '';
CREATE INDEX sessions_companion ON sessions (companion_id) WHERE companion_id <> '';
ALTER TABLE deliveries ADD COLUMN companion_id TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE deliveries DROP COLUMN companion_id;
DROP INDEX sessions_companion;
ALTER TABLE sessions DROP COLUMN companion_id;
DROP INDEX links_companion;
ALTER TABLE links DROP COLUMN companion_id;
DROP TABLE companions;
