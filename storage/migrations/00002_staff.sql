-- +goose Up
CREATE TABLE orgs (
  id BIGINT NOT NULL,
  parent_id BIGINT NOT NULL,
  path VARCHAR(255) NOT NULL,
  kind VARCHAR(16) NOT NULL,
  name VARCHAR(50) NOT NULL,
  short_name VARCHAR(20) NOT NULL,
  settings MEDIUMTEXT NOT NULL,
  archived_at BIGINT NOT NULL,
  version BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  updated_by VARCHAR(100) NOT NULL,
  PRIMARY KEY (id)
);
CREATE UNIQUE INDEX orgs_path ON orgs (path);

CREATE TABLE staff_accounts (
  id BIGINT NOT NULL,
  org_id BIGINT NOT NULL,
  login VARCHAR(40) NOT NULL,
  name VARCHAR(30) NOT NULL,
  phone_sealed VARCHAR(255) NOT NULL,
  state VARCHAR(16) NOT NULL,
  password_hash VARCHAR(255) NOT NULL,
  password_history MEDIUMTEXT NOT NULL,
  password_at BIGINT NOT NULL,
  totp_sealed VARCHAR(255) NOT NULL,
  totp_step BIGINT NOT NULL,
  recovery MEDIUMTEXT NOT NULL,
  cred_version BIGINT NOT NULL,
  last_signin_at BIGINT NOT NULL,
  version BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  updated_by VARCHAR(100) NOT NULL,
  PRIMARY KEY (id)
);
CREATE UNIQUE INDEX staff_accounts_login ON staff_accounts (login);
CREATE INDEX staff_accounts_org ON staff_accounts (org_id, id);

CREATE TABLE staff_roles (
  account_id BIGINT NOT NULL,
  role VARCHAR(32) NOT NULL,
  org_id BIGINT NOT NULL,
  PRIMARY KEY (account_id, role, org_id)
);
CREATE INDEX staff_roles_org ON staff_roles (org_id, role);

CREATE TABLE staff_sessions (
  id BIGINT NOT NULL,
  account_id BIGINT NOT NULL,
  token_hash VARCHAR(43) NOT NULL,
  created_at BIGINT NOT NULL,
  seen_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  addr VARCHAR(64) NOT NULL,
  user_agent VARCHAR(200) NOT NULL,
  method VARCHAR(16) NOT NULL,
  PRIMARY KEY (id)
);
CREATE UNIQUE INDEX staff_sessions_token ON staff_sessions (token_hash);
CREATE INDEX staff_sessions_account ON staff_sessions (account_id, id);
CREATE INDEX staff_sessions_expires ON staff_sessions (expires_at);

CREATE TABLE staff_links (
  id BIGINT NOT NULL,
  kind VARCHAR(16) NOT NULL,
  token_hash VARCHAR(43) NOT NULL,
  account_id BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  used_at BIGINT NOT NULL,
  PRIMARY KEY (id)
);
CREATE UNIQUE INDEX staff_links_token ON staff_links (token_hash);
CREATE INDEX staff_links_account ON staff_links (account_id, kind);
CREATE INDEX staff_links_expires ON staff_links (expires_at);

CREATE TABLE staff_failures (
  name VARCHAR(64) NOT NULL,
  tries BIGINT NOT NULL,
  last_at BIGINT NOT NULL,
  until_at BIGINT NOT NULL,
  PRIMARY KEY (name)
);
CREATE INDEX staff_failures_last ON staff_failures (last_at);

-- +goose Down
DROP TABLE staff_failures;
DROP TABLE staff_links;
DROP TABLE staff_sessions;
DROP TABLE staff_roles;
DROP TABLE staff_accounts;
DROP TABLE orgs;
