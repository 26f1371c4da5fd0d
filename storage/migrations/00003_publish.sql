-- +goose Up
-- Contents of posts by the SHA-256 of their JSON, shared by posts, revisions
-- and deliveries. used_at rises with each use, so that the sweep of orphans
-- never takes a content that a transaction under way is about to name.
CREATE TABLE contents (
  hash VARCHAR(64) NOT NULL,
  body MEDIUMTEXT NOT NULL,
  used_at BIGINT NOT NULL,
  PRIMARY KEY (hash)
);
CREATE INDEX contents_used ON contents (used_at);

CREATE TABLE content_assets (
  asset VARCHAR(64) NOT NULL,
  content VARCHAR(64) NOT NULL,
  PRIMARY KEY (asset, content)
);
CREATE INDEX content_assets_content ON content_assets (content);

CREATE TABLE posts (
  id BIGINT NOT NULL,
  org_id BIGINT NOT NULL,
  title VARCHAR(255) NOT NULL,
  state VARCHAR(16) NOT NULL,
  version BIGINT NOT NULL,
  hash VARCHAR(64) NOT NULL,
  sim BIGINT NOT NULL,
  articles SMALLINT NOT NULL,
  cover VARCHAR(64) NOT NULL,
  author_id BIGINT NOT NULL,
  author_name VARCHAR(100) NOT NULL,
  editors MEDIUMTEXT NOT NULL,
  level SMALLINT NOT NULL,
  levels SMALLINT NOT NULL,
  review_due BIGINT NOT NULL,
  approved_hash VARCHAR(64) NOT NULL,
  due_at BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  updated_by VARCHAR(100) NOT NULL,
  PRIMARY KEY (id)
);
CREATE INDEX posts_state ON posts (state, id);
CREATE INDEX posts_org ON posts (org_id, id);
CREATE INDEX posts_hash ON posts (hash);
CREATE INDEX posts_approved ON posts (approved_hash);
CREATE INDEX posts_updated ON posts (updated_at);

CREATE TABLE revisions (
  post_id BIGINT NOT NULL,
  version BIGINT NOT NULL,
  hash VARCHAR(64) NOT NULL,
  title VARCHAR(255) NOT NULL,
  is_auto SMALLINT NOT NULL,
  author_name VARCHAR(100) NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (post_id, version)
);
CREATE INDEX revisions_hash ON revisions (hash);
CREATE INDEX revisions_auto ON revisions (is_auto, at);

CREATE TABLE reviews (
  id BIGINT NOT NULL,
  post_id BIGINT NOT NULL,
  version BIGINT NOT NULL,
  hash VARCHAR(64) NOT NULL,
  level SMALLINT NOT NULL,
  decision VARCHAR(16) NOT NULL,
  reason MEDIUMTEXT NOT NULL,
  reviewer_id BIGINT NOT NULL,
  reviewer_name VARCHAR(100) NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (id)
);
CREATE INDEX reviews_post ON reviews (post_id, id);

CREATE TABLE comments (
  id BIGINT NOT NULL,
  post_id BIGINT NOT NULL,
  parent_id BIGINT NOT NULL,
  version BIGINT NOT NULL,
  article SMALLINT NOT NULL,
  quote MEDIUMTEXT NOT NULL,
  prefix MEDIUMTEXT NOT NULL,
  suffix MEDIUMTEXT NOT NULL,
  body MEDIUMTEXT NOT NULL,
  author_id BIGINT NOT NULL,
  author_name VARCHAR(100) NOT NULL,
  at BIGINT NOT NULL,
  resolved_at BIGINT NOT NULL,
  resolved_by VARCHAR(100) NOT NULL,
  PRIMARY KEY (id)
);
CREATE INDEX comments_post ON comments (post_id, id);

-- next_at = 0: the queue has nothing to do by itself.
CREATE TABLE deliveries (
  id BIGINT NOT NULL,
  post_id BIGINT NOT NULL,
  account_id BIGINT NOT NULL,
  mode VARCHAR(16) NOT NULL,
  state VARCHAR(16) NOT NULL,
  step VARCHAR(16) NOT NULL,
  hash VARCHAR(64) NOT NULL,
  post_version BIGINT NOT NULL,
  due_at BIGINT NOT NULL,
  next_at BIGINT NOT NULL,
  lease_owner VARCHAR(64) NOT NULL,
  lease_until BIGINT NOT NULL,
  version BIGINT NOT NULL,
  attempt BIGINT NOT NULL,
  draft_id VARCHAR(200) NOT NULL,
  publish_id VARCHAR(100) NOT NULL,
  msg_id VARCHAR(100) NOT NULL,
  msg_data_id VARCHAR(100) NOT NULL,
  submit_at BIGINT NOT NULL,
  done_at BIGINT NOT NULL,
  article_id VARCHAR(200) NOT NULL,
  urls MEDIUMTEXT NOT NULL,
  err_kind VARCHAR(16) NOT NULL,
  err_code BIGINT NOT NULL,
  note MEDIUMTEXT NOT NULL,
  polls BIGINT NOT NULL,
  PRIMARY KEY (id)
);
CREATE INDEX deliveries_next ON deliveries (next_at, id);
CREATE INDEX deliveries_post ON deliveries (post_id);
CREATE INDEX deliveries_account ON deliveries (account_id, state);
CREATE INDEX deliveries_state ON deliveries (state, due_at);
CREATE INDEX deliveries_due ON deliveries (due_at);
CREATE INDEX deliveries_hash ON deliveries (hash);
CREATE INDEX deliveries_publish ON deliveries (publish_id);
CREATE INDEX deliveries_msg ON deliveries (msg_id);
CREATE INDEX deliveries_msg_data ON deliveries (msg_data_id);

