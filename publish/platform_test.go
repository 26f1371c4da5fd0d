package publish_test

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"tongxin/internal/clock"
	"tongxin/internal/ids"
	"tongxin/publish"
)

// fault is what goes wrong with one call. late: the call takes effect and only
// its answer is lost.
type fault struct {
	err  error
	late bool
}

func trouble(kind publish.ErrKind, code int) *fault {
	return &fault{err: &publish.PlatformError{Kind: kind, Code: code, Msg: "平台：" + string(kind) + "。"}}
}

func lost() *fault {
	return &fault{late: true, err: &publish.PlatformError{Kind: publish.KindUnknown, Msg: "没有收到答复。"}}
}

type box struct {
	account  ids.ID
	articles []publish.Rendered
}

// job is one accepted submit.
type job struct {
	account  ids.ID
	clientID string
	receipt  publish.Receipt
	found    publish.Found
	mode     publish.Mode
	done     time.Time
	outcome  publish.Outcome
	removed  bool
}

// simulator is a small platform: drafts leave their box when a submit is
// accepted, results come later by poll, list or event, and every call can fail
// before or after it took effect.
type simulator struct {
	clock clock.Clock

	mu       sync.Mutex
	seq      int
	drafts   map[string]box
	jobs     []*job
	calls    map[string]int
	picture  map[string]int // uploads by content
	dropped  []string
	fails    func(call string, n int) *fault // n counts the calls of that name from 1
	before   func(call string)               // runs without the lock
	after    func(call string)
	duration time.Duration // from acceptance to result
	verdict  func(j *job) publish.Outcome
}

var _ publish.Platform = (*simulator)(nil)

func newSimulator(c clock.Clock) *simulator {
	return &simulator{clock: c, drafts: map[string]box{}, calls: map[string]int{}, picture: map[string]int{}}
}

// failing makes the first n calls of a name fail.
func (s *simulator) failing(call string, n int, f *fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fails = func(c string, i int) *fault {
		if c == call && i <= n {
			return f
		}
		return nil
	}
	clear(s.calls)
}

func (s *simulator) healed() {
	s.mu.Lock()
	s.fails = nil
	s.mu.Unlock()
}

// call runs effect under the lock, unless the call fails before it.
func (s *simulator) call(ctx context.Context, name string, effect func() error) error {
	s.mu.Lock()
	before, after := s.before, s.after
	s.mu.Unlock()
	if before != nil {
		before(name)
	}
	err := s.locked(ctx, name, effect)
	if after != nil {
		after(name)
	}
	return err
}

func (s *simulator) locked(ctx context.Context, name string, effect func() error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls[name]++
	var f *fault
	if s.fails != nil {
		f = s.fails(name, s.calls[name])
	}
	if f != nil && !f.late {
		return f.err
	}
	if err := effect(); err != nil {
		return err
	}
	if f != nil {
		return f.err
	}
	return nil
}

func (s *simulator) next() string {
	s.seq++
	return strconv.Itoa(s.seq)
}

func (s *simulator) UploadPicture(ctx context.Context, a publish.Account, data []byte, mime string) (url string, err error) {
	err = s.call(ctx, "picture", func() error {
		s.picture["body/"+a.ID.String()+"/"+string(data)]++
		url = "https://mmbiz.example/" + s.next()
		return nil
	})
	return url, err
}

func (s *simulator) UploadCover(ctx context.Context, a publish.Account, data []byte, mime string) (id string, err error) {
	err = s.call(ctx, "cover", func() error {
		s.picture["cover/"+a.ID.String()+"/"+string(data)]++
		id = "thumb" + s.next()
		return nil
	})
	return id, err
}

func (s *simulator) SaveDraft(ctx context.Context, a publish.Account, articles []publish.Rendered) (id string, err error) {
	err = s.call(ctx, "draft", func() error {
		id = "draft" + s.next()
		s.drafts[id] = box{a.ID, articles}
		return nil
	})
	if err != nil {
		return "", err
	}
	return id, nil
}

func (s *simulator) DropDraft(ctx context.Context, a publish.Account, id string) error {
	return s.call(ctx, "drop", func() error {
		delete(s.drafts, id)
		s.dropped = append(s.dropped, id)
		return nil
	})
}

func (s *simulator) DraftExists(ctx context.Context, a publish.Account, id string) (there bool, err error) {
	err = s.call(ctx, "exists", func() error {
		_, there = s.drafts[id]
		return nil
	})
	return there, err
}

