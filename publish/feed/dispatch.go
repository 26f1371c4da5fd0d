package feed

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"

	"tongxin/internal/errs"
	"tongxin/internal/outbound"
)

const (
	workers = 4
	// callTimeout bounds connecting, sending and reading the answer.
	callTimeout = 15 * time.Second
	maxAnswer   = 64 << 10 // bytes of the answer that are read and thrown away
	// lease outlives a call by far; a process that dies gives its job back then.
	lease = 2 * time.Minute
	// nap bounds how long a job that another process stored waits to be seen.
	nap = 30 * time.Second
)

// backoff is the wait after each failed try: ten tries over some three days,
// like the schedule the Standard Webhooks specification suggests.
func backoff(attempt int) (time.Duration, bool) {
	waits := [...]time.Duration{
		5 * time.Second, time.Minute, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour,
		5 * time.Hour, 10 * time.Hour, 20 * time.Hour, 36 * time.Hour,
	}
	if attempt > len(waits) {
		return 0, false
	}
	return waits[attempt-1], true
}

// Run delivers webhooks until ctx ends, then waits for the calls under way.
func (s *Service) Run(ctx context.Context) error {
	free := make(chan struct{}, workers)
	var busy sync.WaitGroup
	defer busy.Wait()
	for {
		wait := s.claim(ctx, free, &busy)
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-s.wake:
			timer.Stop()
		case <-timer.C:
		}
	}
}

// claim starts as many due jobs as there are free workers and returns how long
// to wait for the next look.
func (s *Service) claim(ctx context.Context, free chan struct{}, busy *sync.WaitGroup) time.Duration {
	room := cap(free) - len(free)
	if room == 0 {
		return nap // a worker that ends wakes the loop
	}
	now := s.Clock.Now()
	jobs, err := s.Store.ClaimJobs(ctx, s.Owner, now, now.Add(lease), room)
	if err != nil {
		if ctx.Err() == nil {
			s.Log.Error("webhook jobs not claimed", "error", err)
		}
		return nap
	}
	for _, j := range jobs {
		free <- struct{}{}
		busy.Go(func() {
			defer s.Wake()
			defer func() { <-free }()
			s.deliver(ctx, j)
		})
	}
	next, err := s.Store.NextJob(ctx)
	if err != nil || next.IsZero() {
		return nap
	}
	return min(nap, max(10*time.Millisecond, next.Sub(s.Clock.Now())))
}

// deliver makes one try and stores what came of it. The call itself ends with
// ctx; the outcome is stored even then, so that no try is forgotten.
func (s *Service) deliver(ctx context.Context, j *Job) {
	keep := context.WithoutCancel(ctx)
	h, err := s.Store.Webhook(keep, j.WebhookID)
	if errs.Is(err, errs.NotFound) {
		return // deleted meanwhile, and its jobs with it
	}
	if err != nil {
		s.Log.Error("webhook not loaded", "webhook", j.WebhookID, "error", err)
		return // the lease runs out and the job is claimed again
	}
	var try Attempt
	if h.Enabled {
		try = s.call(ctx, h, j)
	} else {
		try = Attempt{At: s.Clock.Now(), Note: "推送地址已停用，没有发送。"}
	}
	if ctx.Err() != nil && try.Status == 0 {
		return // cut off by the shutdown, not by the receiver: the lease gives it back
	}
	disable := s.settle(h, j, &try)
	err = s.Store.SaveJob(keep, j, j.Version, try, disable)
	if err != nil && !errs.Is(err, errs.Stale) && !errs.Is(err, errs.NotFound) {
		s.Log.Error("webhook outcome not stored", "job", j.ID, "error", err)
	}
}

// settle writes a try into its job and says why the webhook must be switched
// off, or "".
func (s *Service) settle(h *Webhook, j *Job, try *Attempt) (disable string) {
	j.Attempt++
	try.Attempt = j.Attempt
	j.Status, j.Note, j.LeaseOwner = try.Status, try.Note, ""
	now := s.Clock.Now()
	wait, again := backoff(j.Attempt)
	switch {
	case try.Status >= 200 && try.Status < 300:
		j.State, j.DoneAt, j.NextAt = JobDone, now, time.Time{}
	case !h.Enabled || try.Status == http.StatusGone || !again:
		j.State, j.DoneAt, j.NextAt = JobFailed, now, time.Time{}
	default:
		j.NextAt = now.Add(wait)
	}
	switch {
	case h.Enabled && try.Status == http.StatusGone:
		return "接收方答复不再接收（410），已自动停用。"
	case h.Enabled && !again && j.State == JobFailed:
		return fmt.Sprintf("连续 %d 次推送失败，已自动停用，请检查接收方后重新启用。", j.Attempt)
	}
	return ""
}

func (s *Service) call(ctx context.Context, h *Webhook, j *Job) Attempt {
	at := s.Clock.Now()
	status, err := s.post(ctx, h, j, at)
	try := Attempt{At: at, Status: status, Millis: int(s.Clock.Now().Sub(at).Milliseconds()), Note: "已送达。"}
	switch {
	case err != nil:
		try.Note = explain(err)
		s.Log.Info("webhook call failed", "job", j.ID, "host", redactURL(h.URL), "cause", cause(err))
	case status >= 300 && status < 400:
		try.Note = fmt.Sprintf("接收方要求跳转（%d），系统不会跟随，请改用最终地址。", status)
	case status < 200 || status >= 300:
		try.Note = fmt.Sprintf("接收方返回 %d，将按计划重试。", status)
	}
	return try
}

func (s *Service) post(ctx context.Context, h *Webhook, j *Job, at time.Time) (int, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, h.URL, bytes.NewReader([]byte(j.Body)))
	if err != nil {
		return 0, err
	}
	id := "msg_" + j.ID.String()
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "Tongxin-Webhook/1")
	req.Header.Set(HeaderID, id)
	req.Header.Set(HeaderTimestamp, strconv.FormatInt(at.Unix(), 10))
	req.Header.Set(HeaderSignature, Sign(h.Secret, id, at, []byte(j.Body)))
	resp, err := s.http.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close() //nolint:errcheck // nothing of it is used
	// The status is the answer; a body that breaks off changes nothing.
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, maxAnswer))
	return resp.StatusCode, nil
}

// explain says what a person may know of a failed call: nothing that tells the
// shape of an inner network.
func explain(err error) string {
	var dns *net.DNSError
	var ne net.Error
	switch {
	case errors.Is(err, outbound.PrivateError{}):
		return "推送地址解析到本机或内部网络，系统不允许发送。"
	case errors.As(err, &dns):
		return "推送地址的域名无法解析，请核对地址。"
	case errors.As(err, &ne) && ne.Timeout():
		return "接收方没有在 15 秒内答复，将按计划重试。"
	}
	return "无法连接接收方，将按计划重试。"
}

// cause is the error without the address, whose path or query may hold a token.
func cause(err error) string {
	var ue *url.Error
	if errors.As(err, &ue) {
		return ue.Err.Error()
	}
	return err.Error()
}

// redactURL keeps scheme and host.
func redactURL(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host
}
