-- +goose Up
-- Which sign-in sat down last, and which one a host admitted: a link that is opened again elsewhere is
-- somebody the host has not seen (docs/decisions/0008). Empty in rows of an older program.
ALTER TABLE seats ADD COLUMN session_id TEXT NOT NULL DEFAULT '';
ALTER TABLE seats ADD COLUMN admitted_session TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE seats DROP COLUMN admitted_session;
ALTER TABLE seats DROP COLUMN session_id;
