-- +goose Up
ALTER TABLE consents DROP CONSTRAINT consents_state_check;
ALTER TABLE consents ADD CONSTRAINT consents_state_check CHECK (state IN ('granted', 'refused', 'withdrawn', 'emergency'));
ALTER TABLE consents DROP CONSTRAINT consents_channel_check;
ALTER TABLE consents ADD CONSTRAINT consents_channel_check CHECK (channel IN ('web', 'oral', 'representative', 'emergency'));
ALTER TABLE consents ADD COLUMN ground TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE consents DROP COLUMN ground;
