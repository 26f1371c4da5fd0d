package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strings"
	"sync"
	"time"

	"tongxin/internal/clock"
)

// lecture is one run of load lecture: a publisher and its viewers, all in this
// process, against a server in another one.
type lecture struct {
	whip, whep, whipToken, whepToken string
	pid                              int
	http                             *http.Client
	pool                             *viewerPool
	pace                             bool
	base                             time.Time // of the timestamps inside the packets
}

// loadLecture measures live video: one publisher by WHIP, viewers by WHEP with
// real ICE, DTLS and SRTP. With -whip and -whep it measures another server.
func loadLecture(ctx context.Context, c *cli, args []string) error {
	f := c.flags("load lecture")
	viewers := f.Int("viewers", 200, "people who watch")
	span := f.Duration("for", 20*time.Second, "how long to measure once all are there")
	rate := f.Int("rate", 50, "joins a second")
	storm := f.Int("storm", 0, "further people who join within two seconds in the middle; those who watch already are measured")
	pace := f.Bool("pace", false, "send the packets of a frame spread over time, as browsers do, and not at once")
	receivers := f.Int("receivers", 2, "threads that receive")
	whip := f.String("whip", "", "WHIP address of another server")
	whep := f.String("whep", "", "WHEP address of another server")
	whipToken := f.String("whip-token", "", "bearer token for -whip")
	whepToken := f.String("whep-token", "", "bearer token for -whep")
	pid := f.Int("pid", 0, "process of the other server, for its CPU and memory")
	pprof := f.String("pprof", "", "host:port of the server's local listener, to profile it with go tool pprof meanwhile")
	if err := f.Parse(args); err != nil {
		return err
	}
	l := &lecture{whip: *whip, whep: *whep, whipToken: *whipToken, whepToken: *whepToken, pid: *pid, pace: *pace, base: time.Now()}
	l.http = &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 64, MaxConnsPerHost: 64}}
	stop := func() error { return nil }
	if l.whip == "" {
		var err error
		if stop, err = l.own(ctx, c, *pprof); err != nil {
			return err
		}
	} else if l.whep == "" {
		return errors.New("give -whep with -whip")
	}
	figures, err := l.run(ctx, c, *viewers, *storm, *rate, *receivers, *span)
	if err = errors.Join(err, stop()); err != nil {
		return err
	}
	return printFigures(c, figures)
}

// own starts our server and makes tokens for it.
func (l *lecture) own(ctx context.Context, c *cli, pprof string) (stop func() error, err error) {
	b, err := newBench("", "TONGXIN_LIVE_ADDR=127.0.0.1:0", "TONGXIN_LIVE_VIEWERS=20000", "TONGXIN_METRICS_ADDR="+pprof)
	if err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	set, err := b.settings(port)
	if err != nil {
		return nil, err
	}
	box, err := boxFor(set)
	if err != nil {
		return nil, err
	}
	ch, err := b.start(ctx, c, port)
	if err != nil {
		return nil, errors.Join(err, b.close())
	}
	sign := liveSigner(box, clock.System{})
	const room = "bench"
	l.whip, l.whep, l.pid = ch.url+"/whip/"+room, ch.url+"/whep/"+room, ch.cmd.Process.Pid
	l.whipToken, l.whepToken = sign.Token(livePublish+":"+room, time.Hour), sign.Token(liveWatch+":"+room, time.Hour)
	return func() error {
		l.http.CloseIdleConnections() // the server waits for them
		return errors.Join(ch.stop(), b.close())
	}, nil
}

// usage of the server at a moment; zero when its process is not known.
func (l *lecture) usage() (cpu time.Duration, mb float64, err error) {
	if l.pid == 0 {
		return 0, 0, nil
	}
	if cpu, err = processCPU(l.pid); err != nil {
		return 0, 0, err
	}
	mb, err = memory(l.pid)
	return cpu, mb, err
}

