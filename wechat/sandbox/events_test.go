package sandbox

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// sink is a callback endpoint that answers with the given statuses, then 200.
func sink(t *testing.T, statuses ...int) (url string, got chan string) {
	t.Helper()
	got = make(chan string, 64)
	var mu sync.Mutex
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		mu.Lock()
		status := http.StatusOK
		if len(statuses) > 0 {
			status, statuses = statuses[0], statuses[1:]
		}
		mu.Unlock()
		if status == 0 { // no answer in time
			got <- "hang"
			<-r.Context().Done()
			return
		}
		got <- string(body)
		w.WriteHeader(status)
	}))
	t.Cleanup(server.Close)
	return server.URL, got
}

// next waits for the next push.
func next(t *testing.T, got chan string) string {
	t.Helper()
	select {
	case s := <-got:
		return s
	case <-time.After(20 * time.Second):
		t.Fatal("no push")
		return ""
	}
}

func (b *bench) publish() string {
	b.t.Helper()
	id := b.add(art(b.cover(), nil)).str("media_id")
	p := b.call("/cgi-bin/freepublish/submit", map[string]any{"media_id": id})
	if p.code() != 0 {
		b.t.Fatal(p)
	}
	return p.str("publish_id")
}

func TestThreeTries(t *testing.T) {
	url, got := sink(t, 500, 0, 503, 500)
	b := newBench(t, func(c *Config) { c.Accounts[0].CallbackURL, c.CallbackTimeout = url, 200*time.Millisecond })
	id := b.publish()
	if body := next(t, got); !strings.Contains(body, "<publish_id>"+id+"</publish_id>") {
		t.Error(body)
	}
	if next(t, got) != "hang" {
		t.Error("second try")
	}
	next(t, got)
	if err := b.s.Close(); err != nil { // waits for what is under way
		t.Fatal(err)
	}
	if len(got) != 0 {
		t.Error("a fourth try")
	}
}

func TestLostAndDoubledEvents(t *testing.T) {
	url, got := sink(t)
	b := newBench(t, func(c *Config) {
		c.Accounts[0].CallbackURL = url
		c.Faults = Faults{LoseEvents: 1}
		c.Quotas = map[string]Quota{"*": {Day: -1, Minute: -1}}
	})
	lost := b.publish()
	for b.call("/cgi-bin/freepublish/get", map[string]any{"publish_id": lost})["publish_status"] != 0.0 {
		continue // under way
	}
	if err := b.s.SetFaults(Faults{DuplicateEvents: 1}); err != nil {
		t.Fatal(err)
	}
	doubled := b.publish()
	for range 2 {
		if body := next(t, got); !strings.Contains(body, doubled) {
			t.Errorf("%s", body)
		}
	}
}

func TestSameSeedSameChoices(t *testing.T) {
	draw := func(seed uint64) string {
		box, err := newFaultBox(Faults{Rules: []Rule{{Path: "*", Kind: BusyBefore, Probability: 0.3}}}, seed)
		if err != nil {
			t.Fatal(err)
		}
		var out strings.Builder
		for range 200 {
			r, _, _ := box.pick("/a")
			fmt.Fprintf(&out, "%d", len(r.Kind))
		}
		return out.String()
	}
	if first, again := draw(1), draw(1); first != again || first == draw(2) {
		t.Error("choices do not follow the seed")
	}
	if n := strings.Count(strings.ReplaceAll(draw(1), "11", "x"), "x"); n < 35 || n > 85 {
		t.Errorf("%d of 200 at 30 %%", n)
	}
}

func TestNextRulesRunOut(t *testing.T) {
	b := newBench(t, nil)
	if err := b.s.SetFaults(Faults{Rules: []Rule{{Path: "/cgi-bin/draft/batchget", Kind: ErrCode, Code: 45011, Next: 2}}}); err != nil {
		t.Fatal(err)
	}
	for i, want := range []int{45011, 45011, 0} {
		if got := b.call("/cgi-bin/draft/batchget", map[string]any{"offset": 0, "count": 1}); got.code() != want {
			t.Errorf("call %d: %v", i, got)
		}
	}
	if n := len(b.s.Faults().Rules); n != 0 {
		t.Errorf("%d rules left", n)
	}
	for _, bad := range []Faults{
		{Rules: []Rule{{Path: "*", Kind: "nonsense", Next: 1}}},
		{Rules: []Rule{{Kind: BusyAfter, Next: 1}}},
		{Rules: []Rule{{Path: "*", Kind: ErrCode, Next: 1}}},
		{Rules: []Rule{{Path: "*", Kind: BusyAfter, Probability: 2}}},
		{PublishIDAs: "roman"},
	} {
		if b.s.SetFaults(bad) == nil {
			t.Errorf("%+v was taken", bad)
		}
	}
}

