-- +goose Up
ALTER TABLE seat_chat ADD COLUMN audience TEXT NOT NULL DEFAULT '';
ALTER TABLE seat_chat ADD COLUMN addressee TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE seat_chat DROP COLUMN addressee;
ALTER TABLE seat_chat DROP COLUMN audience;
