package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strconv"
	"sync"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/ids"
	"tongxin/member"
	"tongxin/member/signin"
	"tongxin/quiz"
	"tongxin/staff"
)

// player is one member with an own token and an own connection.
type player struct {
	wire    *wire
	head    string
	attempt string
	kinds   []quiz.Kind
	seq     []int64 // acknowledged, by question
	next    int
}

// loadExam measures an exam: everybody starts within one second, then answers
// are saved as fast as the server takes them. With -peer a create call of
// another server is measured in the same run, in alternating rounds.
func loadExam(ctx context.Context, c *cli, args []string) error {
	f := c.flags("load exam")
	players := f.Int("players", 3000, "members who take the exam")
	questions := f.Int("questions", 40, "questions of the exam")
	conns := f.Int("conns", 192, "answers on their way at once")
	span := f.Duration("span", 5*time.Second, "length of one round of answers")
	rounds := f.Int("rounds", 3, "rounds of each server")
	dsn := f.String("dsn", "", "MySQL DSN of an empty database; default: SQLite")
	pprof := f.String("pprof", "", "host:port of the server's local listener, to profile it meanwhile")
	peer := f.String("peer", "", "address of the peer's creating call")
	peerAuth := f.String("peer-auth", "", "Authorization header of the peer")
	peerPID := f.Int("peer-pid", 0, "process of the peer")
	if err := f.Parse(args); err != nil {
		return err
	}
	b, err := newBench(*dsn, "TONGXIN_METRICS_ADDR="+*pprof)
	if err != nil {
		return err
	}
	port, err := freePort()
	if err != nil {
		return err
	}
	paper, tokens, err := b.examHouse(ctx, port, *players, *questions)
	if err != nil {
		return errors.Join(err, b.close())
	}
	ch, err := b.start(ctx, c, port)
	if err != nil {
		return errors.Join(err, b.close())
	}
	x := &examRun{cli: c, ch: ch, paper: paper, addr: "127.0.0.1:" + strconv.Itoa(port)}
	for _, t := range tokens {
		x.players = append(x.players, &player{wire: newWire(x.addr), head: "Authorization: Bearer " + t + "\r\n"})
	}
	figures := map[string]any{"bench": "exam", "players": *players, "questions": *questions, "conns": *conns, "db": "sqlite"}
	if *dsn != "" {
		figures["db"] = "mysql"
	}
	err = x.run(figures, *conns, *span, *rounds, *peer, *peerAuth, *peerPID)
	if err == nil {
		err = printFigures(c, figures)
	}
	for _, p := range x.players {
		p.wire.close()
	}
	return errors.Join(err, ch.stop(), b.close())
}

type examRun struct {
	cli     *cli
	ch      *child
	addr    string
	paper   string
	players []*player
}

func (x *examRun) run(figures map[string]any, conns int, span time.Duration, rounds int, peer, peerAuth string, peerPID int) error {
	if err := x.each(conns, x.visit); err != nil {
		return err
	}
	figures["starts"] = x.startAll()
	for r := range rounds {
		if err := x.round(figures, "answers", conns, span, r, x.answer, x.ch.cmd.Process.Pid); err != nil {
			return err
		}
		if peer == "" {
			continue
		}
		post, err := peerCall(peer, peerAuth)
		if err != nil {
			return err
		}
		if err := x.round(figures, "peer", conns, span, r, post, peerPID); err != nil {
			return err
		}
	}
	lost, err := x.lost(conns)
	figures["acknowledged_but_lost"] = lost
	if err != nil {
		return err
	}
	mb, err := memory(x.ch.cmd.Process.Pid)
	figures["server_mb"] = mb
	return err
}

// each calls fn for every player on some workers.
func (x *examRun) each(workers int, fn func(*player) error) error {
	return workOn(len(x.players), workers, func(i int) error { return fn(x.players[i]) })
}

// workOn calls fn for 0…n-1 on some workers and returns the first error.
func workOn(n, workers int, fn func(i int) error) error {
	failed := make([]error, workers)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := w; i < n && failed[w] == nil; i += workers {
				failed[w] = fn(i)
			}
		})
	}
	wg.Wait()
	return errors.Join(failed...)
}

// visit is the page that everybody has open before the exam.
func (x *examRun) visit(p *player) error {
	status, body, err := p.wire.do("GET", "/api/member/v1/papers/"+x.paper, p.head, nil)
	if err == nil && status != 200 {
		err = fmt.Errorf("papers answered %d: %s", status, body)
	}
	return err
}