func TestStateOverARestart(t *testing.T) {
	file := filepath.Join(t.TempDir(), "state", "sandbox.json")
	b := newBench(t, func(c *Config) { c.StateFile, c.PublishDelay = file, time.Hour })
	img := b.upload("/cgi-bin/media/uploadimg", jpg(64)).str("url")
	cover := b.cover()
	kept := b.add(art(cover, map[string]any{"title": "留在草稿箱", "content": `<p>图</p><img src="` + img + `">`})).str("media_id")
	running := b.publish()
	if err := b.s.Close(); err != nil {
		t.Fatal(err)
	}

	url, got := sink(t)
	c := newBench(t, func(c *Config) { c.StateFile, c.PublishDelay, c.Accounts[0].CallbackURL = file, time.Hour, url })
	c.token = b.token
	if got := c.call("/cgi-bin/draft/get", map[string]any{"media_id": kept}); got.code() != 0 || !strings.Contains(fmt.Sprint(got), img) {
		t.Error(got)
	}
	hash, ok := imageHash(img)
	if data, found := c.s.images.get(hash); !ok || !found || len(data) != 64 || !c.s.images.owned(testApp, hash) {
		t.Error("the picture is lost")
	}
	if n := len(c.s.Ledger("")); n != 1 {
		t.Errorf("%d rows in the ledger", n)
	}
	// The job under way is taken up: due an hour after it began.
	if err := c.s.Close(); err != nil {
		t.Fatal(err)
	}
	d := newBench(t, func(c *Config) {
		c.StateFile, c.Accounts[0].CallbackURL = file, url
		c.Clock = at{b.clock.Now().Add(2 * time.Hour)}
	})
	if body := next(t, got); !strings.Contains(body, running) {
		t.Error(body)
	}
	if err := d.s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := New(Config{StateFile: file}); err == nil {
		t.Error("a broken snapshot was taken")
	}
}

// at is a clock that stands still.
type at struct{ t time.Time }

func (a at) Now() time.Time { return a.t }

func TestAThousandSubmitsAtOnce(t *testing.T) {
	b := newBench(t, func(c *Config) { c.Quotas = map[string]Quota{"*": {Day: -1, Minute: -1}} })
	cover := b.cover()
	ids := make([]string, 1000)
	for i := range ids {
		ids[i] = b.add(art(cover, map[string]any{"title": fmt.Sprint("第", i)})).str("media_id")
	}
	if err := b.s.SetFaults(Faults{LatencyMS: 50}); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	work := make(chan string)
	begin := time.Now()
	for range 100 {
		wg.Go(func() {
			for id := range work {
				rec := httptest.NewRecorder()
				body, err := json.Marshal(map[string]string{"media_id": id})
				if err != nil {
					t.Error(err)
				}
				r := httptest.NewRequest(http.MethodPost, "/cgi-bin/freepublish/submit?access_token="+b.token, strings.NewReader(string(body)))
				b.s.Handler().ServeHTTP(rec, r)
				if !strings.Contains(rec.Body.String(), `"errcode":0`) {
					t.Error(rec.Body.String())
				}
			}
		})
	}
	for _, id := range ids {
		work <- id
	}
	close(work)
	wg.Wait()
	t.Logf("1,000 submits in %v", time.Since(begin))
	list := b.s.Ledger(testApp)
	seen := map[string]bool{}
	for _, row := range list {
		seen[row.Hash] = row.Answered
	}
	if len(list) != 1000 || len(seen) != 1000 {
		t.Errorf("%d accepted, %d contents", len(list), len(seen))
	}
}
