package notify

import (
	"context"
	"math/bits"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// sender is the sending part of one Run.
type sender struct {
	*Service
	flight  atomic.Int64
	results chan Result
	calls   sync.WaitGroup
	freed   chan struct{} // a place in flight was left
}

// sendLoop claims messages as the rate allows and hands them to their own
// goroutines. Intents are stored in one transaction for many, results too.
func (s *Service) sendLoop(ctx context.Context, fan chan<- struct{}) {
	w := &sender{Service: s, results: make(chan Result, maxInFlight), freed: make(chan struct{}, 1)}
	stored := make(chan struct{})
	go func() {
		defer close(stored)
		w.collect(context.WithoutCancel(ctx))
	}()
	defer func() {
		w.calls.Wait()
		close(w.results)
		<-stored
	}()
	var swept time.Time
	for {
		select {
		case fan <- struct{}{}:
		default:
		}
		if now := s.Clock.Now(); now.Sub(swept) >= s.Timing.Lease/4 {
			swept = now
			w.sweep(ctx, now)
		}
		d := w.round(ctx)
		if !pause2(ctx, s.nudges, w.freed, d) {
			return
		}
	}
}

// pause2 is pause with two wake-ups.
func pause2(ctx context.Context, a, b <-chan struct{}, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-a:
	case <-b:
	case <-t.C:
	}
	return ctx.Err() == nil
}

func (w *sender) sweep(ctx context.Context, now time.Time) {
	n, err := w.Store.LoseSends(ctx, now)
	if err != nil && ctx.Err() == nil {
		w.Log.Warn("notify: leases", "err", err)
	}
	if n > 0 {
		w.Log.Warn("notify: messages of a node that is gone are of unknown outcome", "count", n)
	}
}

// round claims once for every campaign that is sending and returns how long to
// wait for the next.
func (w *sender) round(ctx context.Context) time.Duration {
	if w.Pusher == nil || ctx.Err() != nil {
		return idlePause
	}
	list, err := w.Store.SendingCampaigns(ctx)
	if err != nil || len(list) == 0 {
		if err != nil && ctx.Err() == nil {
			w.Log.Warn("notify: campaigns", "err", err)
			return time.Second
		}
		return idlePause
	}
	set, err := w.Store.Settings(ctx)
	if err != nil {
		w.Log.Warn("notify: settings", "err", err)
		return time.Second
	}
	w.turns.next++
	wait, began := idlePause, w.Clock.Now()
	for i := range list { // each round begins with another campaign
		c := &list[(i+w.turns.next)%len(list)]
		d, err := w.campaign(ctx, c, set, len(list)-i)
		if err != nil && ctx.Err() == nil {
			w.Log.Warn("notify: claim", "campaign", c.ID, "err", err)
			d = time.Second
		}
		wait = min(wait, d)
	}
	return wait - min(w.Clock.Now().Sub(began), wait) // a slow claim leaves less time to the next
}

// campaign claims messages of one campaign, at most its share of the places.
func (w *sender) campaign(ctx context.Context, c *Campaign, set *Settings, sharers int) (time.Duration, error) {
	way := set.way(c.Kind, true)
	wait, got := idlePause, false
	for _, t := range way {
		room := maxInFlight - int(w.flight.Load())
		if room <= 0 {
			return idlePause, nil // freed wakes
		}
		now := w.Clock.Now()
		claim := Claim{
			Campaign: c.ID, Template: t, Next: way.after(t.Channel), Rate: set.rate(t.AppID), Owner: w.Owner, Now: now,
			Until: now.Add(w.Timing.Lease), Max: max(1, room/sharers),
		}
		res, err := w.Store.ClaimSends(ctx, claim)
		if err != nil {
			return wait, err
		}
		for _, x := range res.Sends {
			w.flight.Add(1)
			w.calls.Go(func() { w.send(ctx, c, t, x, claim) })
		}
		if len(res.Sends)+res.Moved > 0 {
			got, wait = true, min(wait, Horizon/2)
		}
		if res.Wait > 0 {
			got, wait = true, min(wait, max(res.Wait, 2*time.Millisecond))
		}
	}
	if got {
		return wait, nil
	}
	return w.idle(ctx, c, way)
}

// idle looks when a campaign with nothing to claim has something again.
func (w *sender) idle(ctx context.Context, c *Campaign, way Way) (time.Duration, error) {
	next, err := w.Store.NextSend(ctx, c.ID)
	if err != nil {
		return 0, err
	}
	if next.IsZero() {
		_, err := w.Store.FinishCampaign(ctx, c.ID)
		return time.Second, err
	}
	if d := next.Sub(w.Clock.Now()); d > 0 {
		return min(d, idlePause), nil
	}
	// Something is due and no template takes it.
	missing := len(way) == 0
	if missing {
		return idlePause, w.Store.HaltCampaign(ctx, c.ID, "没有可用的消息模板，请先设置消息模板，再继续发送。")
	}
	return time.Second, nil
}

