-- +goose Up
-- One row: whose key this database belongs to, and which process serves it.
CREATE TABLE installation (
    id         INTEGER PRIMARY KEY CHECK (id = 1),
    name       TEXT NOT NULL,
    key_name   TEXT NOT NULL,
    made       BIGINT NOT NULL,
    generation BIGINT NOT NULL,
    holder     TEXT NOT NULL,
    held_since BIGINT NOT NULL,
    probed     BIGINT NOT NULL
);

-- +goose Down
DROP TABLE installation;
