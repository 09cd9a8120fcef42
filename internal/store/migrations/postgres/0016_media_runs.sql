-- +goose Up
CREATE TABLE media_runs (
    run   TEXT PRIMARY KEY,
    taken BIGINT NOT NULL,
    at    BIGINT NOT NULL
);

-- +goose Down
DROP TABLE media_runs;
