-- +goose Up
CREATE EXTENSION IF NOT EXISTS btree_gist;
CREATE TABLE schedules (
    id              TEXT PRIMARY KEY,
    practitioner_id TEXT NOT NULL UNIQUE,
    organization_id TEXT NOT NULL,
    plan            TEXT NOT NULL,
    version         INTEGER NOT NULL
);
CREATE TABLE appointments (
    id              TEXT PRIMARY KEY,
    schedule_id     TEXT NOT NULL REFERENCES schedules (id),
    practitioner_id TEXT NOT NULL,
    organization_id TEXT NOT NULL,
    patient_id      TEXT NOT NULL,
    status          TEXT NOT NULL CHECK (status IN ('booked', 'arrived', 'fulfilled', 'cancelled', 'noshow')),
    start_at        BIGINT NOT NULL,
    end_at          BIGINT NOT NULL,
    zone            TEXT NOT NULL,
    language        TEXT NOT NULL,
    shown_amount    BIGINT NOT NULL,
    shown_reimbursed BIGINT NOT NULL,
    shown_source    TEXT NOT NULL,
    booked_by       TEXT NOT NULL,
    booked_at       BIGINT NOT NULL,
    reason          BYTEA NOT NULL,
    version         INTEGER NOT NULL,
    CONSTRAINT appointments_interval CHECK (end_at > start_at AND end_at - start_at <= 86400000000),
    -- The use cases lock the schedule; this is the backstop (trust D1, D2).
    CONSTRAINT appointments_overlap EXCLUDE USING gist (practitioner_id WITH =, int8range(start_at, end_at) WITH &&) WHERE (status <> 'cancelled')
);
CREATE INDEX appointments_practitioner ON appointments (practitioner_id, start_at) WHERE status <> 'cancelled';
CREATE INDEX appointments_organization ON appointments (organization_id, start_at);
CREATE INDEX appointments_patient ON appointments (patient_id, start_at);
CREATE INDEX appointments_open ON appointments (end_at) WHERE status = 'booked';
-- +goose Down
DROP TABLE appointments; DROP TABLE schedules;
