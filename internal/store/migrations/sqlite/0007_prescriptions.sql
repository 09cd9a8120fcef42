-- +goose Up
CREATE TABLE prescriptions (
    id              TEXT PRIMARY KEY,
    set_id          TEXT NOT NULL,
    number          BIGINT NOT NULL,
    encounter_id    TEXT NOT NULL,
    patient_id      TEXT NOT NULL,
    author_id       TEXT NOT NULL,
    organization_id TEXT NOT NULL,
    status          TEXT NOT NULL,
    edit            BIGINT NOT NULL,
    replaces_id     TEXT NOT NULL,
    document_id     TEXT NOT NULL,
    public_id       TEXT NOT NULL,
    code_hash       BLOB NOT NULL,
    content         BLOB NOT NULL,
    signed_at       BIGINT NOT NULL,
    valid_until     BIGINT NOT NULL,
    at              BIGINT NOT NULL,
    changed_at      BIGINT NOT NULL,
    UNIQUE (set_id, number)
);
CREATE INDEX prescriptions_encounter ON prescriptions (encounter_id, at);
CREATE UNIQUE INDEX prescriptions_public ON prescriptions (public_id) WHERE public_id <> '';

-- +goose Down
DROP TABLE prescriptions;
