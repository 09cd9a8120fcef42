-- +goose Up
-- The proven cause of a departure (events.Left…); '' when nothing proves one.
ALTER TABLE encounter_departures ADD COLUMN how TEXT NOT NULL DEFAULT '';
-- Who ended normally is in no call any more: nobody may be assumed gone later.
UPDATE seats SET joined_at = 0 WHERE state = 'ended' AND joined_at <> 0;

-- +goose Down
ALTER TABLE encounter_departures DROP COLUMN how;
