package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/valyala/fasthttp"

	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/quiz"
	"tongxin/quiz/contest"
	"tongxin/storage"
)

// arena is one run of load contest.
type arena struct {
	bench *bench
	ch    *child
	host  writeTarget
	id    ids.ID
	orgID ids.ID

	players []*gamer
	limit   time.Duration
	every   time.Duration
	answer  func() (time.Duration, bool) // when a player answers the present question, and whether

	mu     sync.Mutex
	rounds map[int]*arenaRound
}

// arenaRound is what was measured of one question.
type arenaRound struct {
	reach, acks, board []time.Duration
	boards             int
	done               chan struct{} // closed when everybody has the board
}

// loadContest measures a live contest: the server in its own process, and all
// players over WebSockets from this one. Afterwards every acknowledged answer is
// looked up in the database.
func loadContest(ctx context.Context, c *cli, args []string) error {
	f := c.flags("load contest")
	players := f.Int("players", 3000, "players, each with one WebSocket")
	questions := f.Int("questions", 4, "questions answered over the whole time")
	burst := f.Int("burst", 2, "further questions that everybody answers within one second")
	every := f.Duration("every", 15*time.Second, "from question to question; a third of it is for looking at the board")
	kill := f.Bool("kill", false, "kill -9 the server in the middle of the second question, start it again, and go on")
	db := f.String("db", "", "MySQL DSN of an empty database; default: SQLite")
	pprof := f.String("pprof", "", "host:port of the server's local listener, to profile it with go tool pprof meanwhile")
	if err := f.Parse(args); err != nil {
		return err
	}
	b, err := newBench(*db, "TONGXIN_METRICS_ADDR="+*pprof)
	if err != nil {
		return err
	}
	a := &arena{bench: b, every: *every, limit: max(contest.MinSeconds*time.Second, (*every * 2 / 3).Truncate(time.Second)), rounds: map[int]*arenaRound{}}
	figures, err := a.run(ctx, c, *players, *questions, *burst, *kill)
	if a.ch != nil {
		err = errors.Join(err, a.ch.stop())
	}
	if err == nil {
		figures["answers"], err = a.audit(ctx)
	}
	err = errors.Join(err, b.close())
	if err != nil {
		return err
	}
	return printFigures(c, figures)
}

func (a *arena) run(ctx context.Context, c *cli, players, questions, burst int, kill bool) (map[string]any, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	token, err := a.prepare(ctx, port, players, questions+burst)
	if err != nil {
		return nil, err
	}
	if a.ch, err = a.bench.start(ctx, c, port); err != nil {
		return nil, err
	}
	if a.host, err = signIn(a.ch, token, ""); err != nil {
		return nil, err
	}
	rest, err := memory(a.ch.cmd.Process.Pid)
	if err != nil {
		return nil, err
	}
	began := time.Now()
	if err := a.connect(0); err != nil {
		return nil, err
	}
	figures := map[string]any{
		"bench": "contest", "players": players, "every_s": a.every.Seconds(), "limit_s": a.limit.Seconds(), "rest_mb": rest,
		"connect_s": time.Since(began).Seconds(), "db": map[bool]string{true: "sqlite", false: "mysql"}[a.bench.db == ""],
	}
	cpu, err := a.ch.cpu()
	if err != nil {
		return nil, err
	}
	start := time.Now()
	for n := 1; n <= questions+burst; n++ {
		a.answer = a.overTime
		if n > questions {
			a.answer = a.atOnce
		}
		if err := a.question(ctx, c, n, kill && n == 2, port, figures); err != nil {
			return nil, err
		}
	}
	if err := a.cost(figures, players, cpu, start, kill); err != nil {
		return nil, err
	}
	a.mu.Lock()
	figures["spread"], figures["burst"] = a.sum(1, questions, kill), a.sum(questions+1, questions+burst, false)
	a.mu.Unlock()
	return figures, errors.Join(a.command("next"), a.farewell())
}

// cost notes processor time and memory of the server.
func (a *arena) cost(figures map[string]any, players int, cpu time.Duration, start time.Time, kill bool) error {
	mb, err := memory(a.ch.cmd.Process.Pid)
	if err != nil {
		return err
	}
	now, err := a.ch.cpu()
	if err != nil {
		return err
	}
	figures["server_mb"] = mb
	figures["kb_per_player"] = math.Round((mb - figures["rest_mb"].(float64)) * 1000 / float64(players))
	if !kill { // else the process is another one
		figures["server_cpu_percent"] = math.Round(100*(now-cpu).Seconds()/time.Since(start).Seconds()*10) / 10
		figures["cpu_ms_per_player_and_question"] = math.Round(float64((now-cpu).Microseconds())/float64(players*len(a.rounds))) / 1000
	}
	return nil
}

