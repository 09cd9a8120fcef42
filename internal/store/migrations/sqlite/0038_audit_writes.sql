-- +goose Up
-- The audit log is added to and never changed: an entry gets its number once,
-- and nothing else of it changes. An INSERT OR REPLACE is refused as well: it
-- deletes without a delete trigger.
-- +goose StatementBegin
CREATE TRIGGER audit_insert BEFORE INSERT ON audit
BEGIN
    SELECT RAISE(ABORT, 'audit: an entry gets its number after it was written, and is not replaced') WHERE NEW.seq IS NOT NULL OR EXISTS (SELECT 1 FROM audit WHERE id = NEW.id);
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER audit_update BEFORE UPDATE ON audit WHEN NOT (OLD.seq IS NULL AND NEW.seq IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM audit WHERE seq = NEW.seq)
    AND NEW.id IS OLD.id AND NEW.at IS OLD.at AND NEW.actor IS OLD.actor AND NEW.role IS OLD.role AND NEW.proof IS OLD.proof AND NEW.action IS OLD.action AND NEW.object IS OLD.object AND NEW.patient IS OLD.patient AND NEW.outcome IS OLD.outcome AND NEW.detail IS OLD.detail AND NEW.request IS OLD.request AND NEW.version IS OLD.version AND NEW.mac IS OLD.mac)
BEGIN
    SELECT RAISE(ABORT, 'audit: an entry gets its number once, nothing else of it changes');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER audit_delete BEFORE DELETE ON audit
BEGIN
    SELECT RAISE(ABORT, 'audit: the audit log is added to, never changed or deleted');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER audit_hashes_insert BEFORE INSERT ON audit_hashes
BEGIN
    SELECT RAISE(ABORT, 'audit_hashes: the audit log is added to, never changed or deleted') WHERE EXISTS (SELECT 1 FROM audit_hashes WHERE idx = NEW.idx);
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER audit_hashes_update BEFORE UPDATE ON audit_hashes
BEGIN
    SELECT RAISE(ABORT, 'audit_hashes: the audit log is added to, never changed or deleted');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER audit_hashes_delete BEFORE DELETE ON audit_hashes
BEGIN
    SELECT RAISE(ABORT, 'audit_hashes: the audit log is added to, never changed or deleted');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER audit_heads_insert BEFORE INSERT ON audit_heads
BEGIN
    SELECT RAISE(ABORT, 'audit_heads: the audit log is added to, never changed or deleted') WHERE EXISTS (SELECT 1 FROM audit_heads WHERE size = NEW.size);
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER audit_heads_update BEFORE UPDATE ON audit_heads
BEGIN
    SELECT RAISE(ABORT, 'audit_heads: the audit log is added to, never changed or deleted');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER audit_heads_delete BEFORE DELETE ON audit_heads
BEGIN
    SELECT RAISE(ABORT, 'audit_heads: the audit log is added to, never changed or deleted');
END;
-- +goose StatementEnd

-- +goose Down
DROP TRIGGER audit_heads_delete;
DROP TRIGGER audit_heads_update;
DROP TRIGGER audit_heads_insert;
DROP TRIGGER audit_hashes_delete;
DROP TRIGGER audit_hashes_update;
DROP TRIGGER audit_hashes_insert;
DROP TRIGGER audit_delete;
DROP TRIGGER audit_update;
DROP TRIGGER audit_insert;
