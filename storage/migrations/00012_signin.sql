-- +goose Up
-- Devices on which members are signed in. The refresh token is computed from
-- nonce and generation under a key that is not here.
CREATE TABLE member_sessions (
  id BIGINT NOT NULL,
  member_id BIGINT NOT NULL,
  binding_id BIGINT NOT NULL,
  client VARCHAR(8) NOT NULL,
  device VARCHAR(40) NOT NULL,
  addr VARCHAR(64) NOT NULL,
  nonce VARCHAR(22) NOT NULL,
  generation BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  seen_at BIGINT NOT NULL,
  rotated_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  ended_at BIGINT NOT NULL,
  ended_why VARCHAR(16) NOT NULL,
  PRIMARY KEY (id)
);
CREATE INDEX member_sessions_member ON member_sessions (member_id, ended_at, seen_at);
CREATE INDEX member_sessions_expires ON member_sessions (expires_at);
CREATE INDEX member_sessions_ended ON member_sessions (ended_at);

-- Which WeChat identity is which member.
CREATE TABLE member_wechat (
  id BIGINT NOT NULL,
  member_id BIGINT NOT NULL,
  app_id VARCHAR(40) NOT NULL,
  openid VARCHAR(64) NOT NULL,
  unionid VARCHAR(64) NOT NULL,
  how VARCHAR(8) NOT NULL,
  bound_at BIGINT NOT NULL,
  PRIMARY KEY (id)
);
CREATE UNIQUE INDEX member_wechat_openid ON member_wechat (app_id, openid);
CREATE UNIQUE INDEX member_wechat_member ON member_wechat (member_id, app_id);
CREATE INDEX member_wechat_union ON member_wechat (unionid);

-- Things that work once: sign-in links, invite codes, tickets of people whom
-- WeChat knows and the roster does not yet.
CREATE TABLE member_links (
  id BIGINT NOT NULL,
  kind VARCHAR(8) NOT NULL,
  hash VARCHAR(43) NOT NULL,
  member_id BIGINT NOT NULL,
  app_id VARCHAR(40) NOT NULL,
  openid VARCHAR(64) NOT NULL,
  unionid VARCHAR(64) NOT NULL,
  client VARCHAR(8) NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  used_at BIGINT NOT NULL,
  tries BIGINT NOT NULL,
  PRIMARY KEY (id)
);
CREATE UNIQUE INDEX member_links_hash ON member_links (hash);
CREATE INDEX member_links_expires ON member_links (expires_at);

-- What members chose for themselves.
CREATE TABLE member_settings (
  member_id BIGINT NOT NULL,
  text_size VARCHAR(8) NOT NULL,
  high_contrast BIGINT NOT NULL,
  recommendations BIGINT NOT NULL,
  rankings BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (member_id)
);

-- +goose Down
DROP TABLE member_settings;
DROP TABLE member_links;
DROP TABLE member_wechat;
DROP TABLE member_sessions;
