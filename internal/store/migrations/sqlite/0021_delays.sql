-- +goose Up
CREATE TABLE delays (
    encounter_id TEXT   NOT NULL,
    planned      BIGINT NOT NULL,
    level        BIGINT NOT NULL,
    at           BIGINT NOT NULL,
    PRIMARY KEY (encounter_id, planned)
);
ALTER TABLE deliveries ADD COLUMN turn_from BIGINT NOT NULL DEFAULT 0;
ALTER TABLE deliveries ADD COLUMN turn_to BIGINT NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE deliveries DROP COLUMN turn_to;
ALTER TABLE deliveries DROP COLUMN turn_from;
DROP TABLE delays;
