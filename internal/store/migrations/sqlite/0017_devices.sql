-- +goose Up
CREATE TABLE seat_devices (
    seat_id      TEXT PRIMARY KEY REFERENCES seats (id),
    encounter_id TEXT NOT NULL,
    token        BLOB NOT NULL UNIQUE,
    direction    TEXT NOT NULL,
    label        BLOB NOT NULL,
    owner        TEXT NOT NULL,
    session_id   TEXT NOT NULL,
    made_at      BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL
);
CREATE INDEX seat_devices_encounter ON seat_devices (encounter_id);

-- +goose Down
DROP TABLE seat_devices;
