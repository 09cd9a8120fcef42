-- +goose Up
-- Which link a session was opened with: what it may have sent is counted for the link,
-- so that many sessions of one forwarded link have one share.
ALTER TABLE sessions ADD COLUMN link_id TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE sessions DROP COLUMN link_id;
