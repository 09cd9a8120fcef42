-- +goose Up
-- Rights of one person beside the role; and the organisation of who was refused
-- something, so that its data protection finds the entries.
ALTER TABLE staff ADD COLUMN capabilities TEXT NOT NULL DEFAULT '';
ALTER TABLE audit ADD COLUMN organization TEXT NOT NULL DEFAULT '';
CREATE INDEX audit_refused ON audit (organization, id) WHERE outcome = 'refused';
CREATE INDEX audit_refused_actor ON audit (actor, id) WHERE outcome = 'refused';

-- +goose Down
DROP INDEX audit_refused_actor;
DROP INDEX audit_refused;
ALTER TABLE audit DROP COLUMN organization;
ALTER TABLE staff DROP COLUMN capabilities;
