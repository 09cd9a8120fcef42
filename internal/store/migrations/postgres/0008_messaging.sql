-- +goose Up
CREATE TABLE deliveries (
    id              TEXT PRIMARY KEY,
    once            TEXT NOT NULL UNIQUE,
    channel         TEXT NOT NULL,
    about           TEXT NOT NULL,
    recipient       TEXT NOT NULL,
    patient_id      TEXT NOT NULL,
    practitioner_id TEXT NOT NULL,
    organization_id TEXT NOT NULL,
    appointment_id  TEXT NOT NULL,
    encounter_id    TEXT NOT NULL,
    code_id         TEXT NOT NULL,
    language        TEXT NOT NULL,
    zone            TEXT NOT NULL,
    starts_at       BIGINT NOT NULL,
    fact_at         BIGINT NOT NULL,
    state           TEXT NOT NULL,
    reason          TEXT NOT NULL,
    attempts        BIGINT NOT NULL,
    next_at         BIGINT NOT NULL,
    claim           TEXT NOT NULL,
    claimed_until   BIGINT NOT NULL,
    phase           TEXT NOT NULL,
    data_at         BIGINT NOT NULL,
    witnessed       BIGINT NOT NULL,
    message_id      TEXT NOT NULL,
    written_at      BIGINT NOT NULL,
    sealed_to       BYTEA NOT NULL,
    sealed_content  BYTEA NOT NULL,
    at              BIGINT NOT NULL,
    updated_at      BIGINT NOT NULL
);
CREATE INDEX deliveries_due ON deliveries (state, next_at);
CREATE INDEX deliveries_encounter ON deliveries (encounter_id);
CREATE INDEX deliveries_appointment ON deliveries (appointment_id);
CREATE INDEX deliveries_message ON deliveries (message_id);
CREATE TABLE delivery_documents (
    document_id TEXT NOT NULL,
    recipient   TEXT NOT NULL,
    delivery_id TEXT NOT NULL REFERENCES deliveries (id),
    position    BIGINT NOT NULL,
    PRIMARY KEY (document_id, recipient)
);
CREATE INDEX delivery_documents_delivery ON delivery_documents (delivery_id, position);
CREATE TABLE delivery_history (
    delivery_id TEXT NOT NULL REFERENCES deliveries (id),
    position    BIGINT NOT NULL,
    at          BIGINT NOT NULL,
    state       TEXT NOT NULL,
    reason      TEXT NOT NULL,
    PRIMARY KEY (delivery_id, position)
);

-- +goose Down
DROP TABLE delivery_history; DROP TABLE delivery_documents; DROP TABLE deliveries;
