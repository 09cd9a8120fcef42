-- +goose Up
-- Rights of one person beside the role; and the organisation of who was refused
-- something, so that its data protection finds the entries.
ALTER TABLE staff ADD COLUMN capabilities TEXT NOT NULL DEFAULT '';
ALTER TABLE audit ADD COLUMN organization TEXT NOT NULL DEFAULT '';
CREATE INDEX audit_refused ON audit (organization, id) WHERE outcome = 'refused';
CREATE INDEX audit_refused_actor ON audit (actor, id) WHERE outcome = 'refused';
-- What 0038 says holds for the new column too; on PostgreSQL it compares whole rows.
DROP TRIGGER audit_update;
-- +goose StatementBegin
CREATE TRIGGER audit_update BEFORE UPDATE ON audit WHEN NOT (OLD.seq IS NULL AND NEW.seq IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM audit WHERE seq = NEW.seq)
    AND NEW.id IS OLD.id AND NEW.at IS OLD.at AND NEW.actor IS OLD.actor AND NEW.role IS OLD.role AND NEW.proof IS OLD.proof AND NEW.action IS OLD.action AND NEW.object IS OLD.object AND NEW.patient IS OLD.patient AND NEW.outcome IS OLD.outcome AND NEW.detail IS OLD.detail AND NEW.request IS OLD.request AND NEW.version IS OLD.version AND NEW.mac IS OLD.mac AND NEW.organization IS OLD.organization)
BEGIN
    SELECT RAISE(ABORT, 'audit: an entry gets its number once, nothing else of it changes');
END;
-- +goose StatementEnd

-- +goose Down
DROP TRIGGER audit_update;
-- +goose StatementBegin
CREATE TRIGGER audit_update BEFORE UPDATE ON audit WHEN NOT (OLD.seq IS NULL AND NEW.seq IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM audit WHERE seq = NEW.seq)
    AND NEW.id IS OLD.id AND NEW.at IS OLD.at AND NEW.actor IS OLD.actor AND NEW.role IS OLD.role AND NEW.proof IS OLD.proof AND NEW.action IS OLD.action AND NEW.object IS OLD.object AND NEW.patient IS OLD.patient AND NEW.outcome IS OLD.outcome AND NEW.detail IS OLD.detail AND NEW.request IS OLD.request AND NEW.version IS OLD.version AND NEW.mac IS OLD.mac)
BEGIN
    SELECT RAISE(ABORT, 'audit: an entry gets its number once, nothing else of it changes');
END;
-- +goose StatementEnd
DROP INDEX audit_refused_actor;
DROP INDEX audit_refused;
ALTER TABLE audit DROP COLUMN organization;
ALTER TABLE staff DROP COLUMN capabilities;