// overTime spreads answers as people do: most near two fifths of the time, some
// at the very end, one in twenty never.
func (a *arena) overTime() (time.Duration, bool) {
	share := 0.4 + 0.2*rand.NormFloat64()
	return time.Duration(float64(a.limit) * min(0.97, max(0.05, share))), rand.IntN(20) > 0
}

// atOnce is everybody within one second.
func (a *arena) atOnce() (time.Duration, bool) { return rand.N(time.Second), true }

// prepare makes a house, questions, a contest and two tickets for each player.
func (a *arena) prepare(ctx context.Context, port, players, questions int) (token string, err error) {
	set, err := a.bench.settings(port)
	if err != nil {
		return "", err
	}
	p, err := build(ctx, set, slog.New(slog.DiscardHandler), options{publicURL: *set.publicURL})
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	org, _, editor, err := p.benchHouse(ctx)
	if err != nil {
		return "", err
	}
	in := contest.Input{OrgID: org, Title: "压测竞赛", Mode: contest.Solo, Seconds: int(a.limit / time.Second)}
	for n := range questions {
		q, err := p.bank.Create(ctx, editor, quiz.QuestionInput{OrgID: org, State: quiz.Active, Content: quiz.Content{
			Kind: quiz.Single, Stem: fmt.Sprintf("第 %d 题：党支部党员大会一般多久召开一次？", n+1), Topics: []string{"党章"}, Difficulty: 2,
			Options:     []quiz.Option{{Text: "每季度一次", Right: true}, {Text: "每月一次"}, {Text: "每半年一次"}, {Text: "每年一次"}},
			Explanation: "支部党员大会一般每季度召开一次。", Source: "《中国共产党支部工作条例（试行）》第十一条",
		}})
		if err != nil {
			return "", err
		}
		in.Questions = append(in.Questions, quiz.Ref{ID: q.ID, Revision: q.Revision})
	}
	c, err := p.contests.Create(ctx, editor, in)
	if err != nil {
		return "", err
	}
	if c, err = p.contests.Open(ctx, editor, c.ID); err != nil {
		return "", err
	}
	a.id, a.orgID = c.ID, org
	if err := a.enrol(ctx, storage.NewContests(p.db), players); err != nil {
		return "", err
	}
	return p.staff.IssueSigninLink(ctx, editor.ID, time.Hour)
}

// enrol joins the players. Their tickets live longer than a real minute, so that
// the server's start is no part of the measurement.
func (a *arena) enrol(ctx context.Context, store *storage.Contests, players int) error {
	a.players = make([]*gamer, players)
	work, failed := make(chan int), make(chan error, 64)
	var wg sync.WaitGroup
	for range 64 {
		wg.Go(func() {
			for i := range work {
				g := newGamer(a, ids.ID(i+1))
				a.players[i] = g
				for k := range g.tickets {
					g.tickets[k] = randomToken()
					_, err := store.Join(ctx, a.id, contest.Player{ID: g.id, Name: fmt.Sprintf("党员%d", i+1), OrgID: a.orgID, OrgName: "压测党委"}, contest.Ticket{
						Hash: contest.HashTicket(g.tickets[k]), ContestID: a.id, Holder: g.id, Role: contest.RolePlayer, ExpiresAt: time.Now().Add(time.Hour),
					})
					if err != nil {
						select {
						case failed <- err:
						default:
						}
					}
				}
			}
		})
	}
	for i := range players {
		work <- i
	}
	close(work)
	wg.Wait()
	select {
	case err := <-failed:
		return err
	default:
		return nil
	}
}

// connect opens every player's WebSocket with its ticket k.
func (a *arena) connect(k int) error {
	gate := make(chan struct{}, 100)
	failed := make(chan error, len(a.players))
	var wg sync.WaitGroup
	for _, g := range a.players {
		gate <- struct{}{}
		wg.Go(func() {
			defer func() { <-gate }()
			if err := g.connect(a.ch.url, g.tickets[k]); err != nil {
				failed <- err
			}
		})
	}
	wg.Wait()
	if n := len(failed); n > 0 {
		return fmt.Errorf("%d players could not connect, the first: %w", n, <-failed)
	}
	return nil
}

// command presses a button of the host.
func (a *arena) command(verb string) error {
	req, res := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	defer fasthttp.ReleaseRequest(req)
	defer fasthttp.ReleaseResponse(res)
	req.SetRequestURI(a.ch.url + "/api/staff/v1/contests/" + a.id.String() + "/" + verb)
	req.Header.SetMethod(fasthttp.MethodPost)
	for k, v := range a.host.headers {
		req.Header.Set(k, v)
	}
	if err := fasthttp.Do(req, res); err != nil {
		return err
	}
	if res.StatusCode() != fasthttp.StatusOK {
		return fmt.Errorf("%s answered %d: %s", verb, res.StatusCode(), res.Body())
	}
	return nil
}

