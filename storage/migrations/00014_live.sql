-- +goose Up
-- Rooms of live video. code_key holds the code until the room ends, "#id"
-- afterwards, so that a code may come again.
CREATE TABLE live_rooms (
  id BIGINT NOT NULL,
  org_id BIGINT NOT NULL,
  kind VARCHAR(16) NOT NULL,
  state VARCHAR(16) NOT NULL,
  title VARCHAR(60) NOT NULL,
  speaker VARCHAR(60) NOT NULL,
  agenda MEDIUMTEXT NOT NULL,
  code VARCHAR(8) NOT NULL,
  code_key VARCHAR(24) NOT NULL,
  most INT NOT NULL,
  locked SMALLINT NOT NULL,
  starts_at BIGINT NOT NULL,
  opened_at BIGINT NOT NULL,
  ended_at BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  created_by VARCHAR(100) NOT NULL,
  version BIGINT NOT NULL,
  PRIMARY KEY (id)
);
CREATE UNIQUE INDEX live_rooms_code ON live_rooms (code_key);
CREATE INDEX live_rooms_org ON live_rooms (org_id, state, id);

-- Who was let in. Name and organisation are those of that day.
CREATE TABLE live_people (
  room_id BIGINT NOT NULL,
  person_id BIGINT NOT NULL,
  name VARCHAR(100) NOT NULL,
  org_id BIGINT NOT NULL,
  org_name VARCHAR(100) NOT NULL,
  role VARCHAR(16) NOT NULL,
  removed_at BIGINT NOT NULL,
  PRIMARY KEY (room_id, person_id)
);

-- Intervals of presence, one a connection; left_at is 0 while it lasts.
CREATE TABLE live_seats (
  id BIGINT NOT NULL,
  room_id BIGINT NOT NULL,
  person_id BIGINT NOT NULL,
  node VARCHAR(40) NOT NULL,
  joined_at BIGINT NOT NULL,
  seen_at BIGINT NOT NULL,
  left_at BIGINT NOT NULL,
  PRIMARY KEY (id)
);
CREATE INDEX live_seats_room ON live_seats (room_id, left_at, person_id);
CREATE INDEX live_seats_open ON live_seats (left_at, node, seen_at);

-- +goose Down
DROP TABLE live_seats;
DROP TABLE live_people;
DROP TABLE live_rooms;
