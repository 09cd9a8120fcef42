-- +goose Up
-- A proof of a contact decides who may book and to whom messages go: version and MAC
-- of its rows (internal/store/rows.tsv). What is under way is asked for again.
DELETE FROM contact_attempts;
DELETE FROM contact_codes;
ALTER TABLE contact_attempts ADD COLUMN rev BIGINT NOT NULL DEFAULT 0;
ALTER TABLE contact_attempts ADD COLUMN mac TEXT NOT NULL DEFAULT '';
ALTER TABLE contact_codes ADD COLUMN rev BIGINT NOT NULL DEFAULT 0;
ALTER TABLE contact_codes ADD COLUMN mac TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE contact_codes DROP COLUMN mac;
ALTER TABLE contact_codes DROP COLUMN rev;
ALTER TABLE contact_attempts DROP COLUMN mac;
ALTER TABLE contact_attempts DROP COLUMN rev;
