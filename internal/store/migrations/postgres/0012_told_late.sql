-- +goose Up
-- Facts come in any order, and late: what is kept of them says what they are about.
ALTER TABLE encounters ADD COLUMN appointment_version BIGINT NOT NULL DEFAULT 0;
ALTER TABLE encounters ADD COLUMN waiting_told_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE deliveries ADD COLUMN fact_version BIGINT NOT NULL DEFAULT 0;
ALTER TABLE seats ADD COLUMN joined_at BIGINT NOT NULL DEFAULT 0;
CREATE TABLE encounter_departures (
    encounter_id TEXT NOT NULL REFERENCES encounters (id),
    seat_id      TEXT NOT NULL,
    at           BIGINT NOT NULL,
    assumed      BOOLEAN NOT NULL,
    told_at      BIGINT NOT NULL,
    PRIMARY KEY (encounter_id, seat_id, at)
);
INSERT INTO encounter_departures SELECT DISTINCT encounter_id, seat_id, left_at, FALSE, left_at FROM encounter_presence WHERE left_at > 0;
ALTER TABLE encounter_presence DROP COLUMN left_at;
ALTER TABLE encounter_presence ADD COLUMN told_at BIGINT NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE encounter_presence DROP COLUMN told_at;
ALTER TABLE encounter_presence ADD COLUMN left_at BIGINT NOT NULL DEFAULT 0;
UPDATE encounter_presence SET left_at = COALESCE((SELECT MIN(d.at) FROM encounter_departures d
    WHERE d.encounter_id = encounter_presence.encounter_id AND d.seat_id = encounter_presence.seat_id AND d.at >= encounter_presence.joined_at), 0);
DROP TABLE encounter_departures;
ALTER TABLE seats DROP COLUMN joined_at;
ALTER TABLE deliveries DROP COLUMN fact_version;
ALTER TABLE encounters DROP COLUMN waiting_told_at;
ALTER TABLE encounters DROP COLUMN appointment_version;