func (s *simulator) Submit(ctx context.Context, a publish.Account, id string, mode publish.Mode, clientID string) (r publish.Receipt, err error) {
	err = s.call(ctx, "submit", func() error {
		d, ok := s.drafts[id]
		if !ok {
			return &publish.PlatformError{Kind: publish.KindPermanent, Code: 40007, Msg: "草稿不存在。"}
		}
		delete(s.drafts, id)
		n := s.next()
		j := &job{account: a.ID, clientID: clientID, mode: mode, done: s.clock.Now().Add(s.duration)}
		j.receipt = publish.Receipt{MsgDataID: "data" + n}
		if mode == publish.ModeMass {
			j.receipt.MsgID = "msg" + n
		} else {
			j.receipt.PublishID = "pub" + n
		}
		j.found = publish.Found{ArticleID: "art" + n, URLs: []string{"https://mp.weixin.qq.com/s/" + n}, Updated: j.done}
		for _, art := range d.articles {
			j.found.Titles = append(j.found.Titles, art.Title)
			j.found.CoverIDs = append(j.found.CoverIDs, art.CoverID)
			j.found.Texts = append(j.found.Texts, art.HTML)
		}
		j.outcome = publish.Outcome{State: publish.OutcomePublished, ArticleID: j.found.ArticleID, URLs: j.found.URLs}
		if s.verdict != nil {
			j.outcome = s.verdict(j)
		}
		s.jobs = append(s.jobs, j)
		r = j.receipt
		return nil
	})
	if err != nil {
		return publish.Receipt{}, err
	}
	return r, nil
}

func (s *simulator) Result(ctx context.Context, a publish.Account, r publish.Receipt, mode publish.Mode) (out publish.Outcome, err error) {
	err = s.call(ctx, "result", func() error {
		for _, j := range s.jobs {
			if j.account != a.ID || j.receipt != r {
				continue
			}
			if out = j.outcome; s.clock.Now().Before(j.done) {
				out = publish.Outcome{State: publish.OutcomeRunning}
			}
			return nil
		}
		return &publish.PlatformError{Kind: publish.KindPermanent, Code: 53500, Msg: "没有这次提交。"}
	})
	return out, err
}

func (s *simulator) Recent(ctx context.Context, a publish.Account, offset int) (found []publish.Found, more bool, err error) {
	err = s.call(ctx, "recent", func() error {
		var all []publish.Found
		for _, j := range slices.Backward(s.jobs) {
			if j.account == a.ID && j.outcome.State == publish.OutcomePublished && !j.removed && !s.clock.Now().Before(j.done) {
				all = append(all, j.found)
			}
		}
		end := min(offset+20, len(all))
		found, more = all[min(offset, len(all)):end], end < len(all)
		return nil
	})
	return found, more, err
}

func (s *simulator) Retract(ctx context.Context, a publish.Account, d publish.Delivery) error {
	return s.call(ctx, "retract", func() error {
		for _, j := range s.jobs {
			if j.found.ArticleID == d.ArticleID {
				j.removed = true
			}
		}
		return nil
	})
}

func (s *simulator) Figures(ctx context.Context, a publish.Account, d publish.Delivery, day time.Time) (rows []publish.Figures, err error) {
	err = s.call(ctx, "figures", func() error {
		rows = []publish.Figures{{Day: day.In(clock.Shanghai()).Format("2006-01-02"), Reads: 7, People: 5}}
		return nil
	})
	return rows, err
}

func (s *simulator) Health(ctx context.Context, a publish.Account) (checks []publish.Check, err error) {
	err = s.call(ctx, "health", func() error {
		checks = []publish.Check{{Name: "credentials", OK: true}}
		return nil
	})
	return checks, err
}

// event is the callback of the i-th accepted submit.
func (s *simulator) event(i int) publish.PlatformEvent {
	s.mu.Lock()
	defer s.mu.Unlock()
	j := s.jobs[i]
	ev := publish.PlatformEvent{AccountID: j.account, Dedupe: fmt.Sprintf("%s/%s", j.account, j.found.ArticleID), Outcome: j.outcome}
	ev.Receipt = publish.Receipt{PublishID: j.receipt.PublishID, MsgID: j.receipt.MsgID} // events name no data id
	return ev
}

// accepted counts the accepted submits of a delivery.
func (s *simulator) accepted(d ids.ID) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, j := range s.jobs {
		if j.clientID == (&publish.Delivery{ID: d}).ClientID() {
			n++
		}
	}
	return n
}

func (s *simulator) count(call string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls[call]
}

func (s *simulator) inBox() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.drafts)
}

func (s *simulator) submits() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.jobs)
}