// startAll lets every player start at a moment of its own within one second.
func (x *examRun) startAll() map[string]any {
	times, failed := make([]time.Duration, len(x.players)), make([]error, len(x.players))
	began := time.Now().Add(100 * time.Millisecond)
	var wg sync.WaitGroup
	for i, p := range x.players {
		wg.Go(func() {
			time.Sleep(time.Until(began.Add(time.Second * time.Duration(i) / time.Duration(len(x.players)))))
			at := time.Now()
			failed[i] = x.start(p, i)
			times[i] = time.Since(at)
		})
	}
	wg.Wait()
	took := time.Since(began)
	for i, p := range x.players { // the generator reads the sheets when nobody waits
		if failed[i] == nil {
			failed[i] = p.read(p.wire.body)
		}
		p.wire.body = nil
	}
	out := map[string]any{"n": len(x.players), "took_ms": took.Milliseconds(), "ms": percentiles(times)}
	errs := 0
	for _, err := range failed {
		if err != nil {
			errs++
			out["first_failure"] = err.Error()
		}
	}
	out["errors"] = errs
	fmt.Fprintln(x.cli.err, "starts:", out) //nolint:errcheck // progress
	return out
}

func (x *examRun) start(p *player, i int) error {
	head := p.head + "Idempotency-Key: load-start-" + strconv.Itoa(i) + "\r\n"
	status, body, err := p.wire.do("POST", "/api/member/v1/papers/"+x.paper+"/attempts", head, nil)
	if err != nil {
		return err
	}
	if status != 200 {
		return fmt.Errorf("start answered %d: %s", status, body)
	}
	return nil
}

func (p *player) read(body []byte) error {
	var sheet struct {
		ID        string `json:"id"`
		Questions []struct {
			Seq   int64 `json:"seq"`
			Shown struct {
				Kind quiz.Kind `json:"kind"`
			} `json:"shown"`
		} `json:"questions"`
	}
	if err := json.Unmarshal(body, &sheet); err != nil {
		return err
	}
	p.attempt, p.seq = sheet.ID, make([]int64, len(sheet.Questions))
	for _, q := range sheet.Questions {
		p.kinds = append(p.kinds, q.Shown.Kind)
	}
	return nil
}

// answer saves the next answer of a player.
func (x *examRun) answer(p *player, _ int) (int, error) {
	n := p.next % len(p.seq)
	p.next++
	var b [64]byte
	body := append(strconv.AppendInt(append(b[:0], `{"seq":`...), p.seq[n]+1, 10), `,"answer":{"choice":[`...)
	body = append(strconv.AppendInt(body, (p.seq[n]+int64(n))%2, 10), "]}}"...)
	status, _, err := p.wire.do("PUT", "/api/member/v1/attempts/"+p.attempt+"/answers/"+strconv.Itoa(n+1), p.head, body)
	if err == nil && status == 200 {
		p.seq[n]++
	}
	return status, err
}

// peerCall creates a record of the same shape at another server, with a
// connection for each worker's players as well.
func peerCall(address, auth string) (func(p *player, n int) (int, error), error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	var mu sync.Mutex
	wires := map[*player]*wire{}
	head := "Authorization: " + auth + "\r\n"
	return func(p *player, n int) (int, error) {
		mu.Lock()
		w := wires[p]
		if w == nil {
			w = newWire(u.Host)
			wires[p] = w
		}
		mu.Unlock()
		body := fmt.Appendf(nil, `{"attempt":%q,"n":%d,"seq":1,"answer":"{\"choice\":[%d]}"}`, p.attempt, n%40+1, n%2)
		status, _, err := w.do("POST", u.RequestURI(), head, body)
		return status, err
	}, nil
}

// round keeps conns calls on their way for span. Each worker serves its own
// players in turn, so that no player has two calls at once.
func (x *examRun) round(figures map[string]any, name string, conns int, span time.Duration, r int, call func(*player, int) (int, error), pid int) error {
	before, err := processCPU(pid)
	if err != nil && pid != 0 {
		return err
	}
	type part struct {
		times  []time.Duration
		failed int
		first  string
	}
	parts := make([]part, conns)
	began := time.Now()
	var wg sync.WaitGroup
	for w := range conns {
		wg.Go(func() {
			part := &parts[w]
			for n := 0; time.Since(began) < span; n++ {
				p := x.players[w+n%(len(x.players)/conns)*conns]
				at := time.Now()
				status, err := call(p, n)
				if err != nil || status/100 != 2 {
					part.failed++
					part.first = fmt.Sprint(status, err)
					continue
				}
				part.times = append(part.times, time.Since(at))
			}
		})
	}
	wg.Wait()
	took := time.Since(began)
	after, err := processCPU(pid)
	if err != nil && pid != 0 {
		return err
	}
	var times []time.Duration
	failed, first := 0, ""
	for _, p := range parts {
		times, failed = append(times, p.times...), failed+p.failed
		if p.first != "" {
			first = p.first
		}
	}
	out := map[string]any{"per_s": int(float64(len(times)) / took.Seconds()), "ms": percentiles(times), "failed": failed}
	if failed > 0 {
		out["first_failure"] = first
	}
	if pid != 0 && len(times) > 0 {
		out["server_cpu_us"] = (after - before).Microseconds() / int64(len(times))
	}
	fmt.Fprintf(x.cli.err, "%s round %d: %v\n", name, r+1, out) //nolint:errcheck // progress
	all, _ := figures[name].([]map[string]any)
	figures[name] = append(all, out)
	return nil
}

