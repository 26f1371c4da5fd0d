-- +goose Up
-- What staff are to know or do. dedupe names the occasion: one notice for each
-- person and occasion, whoever finds it first.
CREATE TABLE notices (
  id BIGINT NOT NULL,
  account_id BIGINT NOT NULL,
  dedupe VARCHAR(100) NOT NULL,
  org_id BIGINT NOT NULL,
  kind VARCHAR(32) NOT NULL,
  post_id BIGINT NOT NULL,
  delivery_id BIGINT NOT NULL,
  title VARCHAR(100) NOT NULL,
  body MEDIUMTEXT NOT NULL,
  link VARCHAR(200) NOT NULL,
  at BIGINT NOT NULL,
  read_at BIGINT NOT NULL,
  PRIMARY KEY (id)
);
CREATE UNIQUE INDEX notices_dedupe ON notices (account_id, dedupe);
CREATE INDEX notices_account ON notices (account_id, id);
CREATE INDEX notices_unread ON notices (account_id, read_at, id);
CREATE INDEX notices_at ON notices (at);

-- +goose Down
DROP TABLE notices;
