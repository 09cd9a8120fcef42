-- +goose Up
-- Waiting: what kind of act, who wants to be told, who was told to come back.
ALTER TABLE seats ADD COLUMN kind TEXT NOT NULL DEFAULT 'teleconsultation';
ALTER TABLE seats ADD COLUMN recall_asked_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE seats ADD COLUMN recalled_at BIGINT NOT NULL DEFAULT 0;
-- What the call was like: what each client said, in clear, for it is numbers and words of closed lists.
CREATE TABLE encounter_quality (
    id           TEXT PRIMARY KEY,
    encounter_id TEXT NOT NULL REFERENCES encounters (id),
    seat_id      TEXT NOT NULL,
    role         TEXT NOT NULL,
    from_at      BIGINT NOT NULL,
    to_at        BIGINT NOT NULL,
    samples      TEXT NOT NULL
);
CREATE INDEX encounter_quality_encounter ON encounter_quality (encounter_id, from_at);
-- Connection checks: the last ones of each person for an act.
CREATE TABLE connection_checks (
    id           TEXT PRIMARY KEY,
    encounter_id TEXT NOT NULL,
    person_id    TEXT NOT NULL,
    role         TEXT NOT NULL,
    at           BIGINT NOT NULL,
    result       TEXT NOT NULL
);
CREATE INDEX connection_checks_encounter ON connection_checks (encounter_id, at);

-- +goose Down
DROP TABLE connection_checks;
DROP TABLE encounter_quality;
ALTER TABLE seats DROP COLUMN recalled_at;
ALTER TABLE seats DROP COLUMN recall_asked_at;
ALTER TABLE seats DROP COLUMN kind;
