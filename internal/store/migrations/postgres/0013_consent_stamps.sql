-- +goose Up
CREATE TABLE consent_stamps (
    consent_id TEXT PRIMARY KEY REFERENCES consents (id),
    state      TEXT NOT NULL CHECK (state IN ('pending', 'retrying', 'stamped')),
    attempts   INTEGER NOT NULL,
    next_at    BIGINT NOT NULL,
    reason     TEXT NOT NULL,
    token      BYTEA NOT NULL,
    at         BIGINT NOT NULL,
    authority  TEXT NOT NULL,
    CHECK ((state = 'stamped') = (length(token) > 0))
);
CREATE INDEX consent_stamps_due ON consent_stamps (state, next_at);
CREATE INDEX consents_hash ON consents (hash);
INSERT INTO consent_stamps (consent_id, state, attempts, next_at, reason, token, at, authority)
    SELECT id, 'pending', 0, at, '', ''::bytea, 0, '' FROM consents;
-- +goose StatementBegin
CREATE FUNCTION consent_stamps_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN RAISE EXCEPTION 'a time stamp is never removed'; END IF;
    IF OLD.state = 'stamped' THEN RAISE EXCEPTION 'a time stamp never changes'; END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER consent_stamps_frozen BEFORE UPDATE OR DELETE ON consent_stamps
    FOR EACH ROW EXECUTE FUNCTION consent_stamps_frozen();

-- +goose Down
DROP TABLE consent_stamps; DROP FUNCTION consent_stamps_frozen(); DROP INDEX consents_hash;
