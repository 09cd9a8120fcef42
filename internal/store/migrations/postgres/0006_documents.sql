-- +goose Up
CREATE TABLE reports (
    id              TEXT PRIMARY KEY,
    encounter_id    TEXT NOT NULL UNIQUE,
    patient_id      TEXT NOT NULL,
    author_id       TEXT NOT NULL,
    organization_id TEXT NOT NULL,
    status          TEXT NOT NULL,
    edit            BIGINT NOT NULL,
    document_id     TEXT NOT NULL,
    number          BIGINT NOT NULL,
    content         BYTEA NOT NULL,
    at              BIGINT NOT NULL,
    changed_at      BIGINT NOT NULL
);
CREATE TABLE documents (
    id              TEXT PRIMARY KEY,
    set_id          TEXT NOT NULL,
    number          BIGINT NOT NULL,
    kind            TEXT NOT NULL,
    status          TEXT NOT NULL,
    patient_id      TEXT NOT NULL,
    author_id       TEXT NOT NULL,
    encounter_id    TEXT NOT NULL,
    appointment_id  TEXT NOT NULL,
    organization_id TEXT NOT NULL,
    replaces_id     TEXT NOT NULL,
    signed_at       BIGINT NOT NULL,
    meta            BYTEA NOT NULL,
    cda_blob        TEXT NOT NULL,
    pdf_blob        TEXT NOT NULL,
    cda_hash        BYTEA NOT NULL,
    pdf_hash        BYTEA NOT NULL,
    signature       BYTEA NOT NULL,
    key_id          TEXT NOT NULL,
    UNIQUE (set_id, number)
);
CREATE INDEX documents_patient ON documents (patient_id, signed_at);
CREATE INDEX documents_encounter ON documents (encounter_id, signed_at);

-- +goose Down
DROP TABLE documents; DROP TABLE reports;
