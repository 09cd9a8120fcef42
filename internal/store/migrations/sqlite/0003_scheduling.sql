-- +goose Up
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
    reason          BLOB NOT NULL,
    version         INTEGER NOT NULL,
    CONSTRAINT appointments_interval CHECK (end_at > start_at AND end_at - start_at <= 86400000000)
);
CREATE INDEX appointments_practitioner ON appointments (practitioner_id, start_at) WHERE status <> 'cancelled';
CREATE INDEX appointments_organization ON appointments (organization_id, start_at);
CREATE INDEX appointments_patient ON appointments (patient_id, start_at);
CREATE INDEX appointments_open ON appointments (end_at) WHERE status = 'booked';
-- The use cases lock the schedule; this is the backstop (trust D1, D2).
-- +goose StatementBegin
CREATE TRIGGER appointments_overlap_insert BEFORE INSERT ON appointments WHEN NEW.status <> 'cancelled'
BEGIN
    SELECT RAISE(ABORT, 'appointments_overlap') WHERE EXISTS (
        SELECT 1 FROM appointments a WHERE a.practitioner_id = NEW.practitioner_id AND a.status <> 'cancelled'
        AND a.start_at < NEW.end_at AND a.start_at > NEW.start_at - 86400000000 AND a.end_at > NEW.start_at);
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER appointments_overlap_update BEFORE UPDATE OF practitioner_id, start_at, end_at, status ON appointments WHEN NEW.status <> 'cancelled'
BEGIN
    SELECT RAISE(ABORT, 'appointments_overlap') WHERE EXISTS (
        SELECT 1 FROM appointments a WHERE a.practitioner_id = NEW.practitioner_id AND a.status <> 'cancelled' AND a.id <> NEW.id
        AND a.start_at < NEW.end_at AND a.start_at > NEW.start_at - 86400000000 AND a.end_at > NEW.start_at);
END;
-- +goose StatementEnd

-- +goose Down
DROP TABLE appointments; DROP TABLE schedules;
