-- +goose Up
-- The title of the certificate that a paper grants; the body holds it too.
ALTER TABLE quiz_papers ADD COLUMN certificate VARCHAR(80) NOT NULL DEFAULT '';

-- Certificates are never changed, only revoked. Names are those of the day of
-- issue. A member has at most one of a paper, also after it was revoked.
CREATE TABLE quiz_certificates (
  id BIGINT NOT NULL,
  code VARCHAR(32) NOT NULL,
  issuer_id BIGINT NOT NULL,
  issuer VARCHAR(200) NOT NULL,
  year BIGINT NOT NULL,
  seq BIGINT NOT NULL,
  title VARCHAR(80) NOT NULL,
  paper_id BIGINT NOT NULL,
  paper_title VARCHAR(200) NOT NULL,
  attempt_id BIGINT NOT NULL,
  member_id BIGINT NOT NULL,
  name VARCHAR(200) NOT NULL,
  org_name VARCHAR(200) NOT NULL,
  earned_at BIGINT NOT NULL,
  issued_at BIGINT NOT NULL,
  revoked_at BIGINT NOT NULL,
  revoked_by VARCHAR(100) NOT NULL,
  reason VARCHAR(400) NOT NULL,
  version BIGINT NOT NULL,
  PRIMARY KEY (id)
);
CREATE UNIQUE INDEX quiz_certificates_code ON quiz_certificates (code);
CREATE UNIQUE INDEX quiz_certificates_number ON quiz_certificates (issuer_id, year, seq);
CREATE UNIQUE INDEX quiz_certificates_paper ON quiz_certificates (paper_id, member_id);
CREATE INDEX quiz_certificates_member ON quiz_certificates (member_id, id);

-- The last number that an issuer gave in a year.
CREATE TABLE quiz_certificate_numbers (
  issuer_id BIGINT NOT NULL,
  year BIGINT NOT NULL,
  last BIGINT NOT NULL,
  PRIMARY KEY (issuer_id, year)
);

-- +goose Down
DROP TABLE quiz_certificate_numbers;
DROP TABLE quiz_certificates;
ALTER TABLE quiz_papers DROP COLUMN certificate;
