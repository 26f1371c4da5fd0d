-- +goose Up
-- Questions with what is asked of the current revision. Contents stand in
-- question_revisions and are never rewritten. active_at is 0 until a question is
-- first offered to papers; only such a one may be deleted.
CREATE TABLE questions (
  id BIGINT NOT NULL,
  org_id BIGINT NOT NULL,
  kind VARCHAR(16) NOT NULL,
  state VARCHAR(16) NOT NULL,
  difficulty SMALLINT NOT NULL,
  revision INT NOT NULL,
  stem_key VARCHAR(64) NOT NULL,
  find_text MEDIUMTEXT NOT NULL,
  active_at BIGINT NOT NULL,
  version BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  created_by VARCHAR(100) NOT NULL,
  updated_at BIGINT NOT NULL,
  updated_by VARCHAR(100) NOT NULL,
  PRIMARY KEY (id)
);
CREATE INDEX questions_org ON questions (org_id, id);
CREATE INDEX questions_pool ON questions (state, org_id, kind, difficulty, id, revision);
CREATE INDEX questions_stem ON questions (stem_key);

CREATE TABLE question_revisions (
  question_id BIGINT NOT NULL,
  revision INT NOT NULL,
  org_id BIGINT NOT NULL,
  same_key VARCHAR(64) NOT NULL,
  content MEDIUMTEXT NOT NULL,
  created_at BIGINT NOT NULL,
  created_by VARCHAR(100) NOT NULL,
  PRIMARY KEY (question_id, revision)
);
CREATE INDEX question_revisions_same ON question_revisions (same_key, org_id);

-- Topics of the current revision.
CREATE TABLE question_topics (
  question_id BIGINT NOT NULL,
  topic VARCHAR(120) NOT NULL,
  PRIMARY KEY (question_id, topic)
);
CREATE INDEX question_topics_topic ON question_topics (topic, question_id);

-- Pictures that any revision shows: the library keeps them.
CREATE TABLE question_assets (
  asset VARCHAR(64) NOT NULL,
  question_id BIGINT NOT NULL,
  PRIMARY KEY (asset, question_id)
);
CREATE INDEX question_assets_question ON question_assets (question_id);

-- +goose Down
DROP TABLE question_assets;
DROP TABLE question_topics;
DROP TABLE question_revisions;
DROP TABLE questions;
