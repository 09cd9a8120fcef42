-- +goose Up
-- A professional proved again who they are, in a session that goes on.
CREATE TABLE step_ups (
    session_id TEXT PRIMARY KEY,
    at         BIGINT NOT NULL,
    mac        BLOB NOT NULL
);
ALTER TABLE signins ADD COLUMN session_id TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE signins DROP COLUMN session_id;
DROP TABLE step_ups;
