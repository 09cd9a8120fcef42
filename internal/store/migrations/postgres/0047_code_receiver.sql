-- +goose Up
ALTER TABLE codes ADD COLUMN representative TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE codes DROP COLUMN representative;
