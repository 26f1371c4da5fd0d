-- +goose Up
-- The roster. Numbers are sealed; the indexes find them. phone_key, id_key and
-- staff_key hold the number's index while nobody else may have it, and "#id"
-- where there is nothing to guard.
CREATE TABLE members (
  id BIGINT NOT NULL,
  org_id BIGINT NOT NULL,
  group_id BIGINT NOT NULL,
  name VARCHAR(30) NOT NULL,
  kind VARCHAR(16) NOT NULL,
  posts MEDIUMTEXT NOT NULL,
  gender VARCHAR(8) NOT NULL,
  birth_date VARCHAR(10) NOT NULL,
  joined_at VARCHAR(10) NOT NULL,
  full_at VARCHAR(10) NOT NULL,
  extended_to VARCHAR(10) NOT NULL,
  state VARCHAR(16) NOT NULL,
  left_at VARCHAR(10) NOT NULL,
  left_why VARCHAR(100) NOT NULL,
  note VARCHAR(200) NOT NULL,
  phone_sealed VARCHAR(255) NOT NULL,
  phone_index VARCHAR(64) NOT NULL,
  phone_key VARCHAR(64) NOT NULL,
  id_sealed VARCHAR(255) NOT NULL,
  id_index VARCHAR(64) NOT NULL,
  id_key VARCHAR(64) NOT NULL,
  staff_id BIGINT NOT NULL,
  staff_key VARCHAR(64) NOT NULL,
  purged_at BIGINT NOT NULL,
  version BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  updated_by VARCHAR(100) NOT NULL,
  PRIMARY KEY (id)
);
CREATE UNIQUE INDEX members_phone_key ON members (phone_key);
CREATE UNIQUE INDEX members_id_key ON members (id_key);
CREATE UNIQUE INDEX members_staff_key ON members (staff_key);
CREATE INDEX members_org ON members (org_id, state, kind);
CREATE INDEX members_phone ON members (phone_index);
CREATE INDEX members_number ON members (id_index);
CREATE INDEX members_kind ON members (kind, state);
CREATE INDEX members_left ON members (state, left_at);

-- What people ask about the data kept about them. Text and answer are sealed.
CREATE TABLE member_requests (
  id BIGINT NOT NULL,
  member_id BIGINT NOT NULL,
  kind VARCHAR(16) NOT NULL,
  state VARCHAR(16) NOT NULL,
  text_sealed MEDIUMTEXT NOT NULL,
  answer_sealed MEDIUMTEXT NOT NULL,
  created_at BIGINT NOT NULL,
  created_by VARCHAR(100) NOT NULL,
  decided_at BIGINT NOT NULL,
  decided_by VARCHAR(100) NOT NULL,
  version BIGINT NOT NULL,
  PRIMARY KEY (id)
);
CREATE INDEX member_requests_member ON member_requests (member_id, id);
CREATE INDEX member_requests_state ON member_requests (state, id);

-- +goose Down
DROP TABLE member_requests;
DROP TABLE members;
