-- +goose Up
-- When a budget was used last: who asks again is told how long ago something was sent.
ALTER TABLE budgets ADD COLUMN at BIGINT NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE budgets DROP COLUMN at;
