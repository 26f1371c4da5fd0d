package miniapp_test

import (
	"context"
	"crypto/rand"
	"html"
	"log/slog"
	"strings"
	"testing"
	"time"

	"tongxin/internal/httpkit"
	"tongxin/internal/ids"
	"tongxin/internal/trail"
	"tongxin/internal/typeset"
	miniapp "tongxin/miniapp-api"
	"tongxin/quiz"
	"tongxin/quiz/results"
	"tongxin/storage"
)

// withResults mounts the surface again with results.
func (h *house) withResults() {
	h.t.Helper()
	setter, err := typeset.New()
	h.check(err)
	store := storage.NewResults(h.db)
	d := h.deps()
	d.Results, err = results.New(results.Config{
		Store: store, Paper: storage.NewExams(h.db).Paper, Bank: storage.NewQuizBank(h.db), Clock: h.clock, IDs: h.db.IDs(), Random: rand.Reader,
		Setter: setter, PublicURL: "https://example.org", HTML: html.EscapeString, Unlisted: store.RankingsOff,
		Org: func(context.Context, ids.ID) (quiz.Place, error) { return quiz.Place{}, nil },
	})
	h.check(err)
	h.kit = httpkit.New(httpkit.Config{Log: slog.New(slog.DiscardHandler), Clock: h.clock, Random: rand.Reader})
	miniapp.Mount(h.kit, d)
	h.check(h.kit.Verify())
}

// sat stores a paper of an organisation and an ended attempt of each member.
func (h *house) sat(org string, scores map[string]int) string {
	h.t.Helper()
	p := &quiz.Paper{
		ID: h.db.IDs().New(), OrgID: h.orgs[org].ID, OrgPath: h.orgs[org].Path, Kind: quiz.ExamPaper, State: quiz.PaperPublished, Title: org + "的考试", Points: 10, Version: 1,
		Rules: quiz.PaperRules{
			PassPoints: 6, Counting: quiz.CountBest, ShowScore: quiz.AfterSubmit, ShowKey: quiz.AfterClose, ClosesAt: h.clock.Now().Add(time.Hour),
			Certificate: "合格证书", Ranking: true,
		},
	}
	_, err := storage.NewExams(h.db).CreatePaper(h.t.Context(), p, trail.Entry{Actor: sys(), Action: "paper.create", Object: "paper"})
	h.check(err)
	for who, score := range scores {
		m, id := h.who[who], h.db.IDs().New()
		h.check(h.db.Write(h.t.Context(), func(tx *storage.Tx) error {
			_, err := tx.Exec(`INSERT INTO quiz_attempts (id, paper_id, member_id, org_id, kind, number, title, state, expired, seed, items, started_at, due_at, ended_at,
				score_milli, points_milli, pending, answered, addr, todo, todo_at, version) VALUES (?, ?, ?, ?, 'exam', 1, 't', 'graded', 0, 1, '', ?, 0, ?, ?, 10000, 0, 0, '', '', 0, 1)`,
				id, p.ID, m.ID, m.OrgID, storage.Millis(h.clock.Now())-60_000, storage.Millis(h.clock.Now()), score*1000)
			return err
		}))
	}
	return p.ID.String()
}

func TestResultsOfAMember(t *testing.T) {
	h := build(t)
	h.withResults()
	all := h.sat("root", map[string]int{"east": 9, "west": 4})
	own := h.sat("east", map[string]int{"east": 7})
	phones := map[string]*phone{"": {h: h}, "east": h.as("east"), "west": h.as("west")}
	get := func(who, path string) answer { t.Helper(); return phones[who].do("GET", path, nil) }
	for _, path := range []string{"/results", "/results/topics", "/certificates", "/papers/" + all + "/ranking", "/certificates/1/file.pdf"} {
		get("", path).want(t, 401)
	}
	get("east", "/results").want(t, 200, "root的考试", "east的考试", `"score":9`, `"passed":true`, `"usedSec":60`).lacks(t, `"score":4`, "孙秀英")
	get("west", "/results").want(t, 200, `"score":4`, `"passed":false`).lacks(t, "east的考试", `"score":9`)
	get("west", "/results/topics").want(t, 200, `"items":[]`)

	get("west", "/papers/"+all+"/ranking").want(t, 200, `"rank":1,"name":"马国强"`, `"mine":{"rank":2,"name":"孙秀英"`).lacks(t, "138", "memberId", h.who["east"].ID.String())
	get("west", "/papers/"+own+"/ranking").want(t, 404).lacks(t, "马国强")
	// Who switched rankings off is not named to others.
	h.check(h.db.Write(t.Context(), func(tx *storage.Tx) error {
		_, err := tx.Exec(`INSERT INTO member_settings (member_id, text_size, high_contrast, recommendations, rankings, updated_at) VALUES (?, 'normal', 0, 1, 0, 0)`, h.who["east"].ID)
		return err
	}))
	get("west", "/papers/"+all+"/ranking").want(t, 200, `"rank":2`).lacks(t, "马国强")
	get("east", "/papers/"+all+"/ranking").want(t, 200, `"mine":{"rank":1,"name":"马国强"`)

	list := get("east", "/certificates").want(t, 200, "合格证书", "马国强", `"issuer":"root"`, `"issuer":"east"`)
	get("west", "/certificates").want(t, 200, `"items":[]`)
	_, rest, _ := strings.Cut(list.body, `"id":"`)
	id, _, _ := strings.Cut(rest, `"`)
	if a := get("east", "/certificates/"+id+"/file.pdf"); a.status != 200 || !strings.HasPrefix(a.body, "%PDF-") {
		t.Errorf("%d %.60q", a.status, a.body)
	}
	if a := get("east", "/certificates/"+id+"/file.png"); a.status != 200 || !strings.HasPrefix(a.body, "\x89PNG") {
		t.Errorf("%d %.60q", a.status, a.body)
	}
	get("west", "/certificates/"+id+"/file.pdf").want(t, 404)
	get("west", "/certificates/"+id+"/file.png").want(t, 404)
	get("east", "/certificates/x/file.pdf").want(t, 404)
}
