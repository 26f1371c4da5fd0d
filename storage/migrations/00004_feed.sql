-- +goose Up
CREATE TABLE feed_pictures (
  account_id BIGINT NOT NULL,
  hash VARCHAR(64) NOT NULL,
  mime VARCHAR(32) NOT NULL,
  PRIMARY KEY (account_id, hash)
);

CREATE TABLE feed_drafts (
  id BIGINT NOT NULL,
  account_id BIGINT NOT NULL,
  articles MEDIUMTEXT NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (id)
);
CREATE INDEX feed_drafts_created ON feed_drafts (created_at);

CREATE TABLE feed_messages (
  id BIGINT NOT NULL,
  account_id BIGINT NOT NULL,
  client_id VARCHAR(32) NOT NULL,
  published_at BIGINT NOT NULL,
  removed_at BIGINT NOT NULL,
  PRIMARY KEY (id)
);
CREATE UNIQUE INDEX feed_messages_client ON feed_messages (account_id, client_id);
CREATE INDEX feed_messages_recent ON feed_messages (account_id, removed_at, id);

CREATE TABLE feed_items (
  id BIGINT NOT NULL,
  account_id BIGINT NOT NULL,
  message_id BIGINT NOT NULL,
  position SMALLINT NOT NULL,
  title VARCHAR(200) NOT NULL,
  author VARCHAR(64) NOT NULL,
  digest VARCHAR(500) NOT NULL,
  html MEDIUMTEXT NOT NULL,
  cover VARCHAR(64) NOT NULL,
  source_url VARCHAR(1024) NOT NULL,
  published_at BIGINT NOT NULL,
  removed_at BIGINT NOT NULL,
  PRIMARY KEY (id)
);
CREATE INDEX feed_items_recent ON feed_items (account_id, removed_at, id);
CREATE INDEX feed_items_message ON feed_items (message_id, position);

CREATE TABLE feed_shown (
  account_id BIGINT NOT NULL,
  hash VARCHAR(64) NOT NULL,
  item_id BIGINT NOT NULL,
  PRIMARY KEY (account_id, hash, item_id)
);
CREATE INDEX feed_shown_item ON feed_shown (item_id);

CREATE TABLE feed_webhooks (
  id BIGINT NOT NULL,
  account_id BIGINT NOT NULL,
  url VARCHAR(500) NOT NULL,
  secret VARCHAR(255) NOT NULL,
  enabled SMALLINT NOT NULL,
  note VARCHAR(200) NOT NULL,
  created_by VARCHAR(100) NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (id)
);
CREATE UNIQUE INDEX feed_webhooks_url ON feed_webhooks (account_id, url);

CREATE TABLE feed_jobs (
  id BIGINT NOT NULL,
  webhook_id BIGINT NOT NULL,
  account_id BIGINT NOT NULL,
  event VARCHAR(32) NOT NULL,
  body MEDIUMTEXT NOT NULL,
  state VARCHAR(16) NOT NULL,
  attempt BIGINT NOT NULL,
  next_at BIGINT NOT NULL,
  lease_owner VARCHAR(64) NOT NULL,
  version BIGINT NOT NULL,
  status BIGINT NOT NULL,
  note VARCHAR(200) NOT NULL,
  created_at BIGINT NOT NULL,
  done_at BIGINT NOT NULL,
  PRIMARY KEY (id)
);
CREATE INDEX feed_jobs_due ON feed_jobs (state, next_at);
CREATE INDEX feed_jobs_account ON feed_jobs (account_id, id);
CREATE INDEX feed_jobs_webhook ON feed_jobs (webhook_id);
CREATE INDEX feed_jobs_done ON feed_jobs (done_at);

CREATE TABLE feed_attempts (
  job_id BIGINT NOT NULL,
  attempt BIGINT NOT NULL,
  at BIGINT NOT NULL,
  status BIGINT NOT NULL,
  millis BIGINT NOT NULL,
  note VARCHAR(200) NOT NULL,
  PRIMARY KEY (job_id, attempt)
);

-- +goose Down
DROP TABLE feed_attempts;
DROP TABLE feed_jobs;
DROP TABLE feed_webhooks;
DROP TABLE feed_shown;
DROP TABLE feed_items;
DROP TABLE feed_messages;
DROP TABLE feed_drafts;
DROP TABLE feed_pictures;
