-- +goose Up
-- The audit log is added to and never changed: an entry gets its number once,
-- and nothing else of it changes. The owner of the tables can take these
-- triggers away; the application's role cannot.
-- +goose StatementBegin
CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%: the audit log is added to, never changed or deleted', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE FUNCTION audit_number() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    before audit%ROWTYPE := OLD;
BEGIN
    before.seq := NEW.seq;
    IF OLD.seq IS NOT NULL OR NEW.seq IS NULL OR NEW IS DISTINCT FROM before THEN
        RAISE EXCEPTION 'audit: an entry gets its number once, nothing else of it changes' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE FUNCTION audit_unnumbered() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'audit: an entry gets its number after it was written' USING ERRCODE = 'insufficient_privilege';
END $$;
-- +goose StatementEnd
CREATE TRIGGER audit_insert BEFORE INSERT ON audit FOR EACH ROW WHEN (NEW.seq IS NOT NULL) EXECUTE FUNCTION audit_unnumbered();
CREATE TRIGGER audit_update BEFORE UPDATE ON audit FOR EACH ROW EXECUTE FUNCTION audit_number();
CREATE TRIGGER audit_delete BEFORE DELETE ON audit FOR EACH ROW EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_truncate BEFORE TRUNCATE ON audit FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_hashes_change BEFORE UPDATE OR DELETE ON audit_hashes FOR EACH ROW EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_hashes_truncate BEFORE TRUNCATE ON audit_hashes FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_heads_change BEFORE UPDATE OR DELETE ON audit_heads FOR EACH ROW EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_heads_truncate BEFORE TRUNCATE ON audit_heads FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();

-- +goose Down
DROP TRIGGER audit_heads_truncate ON audit_heads;
DROP TRIGGER audit_heads_change ON audit_heads;
DROP TRIGGER audit_hashes_truncate ON audit_hashes;
DROP TRIGGER audit_hashes_change ON audit_hashes;
DROP TRIGGER audit_truncate ON audit;
DROP TRIGGER audit_delete ON audit;
DROP TRIGGER audit_update ON audit;
DROP TRIGGER audit_insert ON audit;
DROP FUNCTION audit_unnumbered();
DROP FUNCTION audit_number();
DROP FUNCTION audit_refuse();
