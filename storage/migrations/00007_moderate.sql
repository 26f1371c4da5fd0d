-- +goose Up
-- What members wrote and what became of it. text_sealed is a copy, deleted when
-- its time is over; trace_key is WeChat's name of a check under way, or "#id".
-- next_at is when there is something to ask, to look up or to tell; 0: nothing.
CREATE TABLE moderation_items (
  id BIGINT NOT NULL,
  org_id BIGINT NOT NULL,
  kind VARCHAR(32) NOT NULL,
  object_id BIGINT NOT NULL,
  revision BIGINT NOT NULL,
  media VARCHAR(16) NOT NULL,
  scene BIGINT NOT NULL,
  author_id BIGINT NOT NULL,
  text_sealed MEDIUMTEXT NOT NULL,
  ref VARCHAR(500) NOT NULL,
  state VARCHAR(16) NOT NULL,
  hold VARCHAR(16) NOT NULL,
  judge VARCHAR(16) NOT NULL,
  label BIGINT NOT NULL,
  reason VARCHAR(500) NOT NULL,
  trace_key VARCHAR(80) NOT NULL,
  tries BIGINT NOT NULL,
  next_at BIGINT NOT NULL,
  lease_owner VARCHAR(64) NOT NULL,
  lease_until BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  decided_at BIGINT NOT NULL,
  decided_by VARCHAR(100) NOT NULL,
  erased_at BIGINT NOT NULL,
  version BIGINT NOT NULL,
  PRIMARY KEY (id)
);
CREATE UNIQUE INDEX moderation_items_object ON moderation_items (kind, object_id, revision);
CREATE UNIQUE INDEX moderation_items_trace ON moderation_items (trace_key);
CREATE INDEX moderation_items_due ON moderation_items (next_at, lease_until);
CREATE INDEX moderation_items_state ON moderation_items (state, id);
CREATE INDEX moderation_items_author ON moderation_items (author_id, state);
CREATE INDEX moderation_items_age ON moderation_items (erased_at, created_at);

-- Who hands in two revisions of one object at once meets here.
CREATE TABLE moderation_objects (
  kind VARCHAR(32) NOT NULL,
  object_id BIGINT NOT NULL,
  touched_at BIGINT NOT NULL,
  PRIMARY KEY (kind, object_id)
);

-- Late results of pictures; one may come before its check's name is stored.
CREATE TABLE moderation_outcomes (
  trace_key VARCHAR(80) NOT NULL,
  suggest VARCHAR(16) NOT NULL,
  label BIGINT NOT NULL,
  signed BIGINT NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (trace_key)
);
CREATE INDEX moderation_outcomes_at ON moderation_outcomes (at);

-- +goose Down
DROP TABLE moderation_outcomes;
DROP TABLE moderation_objects;
DROP TABLE moderation_items;
