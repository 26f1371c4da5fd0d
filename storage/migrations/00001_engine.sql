-- +goose Up
CREATE TABLE nodes (
  id BIGINT NOT NULL,
  name VARCHAR(200) NOT NULL,
  epoch BIGINT NOT NULL,
  lease_until BIGINT NOT NULL,
  started_at BIGINT NOT NULL,
  PRIMARY KEY (id)
);

CREATE TABLE audit (
  chain BIGINT NOT NULL,
  seq BIGINT NOT NULL,
  at BIGINT NOT NULL,
  actor_id BIGINT NOT NULL,
  actor_kind VARCHAR(16) NOT NULL,
  actor_name VARCHAR(100) NOT NULL,
  action VARCHAR(64) NOT NULL,
  object VARCHAR(32) NOT NULL,
  object_id BIGINT NOT NULL,
  org_id BIGINT NOT NULL,
  org_path VARCHAR(255) NOT NULL,
  result VARCHAR(16) NOT NULL,
  addr VARCHAR(64) NOT NULL,
  user_agent VARCHAR(200) NOT NULL,
  request_id VARCHAR(64) NOT NULL,
  detail MEDIUMTEXT NOT NULL,
  prev VARCHAR(43) NOT NULL,
  hash VARCHAR(43) NOT NULL,
  PRIMARY KEY (chain, seq)
);
CREATE INDEX audit_at ON audit (at, chain, seq);
CREATE INDEX audit_object ON audit (object_id, at);
CREATE INDEX audit_actor ON audit (actor_id, at);

CREATE TABLE audit_heads (
  chain BIGINT NOT NULL,
  seq BIGINT NOT NULL,
  hash VARCHAR(43) NOT NULL,
  mac VARCHAR(43) NOT NULL,
  PRIMARY KEY (chain)
);

CREATE TABLE idempotency (
  actor_kind VARCHAR(16) NOT NULL,
  actor_id BIGINT NOT NULL,
  idem_key VARCHAR(128) NOT NULL,
  body_hash VARCHAR(64) NOT NULL,
  object_id BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (actor_kind, actor_id, idem_key)
);
CREATE INDEX idempotency_created ON idempotency (created_at);

CREATE TABLE settings (
  name VARCHAR(100) NOT NULL,
  value MEDIUMTEXT NOT NULL,
  version BIGINT NOT NULL,
  PRIMARY KEY (name)
);

-- +goose Down
DROP TABLE settings;
DROP TABLE idempotency;
DROP TABLE audit_heads;
DROP TABLE audit;
DROP TABLE nodes;