// question plays one question and waits until its time is over.
func (a *arena) question(ctx context.Context, c *cli, n int, kill bool, port int, figures map[string]any) error {
	r := &arenaRound{done: make(chan struct{})}
	a.mu.Lock()
	a.rounds[n] = r
	a.mu.Unlock()
	began := time.Now()
	verb := "next"
	if n == 1 {
		verb = "start"
	}
	if err := a.command(verb); err != nil {
		return err
	}
	wait := a.limit + 20*time.Second
	if kill {
		down, err := a.crash(ctx, c, port)
		if err != nil {
			return err
		}
		figures["kill_to_reconnected_s"] = down.Seconds()
		wait += 2 * down
	}
	select {
	case <-r.done:
	case <-time.After(wait):
		a.mu.Lock()
		have := r.boards
		a.mu.Unlock()
		return fmt.Errorf("question %d: only %d of %d players got the board", n, have, len(a.players))
	case <-ctx.Done():
		return ctx.Err()
	}
	a.mu.Lock()
	line := fmt.Sprintf("question %d: %v\n", n, r.figures())
	a.mu.Unlock()
	if _, err := fmt.Fprint(c.err, line); err != nil {
		return err
	}
	time.Sleep(time.Until(began.Add(a.every)))
	return nil
}

// crash kills the server while answers arrive and starts it again.
func (a *arena) crash(ctx context.Context, c *cli, port int) (time.Duration, error) {
	time.Sleep(a.limit * 2 / 5)
	began := time.Now()
	if err := a.ch.cmd.Process.Kill(); err != nil {
		return 0, err
	}
	_ = a.ch.cmd.Wait() // says that it was killed
	for _, g := range a.players {
		g.ended()
	}
	var err error
	if a.ch, err = a.bench.start(ctx, c, port); err != nil {
		return 0, err
	}
	return time.Since(began), a.connectAfter()
}

func (a *arena) connectAfter() error { return a.connect(1) }

// farewell waits for everybody's last frame.
func (a *arena) farewell() error {
	deadline := time.After(20 * time.Second)
	for _, g := range a.players {
		select {
		case <-g.over:
		case <-deadline:
			return errors.New("not everybody heard of the end")
		}
	}
	return nil
}

func (r *arenaRound) figures() map[string]any {
	return map[string]any{"question_ms": percentiles(r.reach), "ack_ms": percentiles(r.acks), "board_ms": percentiles(r.board), "acks": len(r.acks)}
}

// sum joins the figures of some questions; a.mu is held. Times of the question
// in which the server was killed are no measure.
func (a *arena) sum(from, to int, killed bool) map[string]any {
	var all arenaRound
	for n := from; n <= to; n++ {
		if r := a.rounds[n]; r != nil && (!killed || n != 2) {
			all.reach, all.acks, all.board = append(all.reach, r.reach...), append(all.acks, r.acks...), append(all.board, r.board...)
		}
	}
	return all.figures()
}

// audit looks every acknowledged answer up after the server has ended, and
// compares everybody's points with what the players were told.
func (a *arena) audit(ctx context.Context) (map[string]any, error) {
	set, err := a.bench.settings(1)
	if err != nil {
		return nil, err
	}
	db, err := storage.Open(ctx, storage.Options{DSN: *set.db, AuditKey: []byte("not read"), ReadOnly: true})
	if err != nil {
		return nil, err
	}
	defer db.Close() //nolint:errcheck // nothing was written
	type row struct {
		player, n, at, points int64
	}
	rows, err := storage.All(ctx, db, func(s storage.Scanner) (r row, err error) {
		err = s.Scan(&r.player, &r.n, &r.at, &r.points)
		return r, err
	}, `SELECT player_id, n, received_at, points FROM contest_answers WHERE contest_id = ?`, a.id)
	if err != nil {
		return nil, err
	}
	type key struct{ player, n int64 }
	stored, points := map[key]int64{}, map[int64]int64{}
	twice, acked, lost, wrong := 0, 0, 0, 0
	for _, r := range rows {
		k := key{r.player, r.n}
		if _, again := stored[k]; again {
			twice++
		}
		stored[k] = r.at
		points[r.player] += r.points
	}
	sent, refused := 0, 0
	for _, g := range a.players {
		sent += len(g.sent)
		refused += g.refused
		for n, at := range g.acked {
			acked++
			if was, ok := stored[key{int64(g.id), int64(n)}]; !ok || was != at.UnixMilli() {
				lost++
			}
		}
		if int64(g.score) != points[int64(g.id)] {
			wrong++
		}
	}
	out := map[string]any{"sent": sent, "acknowledged": acked, "stored": len(rows), "lost": lost, "twice": twice, "refused": refused, "wrong_totals": wrong}
	if lost+twice+wrong > 0 {
		b, _ := json.Marshal(out) // numbers only
		return nil, errs.New(errs.Internal, "answers were lost or counted twice: %s", strings.ReplaceAll(string(b), "%", ""))
	}
	return out, nil
}
