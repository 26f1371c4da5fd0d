-- +goose Up
-- Live contests. code_key holds the code while people may join by it, "#id"
-- otherwise. fence rises with every owner: a write under an older one is refused.
CREATE TABLE contests (
  id BIGINT NOT NULL,
  org_id BIGINT NOT NULL,
  title VARCHAR(60) NOT NULL,
  mode VARCHAR(16) NOT NULL,
  state VARCHAR(16) NOT NULL,
  code VARCHAR(8) NOT NULL,
  code_key VARCHAR(24) NOT NULL,
  plan MEDIUMTEXT NOT NULL,
  seed BIGINT NOT NULL,
  rule_version INT NOT NULL,
  starts_at BIGINT NOT NULL,
  finished_at BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  created_by VARCHAR(100) NOT NULL,
  locked SMALLINT NOT NULL,
  question INT NOT NULL,
  questions INT NOT NULL,
  phase VARCHAR(16) NOT NULL,
  opened_at BIGINT NOT NULL,
  ends_at BIGINT NOT NULL,
  closed_at BIGINT NOT NULL,
  left_ms BIGINT NOT NULL,
  match_size INT NOT NULL,
  match_topic VARCHAR(60) NOT NULL,
  match_private SMALLINT NOT NULL,
  players INT NOT NULL,
  lease_owner VARCHAR(40) NOT NULL,
  fence BIGINT NOT NULL,
  lease_until BIGINT NOT NULL,
  version BIGINT NOT NULL,
  PRIMARY KEY (id)
);
CREATE UNIQUE INDEX contests_code ON contests (code_key);
CREATE INDEX contests_org ON contests (org_id, state, id);
CREATE INDEX contests_state ON contests (state, id);

-- Questions that were opened, and whether they count.
CREATE TABLE contest_rounds (
  contest_id BIGINT NOT NULL,
  n INT NOT NULL,
  phase VARCHAR(16) NOT NULL,
  opened_at BIGINT NOT NULL,
  ends_at BIGINT NOT NULL,
  closed_at BIGINT NOT NULL,
  PRIMARY KEY (contest_id, n)
);

CREATE TABLE contest_players (
  contest_id BIGINT NOT NULL,
  player_id BIGINT NOT NULL,
  name VARCHAR(30) NOT NULL,
  org_id BIGINT NOT NULL,
  org_name VARCHAR(100) NOT NULL,
  team VARCHAR(100) NOT NULL,
  hidden SMALLINT NOT NULL,
  joined_at BIGINT NOT NULL,
  entered_at BIGINT NOT NULL,
  removed_at BIGINT NOT NULL,
  PRIMARY KEY (contest_id, player_id)
);
CREATE INDEX contest_players_member ON contest_players (player_id, contest_id);

-- The first answer of a player to a question is the one that counts. received_at
-- is the owning node's time; right and points follow from it and never change.
CREATE TABLE contest_answers (
  contest_id BIGINT NOT NULL,
  n INT NOT NULL,
  player_id BIGINT NOT NULL,
  received_at BIGINT NOT NULL,
  answer MEDIUMTEXT NOT NULL,
  is_right SMALLINT NOT NULL,
  points INT NOT NULL,
  PRIMARY KEY (contest_id, n, player_id)
);

CREATE TABLE contest_tickets (
  hash VARCHAR(64) NOT NULL,
  contest_id BIGINT NOT NULL,
  holder_id BIGINT NOT NULL,
  role VARCHAR(16) NOT NULL,
  expires_at BIGINT NOT NULL,
  PRIMARY KEY (hash)
);
CREATE INDEX contest_tickets_end ON contest_tickets (expires_at);

-- +goose Down
DROP TABLE contest_tickets;
DROP TABLE contest_answers;
DROP TABLE contest_players;
DROP TABLE contest_rounds;
DROP TABLE contests;
