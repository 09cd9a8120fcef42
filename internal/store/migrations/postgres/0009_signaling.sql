-- +goose Up
CREATE TABLE seats (
    id           TEXT PRIMARY KEY,
    encounter_id TEXT NOT NULL,
    patient_id   TEXT NOT NULL,
    person_id    TEXT NOT NULL,
    role         TEXT NOT NULL,
    host         BOOLEAN NOT NULL,
    state        TEXT NOT NULL,
    queue        TEXT NOT NULL,
    planned      BIGINT NOT NULL,
    arrived_at   BIGINT NOT NULL,
    admitted_at  BIGINT NOT NULL,
    seen_at      BIGINT NOT NULL,
    ended_at     BIGINT NOT NULL,
    UNIQUE (encounter_id, person_id)
);
CREATE INDEX seats_queue ON seats (queue, state);
CREATE TABLE seat_tickets (
    hash       BYTEA PRIMARY KEY,
    session_id TEXT NOT NULL,
    seat_id    TEXT NOT NULL REFERENCES seats (id),
    origin     TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at    BIGINT NOT NULL
);
CREATE INDEX seat_tickets_expires ON seat_tickets (expires_at);
CREATE TABLE seat_chat (
    id           TEXT PRIMARY KEY,
    encounter_id TEXT NOT NULL,
    seat_id      TEXT NOT NULL REFERENCES seats (id),
    client_id    TEXT NOT NULL,
    at           BIGINT NOT NULL,
    body         BYTEA NOT NULL,
    UNIQUE (seat_id, client_id)
);
CREATE INDEX seat_chat_encounter ON seat_chat (encounter_id, at);
CREATE TABLE seat_flows (
    encounter_id TEXT NOT NULL,
    from_seat    TEXT NOT NULL REFERENCES seats (id),
    to_seat      TEXT NOT NULL REFERENCES seats (id),
    seconds      BIGINT NOT NULL,
    PRIMARY KEY (encounter_id, from_seat, to_seat)
);
