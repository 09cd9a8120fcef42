-- +goose Up
CREATE TABLE prescription_dispensings (
    id              TEXT PRIMARY KEY,
    prescription_id TEXT NOT NULL REFERENCES prescriptions (id),
    set_id          TEXT NOT NULL,
    number          BIGINT NOT NULL,
    pharmacist_id   TEXT NOT NULL,
    organization_id TEXT NOT NULL,
    status          TEXT NOT NULL,
    content         BYTEA NOT NULL,
    at              BIGINT NOT NULL,
    changed_at      BIGINT NOT NULL,
    UNIQUE (prescription_id, number)
);
CREATE INDEX prescription_dispensings_set ON prescription_dispensings (set_id, at);
CREATE INDEX prescriptions_document ON prescriptions (document_id);

-- +goose Down
DROP INDEX prescriptions_document;
DROP TABLE prescription_dispensings;