func (l *lecture) run(ctx context.Context, c *cli, viewers, storm, rate, receivers int, span time.Duration) (map[string]any, error) {
	pub, err := l.publish(ctx)
	if err != nil {
		return nil, fmt.Errorf("publishing: %w", err)
	}
	defer pub.close()
	if l.pool, err = newViewerPool(receivers, l.base); err != nil {
		return nil, err
	}
	defer l.pool.close()
	if err := pause(ctx, 3*time.Second); err != nil {
		return nil, err
	}
	cpu0, rest, err := l.usage()
	if err != nil {
		return nil, err
	}
	joins, err := l.join(ctx, viewers, time.Second/time.Duration(rate))
	if err != nil {
		return nil, err
	}
	cpu1, _, err := l.usage()
	if err != nil {
		return nil, err
	}
	// What a new viewer catches up with is no part of the latency.
	if err := pause(ctx, 4*time.Second); err != nil {
		return nil, err
	}
	out := map[string]any{"bench": "lecture", "viewers": viewers, "paced": l.pace, "join_ms": percentiles(joins), "join_cpu_ms": round((cpu1 - cpu0).Seconds() * 1000 / float64(viewers))}
	before := l.pool.snapshot()
	cpu, _, err := l.usage()
	if err != nil {
		return nil, err
	}
	own, err := ownCPU()
	if err != nil {
		return nil, err
	}
	began := time.Now()
	if storm > 0 {
		if err := l.storm(ctx, storm, span, out); err != nil {
			return nil, err
		}
	} else if err := pause(ctx, span); err != nil {
		return nil, err
	}
	took := time.Since(began)
	after, mb, err := l.usage()
	if err != nil {
		return nil, err
	}
	ownAfter, err := ownCPU()
	if err != nil {
		return nil, err
	}
	s := l.pool.snapshot().since(before)
	for k, v := range s.figures(took) {
		out[k] = v
	}
	out["generator_cpu_percent"] = round(100 * (ownAfter - own).Seconds() / took.Seconds())
	if l.pid != 0 && s.received > 0 {
		out["server_cpu_percent"] = round(100 * (after - cpu).Seconds() / took.Seconds())
		out["cpu_s_per_million"] = round((after - cpu).Seconds() / (float64(s.all) / 1e6))
		out["rest_mb"], out["mb"], out["mb_per_viewer"] = rest, mb, math.Round(1000*(mb-rest)/float64(viewers+storm))/1000
	}
	return out, nil
}

// join brings n viewers in, one each step, and waits until all see pictures.
func (l *lecture) join(ctx context.Context, n int, step time.Duration) ([]time.Duration, error) {
	took, failed := make([]time.Duration, n), make([]error, n)
	var wg sync.WaitGroup
	began := time.Now()
	for i := range n {
		if err := pause(ctx, time.Until(began.Add(time.Duration(i)*step))); err != nil {
			return nil, err
		}
		wg.Go(func() { took[i], failed[i] = l.pool.join(ctx, l) })
	}
	wg.Wait()
	bad := 0
	var first error
	for _, err := range failed {
		if err != nil {
			bad++
			first = err
		}
	}
	if bad > 0 {
		return nil, fmt.Errorf("%d of %d viewers did not get in, one of them: %w", bad, n, first)
	}
	return took, nil
}

// storm lets many join within two seconds, after a third of the time.
func (l *lecture) storm(ctx context.Context, n int, span time.Duration, out map[string]any) error {
	end := time.Now().Add(span)
	if err := pause(ctx, span/3); err != nil {
		return err
	}
	l.pool.freeze()
	joins, err := l.join(ctx, n, 2*time.Second/time.Duration(n))
	if err != nil {
		return err
	}
	out["storm"], out["storm_join_ms"] = n, percentiles(joins)
	return pause(ctx, time.Until(end))
}

// post sends an offer and returns the answer.
func (l *lecture) post(ctx context.Context, url, token, offer string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(offer))
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", "application/sdp")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := l.http.Do(req)
	if err != nil {
		return "", err
	}
	defer res.Body.Close() //nolint:errcheck // it was read
	b, err := readSome(res.Body, 1<<20)
	if err != nil {
		return "", err
	}
	if res.StatusCode != http.StatusCreated {
		return "", fmt.Errorf("%s answered %d: %.200s", url, res.StatusCode, b)
	}
	return string(b), nil
}

func pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func round(f float64) float64 { return math.Round(f*100) / 100 }
