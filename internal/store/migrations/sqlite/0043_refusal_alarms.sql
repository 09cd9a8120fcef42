-- +goose Up
-- One alarm: somebody was refused so much that a person must look.
CREATE TABLE refusal_alarms (
    id              TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL,
    actor           TEXT NOT NULL,
    role            TEXT NOT NULL,
    kind            TEXT NOT NULL,
    began_at        BIGINT NOT NULL,
    raised_at       BIGINT NOT NULL,
    last_at         BIGINT NOT NULL,
    refusals        BIGINT NOT NULL,
    objects         BIGINT NOT NULL,
    areas           TEXT NOT NULL,
    settled_at      BIGINT NOT NULL DEFAULT 0,
    settled_by      TEXT NOT NULL DEFAULT '',
    reason          BLOB NOT NULL,
    rev             BIGINT NOT NULL,
    mac             TEXT NOT NULL
);
CREATE INDEX refusal_alarms_list ON refusal_alarms (organization_id, id);
CREATE INDEX refusal_alarms_open ON refusal_alarms (organization_id, id) WHERE settled_at = 0;

-- +goose Down
DROP TABLE refusal_alarms;
