-- +goose Up
CREATE TABLE organizations (
    id           TEXT PRIMARY KEY,
    finess       TEXT NOT NULL UNIQUE,
    name         TEXT NOT NULL,
    street       TEXT NOT NULL,
    postal_code  TEXT NOT NULL,
    city         TEXT NOT NULL,
    commune_code TEXT NOT NULL,
    phone        TEXT NOT NULL,
    sector       TEXT NOT NULL,
    setting      TEXT NOT NULL,
    mssante      TEXT NOT NULL,
    zone         TEXT NOT NULL,
    at           BIGINT NOT NULL
);
CREATE TABLE staff (
    id              TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    role            TEXT NOT NULL,
    idnat           TEXT NOT NULL,
    title           TEXT NOT NULL,
    given_name      TEXT NOT NULL,
    family_name     TEXT NOT NULL,
    search_key      TEXT NOT NULL,
    profession      TEXT NOT NULL,
    specialty       TEXT NOT NULL,
    mssante         TEXT NOT NULL,
    bio             TEXT NOT NULL,
    languages       TEXT NOT NULL,
    active          INTEGER NOT NULL,
    at              BIGINT NOT NULL,
    UNIQUE (organization_id, idnat)
);
CREATE INDEX staff_idnat ON staff (idnat);
CREATE INDEX staff_specialty ON staff (specialty, family_name);
CREATE TABLE patients (
    id              TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    status          TEXT NOT NULL,
    language        TEXT NOT NULL,
    record          BYTEA NOT NULL,
    at              BIGINT NOT NULL,
    changed_at      BIGINT NOT NULL
);
CREATE TABLE patient_index (
    patient_id      TEXT NOT NULL REFERENCES patients (id),
    organization_id TEXT NOT NULL,
    hash            BYTEA NOT NULL,
    PRIMARY KEY (patient_id, hash)
);
CREATE INDEX patient_index_hash ON patient_index (hash, organization_id);
CREATE TABLE patient_claims (
    organization_id TEXT NOT NULL,
    hash            BYTEA NOT NULL,
    patient_id      TEXT NOT NULL,
    PRIMARY KEY (organization_id, hash)
);
CREATE TABLE links (
    id             TEXT PRIMARY KEY,
    hash           BYTEA NOT NULL UNIQUE,
    patient_id     TEXT NOT NULL REFERENCES patients (id),
    appointment_id TEXT NOT NULL,
    at             BIGINT NOT NULL,
    revoked_at     BIGINT NOT NULL
);
CREATE INDEX links_appointment ON links (appointment_id);
CREATE TABLE sessions (
    id             TEXT PRIMARY KEY,
    hash           BYTEA NOT NULL UNIQUE,
    level          INTEGER NOT NULL,
    patient_id     TEXT NOT NULL,
    appointment_id TEXT NOT NULL,
    staff_id       TEXT NOT NULL,
    proof          TEXT NOT NULL,
    at             BIGINT NOT NULL,
    seen_at        BIGINT NOT NULL,
    ended_at       BIGINT NOT NULL
);
CREATE INDEX sessions_appointment ON sessions (appointment_id);
CREATE INDEX sessions_staff ON sessions (staff_id);
CREATE INDEX sessions_seen ON sessions (seen_at);
CREATE TABLE codes (
    id         TEXT PRIMARY KEY,
    session_id TEXT NOT NULL,
    patient_id TEXT NOT NULL REFERENCES patients (id),
    channel    TEXT NOT NULL,
    hash       BYTEA NOT NULL,
    sealed     BYTEA NOT NULL,
    tries      INTEGER NOT NULL,
    at         BIGINT NOT NULL,
    used_at    BIGINT NOT NULL
);
CREATE INDEX codes_session ON codes (session_id, at);
CREATE TABLE signins (
    hash         BYTEA PRIMARY KEY,
    browser_hash BYTEA NOT NULL,
    return_to    TEXT NOT NULL,
    at           BIGINT NOT NULL
);
CREATE INDEX signins_at ON signins (at);

-- +goose Down
DROP TABLE signins; DROP TABLE codes; DROP TABLE sessions; DROP TABLE links; DROP TABLE patient_claims; DROP TABLE patient_index; DROP TABLE patients; DROP TABLE staff; DROP TABLE organizations;
