-- +goose Up
-- What a patient says of allergies and treatments for one act (encounters/declared).
CREATE TABLE declarations (
    appointment_id TEXT PRIMARY KEY,
    patient_id     TEXT NOT NULL,
    content        BYTEA NOT NULL,
    version        BIGINT NOT NULL,
    changed_at     BIGINT NOT NULL
);
CREATE INDEX declarations_patient ON declarations (patient_id);

-- +goose Down
DROP TABLE declarations;
