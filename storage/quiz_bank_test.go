package storage_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/call"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/internal/page"
	"tongxin/quiz"
	"tongxin/storage"
	"tongxin/storage/storagetest"
)

// shelf is a store of questions on the tree of newCrew.
type shelf struct {
	*crew
	q *storage.QuizBank
}

func newShelf(t *testing.T, db *storage.DB) *shelf {
	return &shelf{crew: newCrew(t, db), q: storage.NewQuizBank(db)}
}

func (s *shelf) question(org, stem string, active bool, topics ...string) quiz.Question {
	q := quiz.Question{
		ID: s.db.IDs().New(), OrgID: s.orgs[org].ID, OrgPath: s.orgs[org].Path, State: quiz.Draft, Revision: 1, Version: 1,
		CreatedAt: time.UnixMilli(1000).UTC(), CreatedBy: "甲", UpdatedAt: time.UnixMilli(1000).UTC(), UpdatedBy: "甲",
	}
	if active {
		q.State, q.ActiveAt = quiz.Active, q.CreatedAt
	}
	fill(&q, quiz.Content{Kind: quiz.TrueFalse, Stem: stem, True: true, Topics: topics, Difficulty: 2})
	return q
}

func fill(q *quiz.Question, c quiz.Content) {
	q.Content, q.StemKey, q.SameKey, q.Find = c, quiz.StemKey(&c), quiz.SameKey(&c), quiz.FindText(&c)
}

func (s *shelf) add(org, stem string, active bool, topics ...string) quiz.Question {
	s.t.Helper()
	q := s.question(org, stem, active, topics...)
	id, err := s.q.CreateQuestion(s.t.Context(), &q, entry("question.create"))
	ok(s.t, err)
	if id != q.ID {
		s.t.Fatal("another id")
	}
	return q
}

func (s *shelf) all() quiz.Reach { return quiz.Reach{Scope: authz.Scope{All: true}} }

func TestQuestions(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		s := newShelf(t, db)
		ctx := t.Context()
		root, a := s.add("root", "党费每月交", true, "党费"), s.add("root/a", "三会一课 ABC", true, "三会一课", "党费")
		draft, c := s.add("root/a/b", "100%_草稿", false, "党费"), s.add("root/c", "别处", true, "党课")
		got, err := s.q.Question(ctx, a.ID)
		ok(t, err)
		if got.OrgPath != a.OrgPath || got.OrgName != "root/a" || got.Content.Stem != a.Content.Stem || !slices.Equal(got.Content.Topics, a.Content.Topics) ||
			got.SameKey != a.SameKey || got.StemKey != a.StemKey || got.Find != a.Find || !got.ActiveAt.Equal(a.ActiveAt) || got.State != quiz.Active {
			t.Fatalf("%+v", got)
		}
		_, err = s.q.Question(ctx, 7)
		code(t, err, errs.NotFound)
		under := func(org string) authz.Scope { return authz.Scope{Paths: []string{s.orgs[org].Path}} }
		list := func(f quiz.QuestionFilter) []ids.ID {
			rows, err := s.q.Questions(ctx, f, page.Request{Limit: 10})
			ok(t, err)
			var out []ids.ID
			for _, q := range rows {
				out = append(out, q.ID)
			}
			return out
		}
		for _, x := range []struct {
			name string
			f    quiz.QuestionFilter
			want []ids.ID
		}{
			{"all, newest first", quiz.QuestionFilter{Reach: s.all()}, []ids.ID{c.ID, draft.ID, a.ID, root.ID}},
			{"nothing in reach", quiz.QuestionFilter{}, nil},
			{"a subtree", quiz.QuestionFilter{Reach: quiz.Reach{Scope: under("root/a")}}, []ids.ID{draft.ID, a.ID}},
			{"and above", quiz.QuestionFilter{Reach: quiz.Reach{Scope: under("root/a"), Above: []ids.ID{s.orgs["root"].ID, s.orgs["root/a"].ID}}}, []ids.ID{draft.ID, a.ID, root.ID}},
			{"only above", quiz.QuestionFilter{Reach: quiz.Reach{Above: []ids.ID{s.orgs["root"].ID}}}, []ids.ID{root.ID}},
			{"one organisation", quiz.QuestionFilter{Reach: s.all(), OrgID: a.OrgID}, []ids.ID{a.ID}},
			{"topic", quiz.QuestionFilter{Reach: s.all(), Topic: "党费"}, []ids.ID{draft.ID, a.ID, root.ID}},
			{"topic and state", quiz.QuestionFilter{Reach: s.all(), Topic: "党费", State: quiz.Draft}, []ids.ID{draft.ID}},
			{"kind", quiz.QuestionFilter{Reach: s.all(), Kind: quiz.Short}, nil},
			{"difficulty", quiz.QuestionFilter{Reach: s.all(), Difficulty: 1}, nil},
			{"text in any case", quiz.QuestionFilter{Reach: s.all(), Query: "abc"}, []ids.ID{a.ID}},
			{"signs of LIKE are letters", quiz.QuestionFilter{Reach: s.all(), Query: "%_"}, []ids.ID{draft.ID}},
		} {
			if got := list(x.f); !slices.Equal(got, x.want) {
				t.Errorf("%s: %v, want %v", x.name, got, x.want)
			}
		}
		rows, err := s.q.Questions(ctx, quiz.QuestionFilter{Reach: s.all()}, page.Request{After: draft.ID, Limit: 1})
		ok(t, err)
		if len(rows) != 2 || rows[0].ID != a.ID {
			t.Fatalf("after a cursor: %+v", rows)
		}
		topics, err := s.q.Topics(ctx, quiz.Reach{Scope: under("root/a"), Above: []ids.ID{s.orgs["root"].ID}})
		ok(t, err)
		if want := []quiz.Topic{{Name: "党费", All: 3, Active: 2}, {Name: "三会一课", All: 1, Active: 1}}; !slices.Equal(topics, want) {
			t.Fatalf("%+v", topics)
		}
	})
}

