-- +goose Up
-- Papers: exams, practice for everybody, the quiz of a day. pinned holds the
-- revisions that a published paper asks. slot is "daily:org:day" for daily
-- quizzes and "#id" for all others. ends_at is when it ends for everybody, 0 for
-- never; until reserved_to its questions stay out of practice.
CREATE TABLE quiz_papers (
  id BIGINT NOT NULL,
  org_id BIGINT NOT NULL,
  kind VARCHAR(16) NOT NULL,
  state VARCHAR(16) NOT NULL,
  slot VARCHAR(64) NOT NULL,
  day VARCHAR(10) NOT NULL,
  title VARCHAR(200) NOT NULL,
  about MEDIUMTEXT NOT NULL,
  body MEDIUMTEXT NOT NULL,
  pinned MEDIUMTEXT NOT NULL,
  questions BIGINT NOT NULL,
  points_milli BIGINT NOT NULL,
  opens_at BIGINT NOT NULL,
  ends_at BIGINT NOT NULL,
  held_to BIGINT NOT NULL,
  reserved_to BIGINT NOT NULL,
  published_at BIGINT NOT NULL,
  closed_at BIGINT NOT NULL,
  version BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  updated_by VARCHAR(100) NOT NULL,
  PRIMARY KEY (id)
);
CREATE UNIQUE INDEX quiz_papers_slot ON quiz_papers (slot);
CREATE INDEX quiz_papers_org ON quiz_papers (org_id, state, ends_at);
CREATE INDEX quiz_papers_reserved ON quiz_papers (reserved_to);

CREATE TABLE quiz_paper_questions (
  paper_id BIGINT NOT NULL,
  question_id BIGINT NOT NULL,
  PRIMARY KEY (paper_id, question_id)
);
CREATE INDEX quiz_paper_questions_question ON quiz_paper_questions (question_id);

-- One sitting of one member. items is "question.revision.points;…", points in
-- thousandths. todo is what the sweep does at todo_at: close or book.
CREATE TABLE quiz_attempts (
  id BIGINT NOT NULL,
  paper_id BIGINT NOT NULL,
  member_id BIGINT NOT NULL,
  org_id BIGINT NOT NULL,
  kind VARCHAR(16) NOT NULL,
  number BIGINT NOT NULL,
  title VARCHAR(200) NOT NULL,
  state VARCHAR(16) NOT NULL,
  expired BIGINT NOT NULL,
  seed BIGINT NOT NULL,
  items MEDIUMTEXT NOT NULL,
  started_at BIGINT NOT NULL,
  due_at BIGINT NOT NULL,
  ended_at BIGINT NOT NULL,
  score_milli BIGINT NOT NULL,
  points_milli BIGINT NOT NULL,
  pending BIGINT NOT NULL,
  answered BIGINT NOT NULL,
  addr VARCHAR(64) NOT NULL,
  todo VARCHAR(8) NOT NULL,
  todo_at BIGINT NOT NULL,
  version BIGINT NOT NULL,
  PRIMARY KEY (id)
);
CREATE UNIQUE INDEX quiz_attempts_member ON quiz_attempts (member_id, paper_id, number);
CREATE INDEX quiz_attempts_paper ON quiz_attempts (paper_id, id);
CREATE INDEX quiz_attempts_todo ON quiz_attempts (todo, todo_at);

-- Answers in positions of the question's revision, replaced by higher seq only.
CREATE TABLE quiz_answers (
  attempt_id BIGINT NOT NULL,
  n BIGINT NOT NULL,
  seq BIGINT NOT NULL,
  answer MEDIUMTEXT NOT NULL,
  saved_at BIGINT NOT NULL,
  PRIMARY KEY (attempt_id, n)
);

-- What an answer earned: share in millionths of the points.
CREATE TABLE quiz_marks (
  attempt_id BIGINT NOT NULL,
  n BIGINT NOT NULL,
  paper_id BIGINT NOT NULL,
  question_id BIGINT NOT NULL,
  revision BIGINT NOT NULL,
  points_milli BIGINT NOT NULL,
  share_ppm BIGINT NOT NULL,
  given BIGINT NOT NULL,
  pending BIGINT NOT NULL,
  comment VARCHAR(1000) NOT NULL,
  grader VARCHAR(100) NOT NULL,
  graded_at BIGINT NOT NULL,
  version BIGINT NOT NULL,
  PRIMARY KEY (attempt_id, n)
);
CREATE INDEX quiz_marks_question ON quiz_marks (paper_id, question_id);

-- Marks that were replaced: by another grader or a corrected key.
CREATE TABLE quiz_marks_old (
  id BIGINT NOT NULL,
  attempt_id BIGINT NOT NULL,
  n BIGINT NOT NULL,
  revision BIGINT NOT NULL,
  points_milli BIGINT NOT NULL,
  share_ppm BIGINT NOT NULL,
  pending BIGINT NOT NULL,
  comment VARCHAR(1000) NOT NULL,
  grader VARCHAR(100) NOT NULL,
  graded_at BIGINT NOT NULL,
  version BIGINT NOT NULL,
  replaced_at BIGINT NOT NULL,
  replaced_by VARCHAR(100) NOT NULL,
  reason VARCHAR(200) NOT NULL,
  PRIMARY KEY (id)
);
CREATE INDEX quiz_marks_old_attempt ON quiz_marks_old (attempt_id, n);

-- What a member knows of a question: the wrong-answer book (in_book) and the
-- memory state that go-fsrs keeps.
CREATE TABLE quiz_cards (
  member_id BIGINT NOT NULL,
  question_id BIGINT NOT NULL,
  revision BIGINT NOT NULL,
  in_book BIGINT NOT NULL,
  right_times BIGINT NOT NULL,
  wrong_times BIGINT NOT NULL,
  last_answer MEDIUMTEXT NOT NULL,
  last_right BIGINT NOT NULL,
  last_at BIGINT NOT NULL,
  due_at BIGINT NOT NULL,
  memory VARCHAR(500) NOT NULL,
  topics VARCHAR(1000) NOT NULL,
  PRIMARY KEY (member_id, question_id)
);
CREATE INDEX quiz_cards_due ON quiz_cards (member_id, in_book, due_at);

-- 每日答题 of an organisation and everything under it without one of its own.
CREATE TABLE quiz_daily (
  org_id BIGINT NOT NULL,
  body MEDIUMTEXT NOT NULL,
  version BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  updated_by VARCHAR(100) NOT NULL,
  PRIMARY KEY (org_id)
);

-- +goose Down
DROP TABLE quiz_daily;
DROP TABLE quiz_cards;
DROP TABLE quiz_marks_old;
DROP TABLE quiz_marks;
DROP TABLE quiz_answers;
DROP TABLE quiz_attempts;
DROP TABLE quiz_paper_questions;
DROP TABLE quiz_papers;