// send waits for its place in the rate, calls once and reports.
func (w *sender) send(ctx context.Context, c *Campaign, t Template, x Outgoing, claim Claim) {
	r := Result{Campaign: c.ID, Member: x.MemberID, Version: x.Version, Template: t.ID, Attempt: x.Attempt, State: SendUnknown, Note: "程序出错，不能确定是否已送达；系统不会重复发送。"}
	defer func() { w.results <- r }()
	defer w.guard("send", c.ID)
	if !w.place(ctx, x.At) || w.Clock.Now().After(claim.Now.Add(w.Timing.Lease/2)) {
		// Not called: certain that nothing happened.
		r.State, r.Note, r.GiveBack, r.NextAt = SendWaiting, "", t.NeedsGrant(), w.Clock.Now()
		return
	}
	m := Message{Channel: t.Channel, AppID: t.AppID, OpenID: x.OpenID, TemplateID: t.ID, Ref: "tx-" + c.ID.String(), Page: strings.ReplaceAll(t.Page, "{id}", c.ID.String()), Values: map[string]string{}}
	for _, p := range w.rules.values(c, t) {
		m.Values[p.Key] = p.Value
	}
	call, cancel := context.WithTimeout(context.WithoutCancel(ctx), w.Timing.Lease/4)
	id, err := w.Pusher.Push(call, m)
	cancel()
	r.At = w.Clock.Now()
	if err == nil {
		r.State, r.MsgID, r.Note = SendSent, id, ""
		return
	}
	w.judge(&r, c, t, claim.Next, pushError(err))
}

// place waits until a message's time; false when the program ends before.
func (w *sender) place(ctx context.Context, at time.Time) bool {
	d := at.Sub(w.Clock.Now())
	if d <= 0 {
		return ctx.Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// judge sorts a refusal by what to do next.
func (w *sender) judge(r *Result, c *Campaign, t Template, next Channel, pe *PushError) {
	now := r.At
	r.Code, r.Note = pe.Code, pe.Msg
	if pe.Unknown {
		r.State, r.Kind, r.Note = SendUnknown, "", "没有收到微信的明确答复，可能已经送达；系统不会重复发送。"
		return
	}
	kind := pe.Kind
	if row, ok := w.rules.outcome(pe.Code); ok {
		kind, r.Note = row.Kind, row.Say
	}
	r.Kind, r.GiveBack = kind, t.NeedsGrant()
	r.State, r.Attempt = SendFailed, r.Attempt+1
	later := func(at time.Time) {
		if r.State, r.NextAt = SendWaiting, at; pe.RetryAt.After(at) {
			r.NextAt = pe.RetryAt
		}
	}
	switch kind {
	case NoGrant, NoFan:
		r.GiveBack, r.Empty = kind != NoGrant && r.GiveBack, kind == NoGrant && t.NeedsGrant()
		if next != "" {
			r.State, r.Channel, r.NextAt, r.Attempt = SendWaiting, next, now, 0
		}
	case WrongOne:
		if pe.Field != "" {
			r.Note = "模板字段“" + pe.Field + "”的内容不符合微信的要求，请在“消息模板”里调整后继续。"
		}
		later(now)
		w.halt(c, r.Note)
	case Quota:
		later(nextDay(now))
		w.put(w.Store.DeferSends(context.Background(), c.ID, t.Channel, r.NextAt), c)
	case Token:
		later(now.Add(w.Timing.TokenRetry))
		w.halt(c, r.Note)
	case GiveUp:
	default:
		if r.Kind = Later; r.Attempt < maxTries {
			later(now.Add(doubling(w.Timing.Retry, r.Attempt-1, 10*time.Minute)))
		}
	}
}

// halt pauses a campaign whose every message would fail alike.
func (w *sender) halt(c *Campaign, problem string) {
	w.put(w.Store.HaltCampaign(context.Background(), c.ID, problem), c)
}

func (w *sender) put(err error, c *Campaign) {
	if err != nil {
		w.Log.Warn("notify: campaign not stored", "campaign", c.ID, "err", err)
	}
}

// collect stores results, many at once: what comes within a moment of the
// first, and whatever waits by then. A database that is slow makes batches
// larger, not later.
func (w *sender) collect(ctx context.Context) {
	for r := range w.results {
		batch := append(make([]Result, 0, maxStore), r)
		for until, open := time.After(storeEvery), true; open && len(batch) < maxStore; {
			select {
			case r, ok := <-w.results:
				if open = ok; ok {
					batch = append(batch, r)
				}
			case <-until:
				open = false
			}
		}
		for open := true; open && len(batch) < maxStore; {
			select {
			case r, ok := <-w.results:
				if open = ok; ok {
					batch = append(batch, r)
				}
			default:
				open = false
			}
		}
		w.store(ctx, batch)
		if n := int64(len(batch)); w.flight.Add(-n)+n < maxInFlight {
			continue // nobody waits for a place
		}
		select {
		case w.freed <- struct{}{}:
		default:
		}
	}
}

func (w *sender) store(ctx context.Context, batch []Result) {
	ctx, cancel := context.WithTimeout(ctx, w.Timing.Lease/4)
	defer cancel()
	for pause := 20 * time.Millisecond; ; pause = min(2*pause, time.Second) {
		n, err := w.Store.StoreResults(ctx, batch)
		if err == nil {
			if n < len(batch) {
				w.Log.Warn("notify: results came after their lease", "count", len(batch)-n)
			}
			return
		}
		w.Log.Warn("notify: results not stored", "count", len(batch), "err", err)
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return
		}
	}
}

// doubling is base × 2ⁿ, at most limit.
func doubling(base time.Duration, n int, limit time.Duration) time.Duration {
	if n = max(n, 0); n > 30 || bits.Len64(uint64(base))+n > 62 {
		return limit
	}
	return min(base<<n, limit)
}

// draftPosts turns published posts of organisations that want it into drafts.
func (s *Service) draftPosts(ctx context.Context) {
	never := make(chan struct{})
	for pause(ctx, never, time.Minute) {
		if err := s.DraftPosts(ctx); err != nil && ctx.Err() == nil {
			s.Log.Warn("notify: drafts of posts", "err", err)
		}
	}
}
