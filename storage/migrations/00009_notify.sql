-- +goose Up
-- A campaign is a notice on its way to an audience. dedupe names the occasion
-- of those that the program makes itself, "#id" for the others. target is the
-- audience as it was resolved at the start; fence guards the work of a node.
CREATE TABLE campaigns (
  id BIGINT NOT NULL,
  org_id BIGINT NOT NULL,
  dedupe VARCHAR(100) NOT NULL,
  kind VARCHAR(16) NOT NULL,
  title VARCHAR(100) NOT NULL,
  summary VARCHAR(255) NOT NULL,
  body MEDIUMTEXT NOT NULL,
  ask MEDIUMTEXT NOT NULL,
  link_kind VARCHAR(16) NOT NULL,
  link_id BIGINT NOT NULL,
  event_at BIGINT NOT NULL,
  place VARCHAR(100) NOT NULL,
  remark VARCHAR(100) NOT NULL,
  audience MEDIUMTEXT NOT NULL,
  target MEDIUMTEXT NOT NULL,
  push SMALLINT NOT NULL,
  remind_of BIGINT NOT NULL,
  state VARCHAR(16) NOT NULL,
  problem VARCHAR(255) NOT NULL,
  sent_id BIGINT NOT NULL,
  recipients BIGINT NOT NULL,
  lease_owner VARCHAR(64) NOT NULL,
  lease_until BIGINT NOT NULL,
  fence BIGINT NOT NULL,
  version BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  created_by VARCHAR(100) NOT NULL,
  updated_at BIGINT NOT NULL,
  updated_by VARCHAR(100) NOT NULL,
  started_at BIGINT NOT NULL,
  done_at BIGINT NOT NULL,
  PRIMARY KEY (id)
);
CREATE UNIQUE INDEX campaigns_dedupe ON campaigns (dedupe);
CREATE INDEX campaigns_org ON campaigns (org_id, id);
CREATE INDEX campaigns_state ON campaigns (state, id);
CREATE INDEX campaigns_remind ON campaigns (remind_of, org_id, created_at);

-- One row for each recipient: nobody twice. seq is the campaign's sent_id.
CREATE TABLE inbox (
  campaign_id BIGINT NOT NULL,
  member_id BIGINT NOT NULL,
  seq BIGINT NOT NULL,
  at BIGINT NOT NULL,
  read_at BIGINT NOT NULL,
  choice SMALLINT NOT NULL,
  answer VARCHAR(255) NOT NULL,
  answered_at BIGINT NOT NULL,
  PRIMARY KEY (campaign_id, member_id)
);
CREATE INDEX inbox_member ON inbox (member_id, seq);
CREATE INDEX inbox_unread ON inbox (member_id, read_at);

-- One message of the platform for each recipient who can be reached by one.
CREATE TABLE sends (
  campaign_id BIGINT NOT NULL,
  member_id BIGINT NOT NULL,
  channel VARCHAR(16) NOT NULL,
  app_id VARCHAR(64) NOT NULL,
  template_id VARCHAR(100) NOT NULL,
  state VARCHAR(16) NOT NULL,
  next_at BIGINT NOT NULL,
  lease_owner VARCHAR(64) NOT NULL,
  lease_until BIGINT NOT NULL,
  version BIGINT NOT NULL,
  attempt SMALLINT NOT NULL,
  err_kind VARCHAR(16) NOT NULL,
  err_code BIGINT NOT NULL,
  note VARCHAR(255) NOT NULL,
  msg_id VARCHAR(64) NOT NULL,
  intent_at BIGINT NOT NULL,
  done_at BIGINT NOT NULL,
  PRIMARY KEY (campaign_id, member_id)
);
CREATE INDEX sends_due ON sends (campaign_id, state, channel, next_at);
CREATE INDEX sends_lease ON sends (state, lease_until);
CREATE INDEX sends_msg ON sends (msg_id);

-- How many messages a member still allows, for each template, and every step
-- that led there: left_n of the last row is the balance.
CREATE TABLE grants (
  member_id BIGINT NOT NULL,
  template_id VARCHAR(100) NOT NULL,
  left_n BIGINT NOT NULL,
  seq BIGINT NOT NULL,
  PRIMARY KEY (member_id, template_id)
);
CREATE TABLE grant_rows (
  member_id BIGINT NOT NULL,
  template_id VARCHAR(100) NOT NULL,
  seq BIGINT NOT NULL,
  kind VARCHAR(16) NOT NULL,
  n BIGINT NOT NULL,
  left_n BIGINT NOT NULL,
  source VARCHAR(16) NOT NULL,
  campaign_id BIGINT NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (member_id, template_id, seq)
);

-- The rate that all nodes share: up to when, in microseconds, an account's
-- messages are spoken for.
CREATE TABLE send_budgets (
  app_id VARCHAR(64) NOT NULL,
  spoken_to BIGINT NOT NULL,
  PRIMARY KEY (app_id)
);

-- +goose Down
DROP TABLE send_budgets;
DROP TABLE grant_rows;
DROP TABLE grants;
DROP TABLE sends;
DROP TABLE inbox;
DROP TABLE campaigns;