-- One published article belongs to one delivery; first come, first served.
CREATE TABLE article_claims (
  account_id BIGINT NOT NULL,
  article_id VARCHAR(200) NOT NULL,
  delivery_id BIGINT NOT NULL,
  PRIMARY KEY (account_id, article_id)
);

CREATE TABLE delivery_events (
  id BIGINT NOT NULL,
  delivery_id BIGINT NOT NULL,
  at BIGINT NOT NULL,
  state VARCHAR(16) NOT NULL,
  step VARCHAR(16) NOT NULL,
  note MEDIUMTEXT NOT NULL,
  PRIMARY KEY (id)
);
CREATE INDEX delivery_events_delivery ON delivery_events (delivery_id, id);

CREATE TABLE platform_events (
  id BIGINT NOT NULL,
  account_id BIGINT NOT NULL,
  dedupe VARCHAR(200) NOT NULL,
  publish_id VARCHAR(100) NOT NULL,
  msg_id VARCHAR(100) NOT NULL,
  msg_data_id VARCHAR(100) NOT NULL,
  outcome MEDIUMTEXT NOT NULL,
  at BIGINT NOT NULL,
  delivery_id BIGINT NOT NULL,
  PRIMARY KEY (id)
);
CREATE UNIQUE INDEX platform_events_dedupe ON platform_events (account_id, dedupe);
CREATE INDEX platform_events_open ON platform_events (account_id, delivery_id, at);

CREATE TABLE uploads (
  account_id BIGINT NOT NULL,
  upload_key VARCHAR(200) NOT NULL,
  ref MEDIUMTEXT NOT NULL,
  PRIMARY KEY (account_id, upload_key)
);

CREATE TABLE budgets (
  account_id BIGINT NOT NULL,
  day VARCHAR(10) NOT NULL,
  call_name VARCHAR(64) NOT NULL,
  used BIGINT NOT NULL,
  PRIMARY KEY (account_id, day, call_name)
);

CREATE TABLE figures (
  delivery_id BIGINT NOT NULL,
  day VARCHAR(10) NOT NULL,
  read_count BIGINT NOT NULL,
  people BIGINT NOT NULL,
  shares BIGINT NOT NULL,
  likes BIGINT NOT NULL,
  PRIMARY KEY (delivery_id, day)
);

-- app_key is platform:app_id, or #id for a platform without application ids.
CREATE TABLE platform_accounts (
  id BIGINT NOT NULL,
  org_id BIGINT NOT NULL,
  platform VARCHAR(16) NOT NULL,
  name VARCHAR(100) NOT NULL,
  kind VARCHAR(16) NOT NULL,
  mode VARCHAR(16) NOT NULL,
  app_id VARCHAR(64) NOT NULL,
  app_key VARCHAR(100) NOT NULL,
  secrets MEDIUMTEXT NOT NULL,
  paused SMALLINT NOT NULL,
  note MEDIUMTEXT NOT NULL,
  limits MEDIUMTEXT NOT NULL,
  health MEDIUMTEXT NOT NULL,
  version BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (id)
);
CREATE UNIQUE INDEX platform_accounts_app ON platform_accounts (app_key);
CREATE INDEX platform_accounts_org ON platform_accounts (org_id);

CREATE TABLE assets (
  id BIGINT NOT NULL,
  org_id BIGINT NOT NULL,
  hash VARCHAR(64) NOT NULL,
  name VARCHAR(255) NOT NULL,
  alt MEDIUMTEXT NOT NULL,
  mime VARCHAR(64) NOT NULL,
  width BIGINT NOT NULL,
  height BIGINT NOT NULL,
  size BIGINT NOT NULL,
  created_by VARCHAR(100) NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (id)
);
CREATE UNIQUE INDEX assets_org_hash ON assets (org_id, hash);
CREATE INDEX assets_hash ON assets (hash);

CREATE TABLE words (
  id BIGINT NOT NULL,
  word VARCHAR(100) NOT NULL,
  kind VARCHAR(16) NOT NULL,
  suggest VARCHAR(100) NOT NULL,
  note VARCHAR(255) NOT NULL,
  PRIMARY KEY (id)
);
CREATE UNIQUE INDEX words_word ON words (word);

CREATE TABLE slots (
  id BIGINT NOT NULL,
  org_id BIGINT NOT NULL,
  account_id BIGINT NOT NULL,
  weekday SMALLINT NOT NULL,
  minute SMALLINT NOT NULL,
  label VARCHAR(100) NOT NULL,
  PRIMARY KEY (id)
);
CREATE UNIQUE INDEX slots_time ON slots (account_id, weekday, minute);

CREATE TABLE calendar_tokens (
  owner_id BIGINT NOT NULL,
  token_hash VARCHAR(64) NOT NULL,
  PRIMARY KEY (owner_id)
);
CREATE UNIQUE INDEX calendar_tokens_hash ON calendar_tokens (token_hash);

-- +goose Down
DROP TABLE calendar_tokens;
DROP TABLE slots;
DROP TABLE words;
DROP TABLE assets;
DROP TABLE platform_accounts;
DROP TABLE figures;
DROP TABLE budgets;
DROP TABLE uploads;
DROP TABLE platform_events;
DROP TABLE delivery_events;
DROP TABLE article_claims;
DROP TABLE deliveries;
DROP TABLE comments;
DROP TABLE reviews;
DROP TABLE revisions;
DROP TABLE posts;
DROP TABLE content_assets;
DROP TABLE contents;