func TestQuestionRevisionsStay(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		s := newShelf(t, db)
		ctx := t.Context()
		q := s.add("root/a", "第一版", false, "甲", "乙")
		first := q.Content
		fill(&q, quiz.Content{Kind: quiz.Short, Stem: "第二版", Topics: []string{"丙"}, Difficulty: 5})
		q.Revision, q.Version, q.State, q.ActiveAt, q.UpdatedBy = 2, 2, quiz.Active, time.UnixMilli(2000).UTC(), "乙"
		code(t, s.q.SaveQuestion(ctx, &q, 7, entry("question.save")), errs.Stale)
		ok(t, s.q.SaveQuestion(ctx, &q, 1, entry("question.save")))
		code(t, s.q.SaveQuestion(ctx, &q, 1, entry("question.save")), errs.Stale)
		q.Version, q.State = 3, quiz.Retired // the content as it was: no new revision
		ok(t, s.q.SaveQuestion(ctx, &q, 2, entry("question.retire")))
		list, err := s.q.Revisions(ctx, q.ID)
		ok(t, err)
		if len(list) != 2 || list[0].Content.Stem != "第二版" || list[0].CreatedBy != "乙" || list[1].Content.Stem != "第一版" || list[1].CreatedBy != "甲" {
			t.Fatalf("%+v", list)
		}
		both, err := s.q.Contents(ctx, []quiz.Ref{{ID: q.ID, Revision: 2}, {ID: q.ID, Revision: 1}, {ID: q.ID, Revision: 2}})
		ok(t, err)
		if both[0].Stem != "第二版" || both[1].Stem != first.Stem || both[2].Stem != "第二版" {
			t.Fatalf("%+v", both)
		}
		_, err = s.q.Contents(ctx, []quiz.Ref{{ID: q.ID, Revision: 3}})
		code(t, err, errs.NotFound)
		if n := s.count("SELECT COUNT(*) FROM question_topics WHERE topic IN ('甲', '乙')"); n != 0 {
			t.Fatal("topics of the old revision stay")
		}
		code(t, s.q.DeleteQuestion(ctx, q.ID, 3, entry("question.delete")), errs.Conflict)
		draft := s.add("root/a", "草稿", false, "甲")
		_, err = s.q.Contents(ctx, []quiz.Ref{{ID: draft.ID, Revision: 1}})
		code(t, err, errs.NotFound) // never active: no paper may hold it
		code(t, s.q.DeleteQuestion(ctx, draft.ID, 2, entry("question.delete")), errs.Stale)
		ok(t, s.q.DeleteQuestion(ctx, draft.ID, 1, entry("question.delete")))
		code(t, s.q.DeleteQuestion(ctx, draft.ID, 1, entry("question.delete")), errs.NotFound)
		if n := s.count("SELECT COUNT(*) FROM question_revisions WHERE question_id = ?", draft.ID); n != 0 {
			t.Fatal("revisions of a deleted question stay")
		}
	})
}

