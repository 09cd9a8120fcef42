-- +goose Up
CREATE TABLE events (
    id         TEXT PRIMARY KEY,
    name       TEXT NOT NULL,
    subject    TEXT NOT NULL,
    at         BIGINT NOT NULL,
    payload    TEXT NOT NULL
);
CREATE TABLE event_inbox (
    event_id TEXT NOT NULL,
    consumer TEXT NOT NULL,
    at       BIGINT NOT NULL,
    PRIMARY KEY (event_id, consumer)
);
CREATE TABLE audit (
    id       TEXT PRIMARY KEY,
    at       BIGINT NOT NULL,
    actor    TEXT NOT NULL,
    role     TEXT NOT NULL,
    proof    TEXT NOT NULL,
    action   TEXT NOT NULL,
    object   TEXT NOT NULL,
    patient  TEXT NOT NULL,
    outcome  TEXT NOT NULL,
    detail   BYTEA NOT NULL,
    request  TEXT NOT NULL,
    seq      BIGINT UNIQUE
);
CREATE INDEX audit_patient ON audit (patient, at);
CREATE INDEX audit_object ON audit (object, at);
CREATE INDEX audit_unsealed ON audit (id) WHERE seq IS NULL;
CREATE TABLE audit_hashes (
    idx  BIGINT PRIMARY KEY,
    hash BYTEA NOT NULL
);
CREATE TABLE audit_heads (
    size BIGINT PRIMARY KEY,
    at   BIGINT NOT NULL,
    note TEXT NOT NULL
);
CREATE TABLE seal_keys (
    patient TEXT PRIMARY KEY,
    wrapped BYTEA NOT NULL,
    at      BIGINT NOT NULL
);
CREATE TABLE idempotency (
    actor        TEXT NOT NULL,
    route        TEXT NOT NULL,
    key          TEXT NOT NULL,
    request_hash BYTEA NOT NULL,
    status       INTEGER NOT NULL,
    body         BYTEA NOT NULL,
    at           BIGINT NOT NULL,
    PRIMARY KEY (actor, route, key)
);
CREATE INDEX idempotency_at ON idempotency (at);

-- +goose Down
DROP TABLE idempotency; DROP TABLE seal_keys; DROP TABLE audit_heads; DROP TABLE audit_hashes; DROP TABLE audit; DROP TABLE event_inbox; DROP TABLE events;
