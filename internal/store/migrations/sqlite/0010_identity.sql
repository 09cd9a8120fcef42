-- +goose Up
ALTER TABLE sessions ADD COLUMN socket_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE sessions ADD COLUMN representative TEXT NOT NULL DEFAULT '';
ALTER TABLE sessions ADD COLUMN id_token BLOB NOT NULL DEFAULT x'';
ALTER TABLE links ADD COLUMN representative TEXT NOT NULL DEFAULT '';
ALTER TABLE deliveries ADD COLUMN representative TEXT NOT NULL DEFAULT '';
ALTER TABLE patients ADD COLUMN indexed INTEGER NOT NULL DEFAULT 0;
CREATE INDEX patients_indexed ON patients (indexed);
CREATE TABLE signin_choices (
    hash      BLOB PRIMARY KEY,
    staff     TEXT NOT NULL,
    proof     TEXT NOT NULL,
    id_token  BLOB NOT NULL,
    return_to TEXT NOT NULL,
    at        BIGINT NOT NULL
);
CREATE INDEX signin_choices_at ON signin_choices (at);

-- +goose Down
DROP TABLE signin_choices;
DROP INDEX patients_indexed;
ALTER TABLE patients DROP COLUMN indexed;
ALTER TABLE deliveries DROP COLUMN representative;
ALTER TABLE links DROP COLUMN representative;
ALTER TABLE sessions DROP COLUMN id_token;
ALTER TABLE sessions DROP COLUMN representative;
ALTER TABLE sessions DROP COLUMN socket_at;
