-- +goose Up
-- A photo asked for in a call (signaling), and the photo that was kept (documents).
CREATE TABLE still_requests (
    id           TEXT PRIMARY KEY,
    encounter_id TEXT NOT NULL,
    seat_id      TEXT NOT NULL REFERENCES seats (id),
    by_seat      TEXT NOT NULL,
    state        TEXT NOT NULL,
    still_id     TEXT NOT NULL DEFAULT '',
    at           BIGINT NOT NULL
);
CREATE INDEX still_requests_encounter ON still_requests (encounter_id, at);
CREATE UNIQUE INDEX still_requests_open ON still_requests (seat_id) WHERE state = 'asked';
CREATE TABLE stills (
    id           TEXT PRIMARY KEY,
    request_id   TEXT NOT NULL UNIQUE,
    encounter_id TEXT NOT NULL,
    patient_id   TEXT NOT NULL,
    taken_by     TEXT NOT NULL,
    taken_role   TEXT NOT NULL,
    asked_by     TEXT NOT NULL,
    at           BIGINT NOT NULL,
    mime         TEXT NOT NULL,
    width        BIGINT NOT NULL,
    height       BIGINT NOT NULL,
    bytes        BIGINT NOT NULL,
    sha256       BYTEA NOT NULL,
    blob         TEXT NOT NULL
);
CREATE INDEX stills_encounter ON stills (encounter_id, at);
CREATE INDEX stills_patient ON stills (patient_id, at);

-- +goose Down
DROP TABLE stills;
DROP TABLE still_requests;
