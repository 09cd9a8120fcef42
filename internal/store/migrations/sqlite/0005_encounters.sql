-- +goose Up
CREATE TABLE encounters (
    id              TEXT PRIMARY KEY,
    appointment_id  TEXT NOT NULL UNIQUE,
    patient_id      TEXT NOT NULL,
    practitioner_id TEXT NOT NULL,
    organization_id TEXT NOT NULL,
    kind            TEXT NOT NULL,
    status          TEXT NOT NULL,
    planned_start   BIGINT NOT NULL,
    planned_end     BIGINT NOT NULL,
    arrived_at      BIGINT NOT NULL,
    started_at      BIGINT NOT NULL,
    finished_at     BIGINT NOT NULL,
    identified_at   BIGINT NOT NULL,
    identified_how  TEXT NOT NULL,
    identified_by   TEXT NOT NULL,
    video_seconds   BIGINT NOT NULL,
    version         BIGINT NOT NULL
);
CREATE INDEX encounters_practitioner ON encounters (practitioner_id, planned_start);
CREATE INDEX encounters_patient ON encounters (patient_id, planned_start);
CREATE TABLE encounter_team (
    encounter_id TEXT NOT NULL REFERENCES encounters (id),
    staff_id     TEXT NOT NULL,
    role         TEXT NOT NULL,
    invited_by   TEXT NOT NULL,
    at           BIGINT NOT NULL,
    PRIMARY KEY (encounter_id, staff_id)
);
CREATE INDEX encounter_team_staff ON encounter_team (staff_id, at);
CREATE TABLE encounter_presence (
    id           TEXT PRIMARY KEY,
    encounter_id TEXT NOT NULL REFERENCES encounters (id),
    person_id    TEXT NOT NULL,
    seat_id      TEXT NOT NULL,
    role         TEXT NOT NULL,
    joined_at    BIGINT NOT NULL,
    left_at      BIGINT NOT NULL
);
CREATE INDEX encounter_presence_encounter ON encounter_presence (encounter_id, joined_at);
CREATE TABLE encounter_incidents (
    id           TEXT PRIMARY KEY,
    encounter_id TEXT NOT NULL REFERENCES encounters (id),
    seat_id      TEXT NOT NULL,
    code         TEXT NOT NULL,
    at           BIGINT NOT NULL
);
CREATE INDEX encounter_incidents_encounter ON encounter_incidents (encounter_id, at);

-- +goose Down
DROP TABLE encounter_incidents; DROP TABLE encounter_presence; DROP TABLE encounter_team; DROP TABLE encounters;
