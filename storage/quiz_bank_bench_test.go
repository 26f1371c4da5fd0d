package storage_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/ids"
	"tongxin/internal/page"
	"tongxin/internal/testkit"
	"tongxin/quiz"
	"tongxin/staff"
	"tongxin/storage"
	"tongxin/storage/storagetest"
)

// BenchmarkQuestionBank asks a bank of 20,000 questions over 20 branches what
// the console and papers ask. A question has two topics of 41.
func BenchmarkQuestionBank(b *testing.B) {
	for name, dsn := range map[string]func() string{
		"sqlite": func() string { return filepath.Join(b.TempDir(), "bank.db") },
		"mysql":  func() string { return testkit.MySQL(b) },
	} {
		b.Run(name, func(b *testing.B) { benchBank(b, storagetest.Open(b, storage.Options{DSN: dsn()})) })
	}
}

func benchBank(b *testing.B, db *storage.DB) {
	must := func(err error) {
		b.Helper()
		if err != nil {
			b.Fatal(err)
		}
	}
	s, people := storage.NewQuizBank(db), storage.NewStaff(db)
	var orgs []*staff.Org
	for i := range 21 {
		o := &staff.Org{ID: db.IDs().New(), Kind: staff.Branch, Name: fmt.Sprint("组织", i), ShortName: "x", Version: 1, UpdatedBy: "t"}
		o.Path = "/" + o.ID.String() + "/"
		if i > 0 {
			o.ParentID, o.Path = orgs[0].ID, orgs[0].Path+o.ID.String()+"/"
		}
		_, err := people.CreateOrg(b.Context(), o, entry("org.create"))
		must(err)
		orgs = append(orgs, o)
	}
	for from := 0; from < 20_000; from += 2000 {
		var list []quiz.Question
		for i := from; i < from+2000; i++ {
			q := quiz.Question{
				ID: db.IDs().New(), OrgID: orgs[i%20+1].ID, State: quiz.Active, Revision: 1, Version: 1, CreatedBy: "t", UpdatedBy: "t",
				ActiveAt: time.UnixMilli(1), CreatedAt: time.UnixMilli(1), UpdatedAt: time.UnixMilli(1),
			}
			fill(&q, quiz.Content{
				Kind: quiz.Single, Stem: fmt.Sprintf("第 %d 题：支部党员大会一般多久召开一次，须有多少党员到会？", i),
				Options:     []quiz.Option{{Text: "每月一次"}, {Text: "每季度一次", Right: true}, {Text: "每半年一次"}, {Text: "每年一次"}},
				Explanation: "支部党员大会一般每季度召开一次，须有半数以上有表决权的党员到会。", Topics: []string{fmt.Sprint("专题", i%40), "全部"}, Difficulty: i%5 + 1,
			})
			list = append(list, q)
		}
		_, err := s.ImportQuestions(b.Context(), list, entry("question.import"))
		must(err)
	}
	all, one := quiz.Reach{Scope: authz.Scope{Paths: []string{orgs[0].Path}}}, quiz.Reach{Scope: authz.Scope{Paths: []string{orgs[7].Path}}, Above: []ids.ID{orgs[0].ID, orgs[7].ID}}
	list := func(f quiz.QuestionFilter, want int) func(*testing.B) {
		return func(b *testing.B) {
			for b.Loop() {
				rows, err := s.Questions(b.Context(), f, page.Request{Limit: 30})
				must(err)
				if min(len(rows), 31) != want {
					b.Fatalf("%d rows", len(rows))
				}
			}
		}
	}
	pool := func(d quiz.DrawQuery, want int) func(*testing.B) {
		return func(b *testing.B) {
			for b.Loop() {
				refs, err := quiz.Draw(b.Context(), s, d)
				must(err)
				if len(refs) != want {
					b.Fatalf("%d drawn", len(refs))
				}
			}
		}
	}
	own := []ids.ID{orgs[0].ID, orgs[7].ID}
	var every []ids.ID
	for _, o := range orgs {
		every = append(every, o.ID)
	}
	b.Run("list", list(quiz.QuestionFilter{Reach: all}, 31))
	b.Run("list of one branch", list(quiz.QuestionFilter{Reach: one}, 31))
	b.Run("search, one hit", list(quiz.QuestionFilter{Reach: all, Query: "第 77 题"}, 1))
	b.Run("search of one branch", list(quiz.QuestionFilter{Reach: one, Query: "第 19906 题"}, 1))
	b.Run("topic and difficulty", list(quiz.QuestionFilter{Reach: all, Topic: "专题7", Difficulty: 3}, 31))
	b.Run("draw 20 by topic", pool(quiz.DrawQuery{Orgs: own, Topic: "专题6", Count: 20, Seed: 1}, 20))
	b.Run("draw 50 of 20000", pool(quiz.DrawQuery{Orgs: every, Count: 50, Seed: 1}, 50))
	b.Run("topics", func(b *testing.B) {
		for b.Loop() {
			topics, err := s.Topics(b.Context(), all)
			must(err)
			if len(topics) != 41 {
				b.Fatal(len(topics))
			}
		}
	})
}