func (s *shelf) count(q string, args ...any) int64 {
	s.t.Helper()
	n, err := storage.One(s.t.Context(), s.db, storage.ScanInt64, nil, q, args...)
	ok(s.t, err)
	return n
}

func TestQuestionPoolAndImport(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		s := newShelf(t, db)
		ctx := t.Context()
		var list []quiz.Question
		for i := range 20 {
			list = append(list, s.question("root/a", fmt.Sprint("题", i), i%2 == 0, []string{"单", "双"}[i%2], fmt.Sprint("每", i%5)))
		}
		made, err := s.q.ImportQuestions(ctx, list, entry("question.import"))
		ok(t, err)
		again, err := s.q.ImportQuestions(ctx, []quiz.Question{s.question("root/a", "题3", false, "双", "每3"), s.question("root/c", "题3", false, "双", "每3")}, entry("question.import"))
		ok(t, err)
		if made != 20 || again != 1 {
			t.Fatalf("made %d, then %d", made, again)
		}
		held, err := s.q.Holds(ctx, list[0].OrgID, []string{list[0].SameKey, list[3].SameKey, "none"})
		ok(t, err)
		if len(held) != 2 || held[list[3].SameKey] != list[3].ID {
			t.Fatalf("%v", held)
		}
		pool := func(d quiz.DrawQuery) (out []ids.ID) {
			refs, err := s.q.Pool(ctx, d)
			ok(t, err)
			for _, r := range refs {
				out = append(out, r.ID)
			}
			return out
		}
		own := []ids.ID{s.orgs["root"].ID, s.orgs["root/a"].ID}
		if got := pool(quiz.DrawQuery{Orgs: own}); len(got) != 10 || !slices.IsSorted(got) {
			t.Fatalf("%v", got)
		}
		if got := pool(quiz.DrawQuery{Orgs: own, Topic: "每2", Kind: quiz.TrueFalse, Difficulty: 2, Exclude: []ids.ID{list[2].ID}}); !slices.Equal(got, []ids.ID{list[12].ID}) {
			t.Fatalf("%v", got)
		}
		for _, d := range []quiz.DrawQuery{{}, {Orgs: []ids.ID{s.orgs["root/c"].ID}}, {Orgs: own, Topic: "双"}, {Orgs: own, Kind: quiz.Order}, {Orgs: own, Difficulty: 3}} {
			if got := pool(d); len(got) != 0 {
				t.Fatalf("%+v: %v", d, got)
			}
		}
		alike, err := s.q.AlikeStems(ctx, quiz.Reach{Scope: authz.Scope{Paths: []string{s.orgs["root/a"].Path}}}, []string{list[3].StemKey, list[4].StemKey})
		ok(t, err)
		if len(alike) != 2 || alike[0].Stem != "题3" || alike[0].OrgName != "root/a" {
			t.Fatalf("%+v", alike)
		}
	})
}

func TestQuestionWritersMeet(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		s := newShelf(t, db)
		ctx := call.With(t.Context(), call.Info{IdempotencyKey: "once", BodyHash: "b"})
		q := s.question("root/a", "题", true, "甲")
		var wg sync.WaitGroup
		made := make([]ids.ID, 8)
		for i := range made {
			wg.Go(func() {
				mine := q
				mine.ID = db.IDs().New()
				id, err := s.q.CreateQuestion(ctx, &mine, entry("question.create"))
				if err != nil {
					t.Error(err)
				}
				made[i] = id
			})
		}
		wg.Wait()
		if slices.Sort(made); made[0] != made[7] || s.count("SELECT COUNT(*) FROM questions") != 1 {
			t.Fatalf("one key made several: %v", made)
		}
		won := make([]error, 8)
		for i := range won {
			wg.Go(func() {
				mine := q
				mine.ID, mine.Version, mine.Revision = made[0], 2, 2
				fill(&mine, quiz.Content{Kind: quiz.TrueFalse, Stem: fmt.Sprint("改", i), Topics: []string{"甲"}, Difficulty: 1})
				won[i] = s.q.SaveQuestion(t.Context(), &mine, 1, entry("question.save"))
			})
		}
		wg.Wait()
		good := 0
		for _, err := range won {
			if err == nil {
				good++
			} else {
				code(t, err, errs.Stale)
			}
		}
		if good != 1 || s.count("SELECT COUNT(*) FROM question_revisions") != 2 {
			t.Fatalf("%d of 8 saved", good)
		}
	})
}