// lost reads every attempt again and counts answers that were acknowledged and
// are not there.
func (x *examRun) lost(workers int) (n int, err error) {
	var mu sync.Mutex
	err = x.each(workers, func(p *player) error {
		status, body, err := p.wire.do("GET", "/api/member/v1/attempts/"+p.attempt, p.head, nil)
		if err != nil || status != 200 {
			return fmt.Errorf("attempt answered %d %w: %s", status, err, body)
		}
		var sheet struct {
			Questions []struct {
				Seq int64 `json:"seq"`
			} `json:"questions"`
		}
		if err := json.Unmarshal(body, &sheet); err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		for i, q := range sheet.Questions {
			if q.Seq < p.seq[i] {
				n++
			}
		}
		return nil
	})
	return n, err
}

// examHouse makes a branch of players, a bank and an open exam, and signs
// everybody in.
func (b *bench) examHouse(ctx context.Context, port, players, questions int) (paper string, tokens []string, err error) {
	set, err := b.settings(port)
	if err != nil {
		return "", nil, err
	}
	p, err := build(ctx, set, slog.New(slog.DiscardHandler), options{publicURL: *set.publicURL})
	if err != nil {
		return "", nil, err
	}
	paper, tokens, err = p.examPlayers(ctx, players, questions)
	return paper, tokens, errors.Join(err, p.Close())
}

func (p *program) examPlayers(ctx context.Context, players, questions int) (string, []string, error) {
	system := authz.SystemActor("load")
	top, err := p.staff.CreateOrg(ctx, system, staff.OrgInput{Kind: staff.Committee, Name: "压测党委"})
	if err != nil {
		return "", nil, err
	}
	branch, err := p.staff.CreateOrg(ctx, system, staff.OrgInput{Kind: staff.Branch, ParentID: top.ID, Name: "压测支部"})
	if err != nil {
		return "", nil, err
	}
	exam, err := p.examPaper(ctx, system, top.ID, questions)
	if err != nil {
		return "", nil, err
	}
	tokens := make([]string, players)
	err = workOn(players, 32, func(i int) error {
		m, err := p.members.Create(ctx, system, member.Input{
			OrgID: branch.ID, Name: "王压测", Kind: member.Full, JoinedAt: "2010-07-01", FullAt: "2011-07-01",
			Phone: fmt.Sprintf("199%08d", i),
		})
		if err != nil {
			return err
		}
		link, err := p.signin.IssueLink(ctx, m.ID, time.Hour)
		if err != nil {
			return err
		}
		out, err := p.signin.ByLink(ctx, link, signin.Device{Client: signin.Mini, Name: "load"})
		tokens[i] = out.Tokens.Access
		return err
	})
	return exam.String(), tokens, err
}

// examPaper publishes an exam of single choices that draws from twice as many
// questions as it asks.
func (p *program) examPaper(ctx context.Context, system *authz.Actor, org ids.ID, questions int) (ids.ID, error) {
	for i := range 2 * questions {
		_, err := p.bank.Create(ctx, system, quiz.QuestionInput{OrgID: org, State: quiz.Active, Content: quiz.Content{
			Kind: quiz.Single, Stem: fmt.Sprintf("第 %d 题：下列关于党的组织生活的说法，正确的是哪一项？", i+1), Topics: []string{"组织生活"}, Difficulty: 1 + i%5,
			Options: []quiz.Option{
				{Text: fmt.Sprintf("支部党员大会一般每季度召开一次（%d）", i), Right: true},
				{Text: "支部党员大会每年召开一次"},
				{Text: "支委会一般每年召开一次"},
				{Text: "党小组会不作要求"},
			},
			Explanation: "见《中国共产党支部工作条例（试行）》。",
		}})
		if err != nil {
			return 0, err
		}
	}
	now := p.clock.Now()
	paper, err := p.exams.CreatePaper(ctx, system, quiz.PaperInput{
		OrgID: org, Kind: quiz.ExamPaper, Title: "压测考试", Draws: []quiz.DrawRule{{Count: questions, Points: 2}},
		Rules: quiz.PaperRules{
			OpensAt: now.Add(-time.Hour), ClosesAt: now.Add(24 * time.Hour), DurationSec: 7200, Attempts: 1, Counting: quiz.CountBest, PassPoints: 10,
			Partial: true, ShowScore: quiz.AfterSubmit, ShowKey: quiz.AfterClose, ShuffleQuestions: true, ShuffleOptions: true,
		},
	})
	if err != nil {
		return 0, err
	}
	_, err = p.exams.PublishPaper(ctx, system, paper.ID, paper.Version)
	return paper.ID, err
}
