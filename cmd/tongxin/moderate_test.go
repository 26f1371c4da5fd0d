package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"image"
	"image/png"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/clock"
	"tongxin/internal/ids"
	"tongxin/internal/page"
	"tongxin/internal/seal"
	"tongxin/moderate"
	"tongxin/notify"
	"tongxin/quiz"
	"tongxin/staff"
	"tongxin/storage"
	"tongxin/storage/storagetest"
	"tongxin/wechat"
	"tongxin/wechat/sandbox"
)

// checkHouse is the content check with the real client before a real sandbox.
type checkHouse struct {
	t     *testing.T
	clock *clock.Manual
	box   *sandbox.Sandbox
	app   wechat.Credentials
	svc   *moderate.Service
	db    *storage.DB
	org   ids.ID
	path  string
	log   bytes.Buffer
	told  chan moderate.Decision
	event chan struct{} // an event was taken
	next  ids.ID
}

const checkedPerson = "oMember00000000000000000001"

func newCheckHouse(t *testing.T) *checkHouse {
	t.Helper()
	h := &checkHouse{
		t: t, clock: clock.NewManual(time.Date(2026, 3, 2, 2, 0, 0, 0, time.UTC)), told: make(chan moderate.Decision, 64), event: make(chan struct{}, 8), next: 100,
		app: wechat.Credentials{AppID: "wx00000000000000c1", Secret: "secret-of-the-check", Token: "tok", AESKey: "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"},
	}
	callback := httptest.NewServer(http.HandlerFunc(h.callback))
	t.Cleanup(callback.Close)
	var err error
	h.box, err = sandbox.New(sandbox.Config{
		Clock: h.clock, PublishDelay: time.Millisecond, CallbackPause: time.Millisecond,
		Accounts: []sandbox.Account{{AppID: h.app.AppID, Kind: "mini", Secret: h.app.Secret, Token: h.app.Token, AESKey: h.app.AESKey, Mode: "aes", CallbackURL: callback.URL}},
	})
	checkOK(t, err)
	server := httptest.NewServer(h.box.Handler())
	t.Cleanup(func() {
		server.CloseClientConnections()
		checkOK(t, h.box.Close())
		server.Close()
	})
	log := slog.New(slog.NewTextHandler(&h.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	client, err := wechat.New(wechat.Config{Base: server.URL, Clock: h.clock, Timeout: 300 * time.Millisecond, Log: log})
	checkOK(t, err)
	t.Cleanup(client.Close)
	h.db = storagetest.Open(t, storage.Options{DSN: t.TempDir() + "/test.db", Clock: h.clock})
	box, err := seal.New("k1", map[string][]byte{"k1": bytes.Repeat([]byte{7}, seal.MinSecret)})
	checkOK(t, err)
	people, err := staff.New(staff.Config{
		Store: storage.NewStaff(h.db), IDs: h.db.IDs(), Clock: h.clock, Sealer: box, CSRFKey: box.Derive("csrf"), Random: rand.Reader,
		Policy: staff.Policy{Hash: staff.HashParams{MemoryKiB: 64, Passes: 1, Threads: 1}},
	})
	checkOK(t, err)
	org, err := people.CreateOrg(t.Context(), authz.SystemActor("test"), staff.OrgInput{Kind: staff.Committee, Name: "党委"})
	checkOK(t, err)
	h.org, h.path = org.ID, org.Path
	h.svc, err = moderate.New(moderate.Config{
		Store: storage.NewModeration(h.db), Sealer: box, Clock: h.clock, IDs: h.db.IDs(), Log: log,
		Checker: contentCheck{
			program: func(context.Context) (*wechat.Account, error) { return client.Account(h.app), nil },
			openID: func(_ context.Context, id ids.ID) (string, error) {
				if id == 0 {
					return "", nil
				}
				return checkedPerson, nil
			},
		},
		OrgPath: func(context.Context, ids.ID) (string, error) { return h.path, nil },
	})
	checkOK(t, err)
	h.svc.OnDecided(moderate.Kind{Name: "answer", Label: "通知回复"}, func(_ context.Context, d moderate.Decision) error {
		h.told <- d
		return nil
	})
	return h
}

// callback takes the sandbox's events as the program's callback route does.
func (h *checkHouse) callback(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	checkOK(h.t, err)
	call, err := wechat.CallbackParser{Clock: h.clock}.Parse(h.app, r.Method, r.URL.Query(), body)
	checkOK(h.t, err)
	checkOK(h.t, h.svc.TakeOutcome(context.WithoutCancel(r.Context()), mediaCheck(call.Event.Check, h.app.AESKey != "")))
	h.event <- struct{}{}
	_, err = io.WriteString(w, wechat.CallbackSuccess)
	checkOK(h.t, err)
}

func (h *checkHouse) hand(text string) moderate.Receipt {
	h.t.Helper()
	h.next++
	r, err := h.svc.Text(h.t.Context(), moderate.Words{Kind: "answer", ObjectID: h.next, Revision: 1, OrgID: h.org, Author: 7, Scene: moderate.Comment, Text: text})
	checkOK(h.t, err)
	return r
}

func (h *checkHouse) item(id ids.ID) *moderate.Item {
	h.t.Helper()
	it, err := h.svc.Get(h.t.Context(), h.boss(), id)
	checkOK(h.t, err)
	return it
}

func (h *checkHouse) boss() *authz.Actor {
	return &authz.Actor{ID: 1, Kind: authz.Staff, Name: "审核人", Grants: []authz.Grant{{Path: h.path, Rights: []authz.Right{moderate.Review}}}}
}

func (h *checkHouse) run() {
	for h.svc.Round(h.t.Context()) > 0 {
	}
}

func checkOK(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestContentCheckAgainstTheSandbox(t *testing.T) {
	h := newCheckHouse(t)
	// Nobody with this openid ever came: WeChat takes no check, people decide.
	if r := h.hand("同意参加"); r.State != moderate.InReview || h.item(r.ID).Hold != moderate.NotTaken {
		t.Fatalf("%+v", h.item(r.ID))
	}
	checkOK(t, h.box.Visit(h.app.AppID, checkedPerson))
	for text, want := range map[string]moderate.State{
		"同意参加": moderate.Passed, "这里有违禁内容": moderate.Refused, "这句需要复核": moderate.InReview,
		strings.Repeat("很长的话。", 1000) + "违禁内容": moderate.Refused,
	} {
		if r := h.hand(text); r.State != want {
			t.Errorf("%.20s: %+v", text, h.item(r.ID))
		}
	}
	// Two hours without a visit: it waits for the next one.
	h.clock.Add(2*time.Hour + time.Minute)
	r := h.hand("我想说几句")
	if it := h.item(r.ID); it.State != moderate.Waiting || it.Hold != moderate.Inactive {
		t.Fatalf("%+v", it)
	}
	checkOK(t, h.box.Visit(h.app.AppID, checkedPerson))
	checkOK(t, h.svc.Visited(t.Context(), 7))
	h.run()
	if it := h.item(r.ID); it.State != moderate.Passed {
		t.Fatalf("%+v", it)
	}
	list, err := h.svc.List(t.Context(), h.boss(), moderate.Query{State: moderate.AwaitsAny}, page.Request{Limit: 10})
	checkOK(t, err)
	if len(list.Items) != 2 {
		t.Fatalf("%d open", len(list.Items))
	}
	for _, private := range []string{"我想说", "违禁", checkedPerson, h.app.Secret} {
		if strings.Contains(h.log.String(), private) {
			t.Errorf("%q is in the log", private)
		}
	}
}

// WeChat down in every way: the text waits, passes when WeChat is back, and is
// told once.
func TestContentCheckWaitsForWeChat(t *testing.T) {
	h := newCheckHouse(t)
	checkOK(t, h.box.Visit(h.app.AppID, checkedPerson))
	h.hand("先取令牌")
	<-h.told
	for _, kind := range []string{sandbox.BusyBefore, sandbox.CloseBefore, sandbox.HangBefore, sandbox.GatewayBefore, sandbox.GarbageAfter} {
		checkOK(t, h.box.SetFaults(sandbox.Faults{HangMS: 5000, Rules: []sandbox.Rule{{Path: "/wxa/msg_sec_check", Kind: kind, Probability: 1}}}))
		r := h.hand("等一等")
		if it := h.item(r.ID); it.State != moderate.Waiting || it.Hold != moderate.Down || r.Say != "已提交，审核通过后可见。" {
			t.Fatalf("%s: %+v", kind, it)
		}
		checkOK(t, h.box.SetFaults(sandbox.Faults{}))
		h.clock.Add(time.Minute)
		h.run()
		if it := h.item(r.ID); it.State != moderate.Passed || len(h.told) != 1 {
			t.Fatalf("%s: %+v, told %d times", kind, it, len(h.told))
		}
		<-h.told
		h.clock.Add(time.Minute)
	}
	// Used up for today: asked again after midnight, or by people before that.
	checkOK(t, h.box.SetFaults(sandbox.Faults{Exhausted: []string{"/wxa/msg_sec_check"}}))
	r := h.hand("等一等")
	h.clock.Add(5 * time.Hour)
	h.run()
	if it := h.item(r.ID); it.State != moderate.Waiting {
		t.Fatalf("%+v", it)
	}
}

func TestPictureCheckAgainstTheSandbox(t *testing.T) {
	h := newCheckHouse(t)
	pictures := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "gone.png") {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		checkOK(t, png.Encode(w, image.NewGray(image.Rect(0, 0, 8, 8))))
	}))
	t.Cleanup(pictures.Close)
	checkOK(t, h.box.Visit(h.app.AppID, checkedPerson))
	for _, c := range []struct {
		verdict, name string
		state         moderate.State
		hold          moderate.Hold
	}{
		{"", "a.png", moderate.Passed, ""},
		{"risky", "a.png", moderate.Refused, ""},
		{"review", "a.png", moderate.InReview, moderate.Unsure},
		{"", "gone.png", moderate.InReview, moderate.NotTaken},
	} {
		checkOK(t, h.box.SetFaults(sandbox.Faults{CheckPicture: c.verdict, DuplicateEvents: 0}))
		h.next++
		r, err := h.svc.Picture(t.Context(), moderate.Image{Kind: "answer", ObjectID: h.next, Revision: 1, OrgID: h.org, Author: 7, Scene: moderate.Profile, Ref: pictures.URL + "/" + c.name})
		checkOK(t, err)
		select {
		case <-h.event:
		case <-time.After(longest):
			t.Fatal("no event")
		}
		h.clock.Add(6 * time.Second) // the result may have come before its name was stored
		h.run()
		if it := h.item(r.ID); it.State != c.state || it.Hold != c.hold {
			t.Errorf("%+v: %+v", c, it)
		}
	}
	// The event is lost: people are asked after half an hour.
	checkOK(t, h.box.SetFaults(sandbox.Faults{LoseEvents: 1}))
	h.next++
	r, err := h.svc.Picture(t.Context(), moderate.Image{Kind: "answer", ObjectID: h.next, Revision: 1, OrgID: h.org, Author: 7, Scene: moderate.Profile, Ref: pictures.URL + "/a.png"})
	checkOK(t, err)
	h.clock.Add(6 * time.Second)
	h.run()
	h.clock.Add(31 * time.Minute)
	h.run()
	if it := h.item(r.ID); it.State != moderate.InReview || it.Hold != moderate.Late {
		t.Errorf("%+v", it)
	}
}

// The text beside an answer to a notice: shown to others once passed, handed in
// again when the first try was lost, and of two revisions the later counts.
func TestAnswersAreScreened(t *testing.T) {
	h := newCheckHouse(t)
	checkOK(t, h.box.Visit(h.app.AppID, checkedPerson))
	p := &program{moderate: h.svc}
	p.screenKinds()
	ask := func(text string, at time.Time) notify.Screened {
		got, err := p.screenAnswers(t.Context(), []notify.Written{{Campaign: 1, Member: 7, Org: h.org, Text: text, At: at}, {Campaign: 2, Member: 7, Org: h.org, Text: "另一条", At: time.UnixMilli(1)}})
		checkOK(t, err)
		if !got[1].Shown {
			t.Errorf("%+v", got[1])
		}
		return got[0]
	}
	at := h.clock.Now()
	if got := ask("这句需要复核", at); got.Shown || got.Note != "已提交，审核通过后可见。" {
		t.Fatalf("%+v", got)
	}
	if got := ask("准时参加", at.Add(time.Second)); !got.Shown {
		t.Fatalf("a later answer: %+v", got)
	}
	if got := ask("这句需要复核", at); got.Shown {
		t.Fatalf("the earlier one: %+v", got)
	}
	if got := ask("加微信领红包", at.Add(2*time.Second)); got.Shown || !strings.Contains(got.Note, "广告") {
		t.Fatalf("%+v", got)
	}
	list, err := h.svc.List(t.Context(), h.boss(), moderate.Query{}, page.Request{Limit: 50})
	checkOK(t, err)
	if len(list.Items) != 4 {
		t.Fatalf("%d items of four texts", len(list.Items))
	}
}

// A team's name is judged before anybody sees it; once passed it is not asked
// about again, and what waits or was refused says so in words of its own.
func TestTeamNamesAreScreened(t *testing.T) {
	h := newCheckHouse(t)
	checkOK(t, h.box.Visit(h.app.AppID, checkedPerson))
	p := &program{moderate: h.svc}
	p.screenKinds()
	member := &authz.Actor{ID: 7, Kind: authz.Member, Grants: []authz.Grant{{OrgID: h.org, Path: h.path}}}
	for _, c := range []struct{ name, want string }{{"红旗队", ""}, {"红旗队", ""}, {"违禁内容队", "换一个"}, {"需要复核队", "等工作人员审核"}, {"需要复核队", "等工作人员审核"}} {
		err := p.checkTeamName(t.Context(), member, c.name)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	list, err := h.svc.List(t.Context(), h.boss(), moderate.Query{State: moderate.AwaitsAny}, page.Request{Limit: 9})
	checkOK(t, err)
	if len(list.Items) != 1 {
		t.Fatalf("%d open", len(list.Items))
	}
	_, err = h.svc.Decide(t.Context(), h.boss(), list.Items[0].ID, list.Items[0].Version, moderate.Verdict{Pass: true})
	checkOK(t, err)
	checkOK(t, p.checkTeamName(t.Context(), member, "需要复核队"))
	if err := p.checkTeamName(t.Context(), nil, "红旗队"); err == nil {
		t.Error("nobody names a team")
	}
}

// Short answers of many attempts end at once: handing in waits for nobody, the
// queue asks, and graders read what passed.
func TestShortAnswersAreAskedByTheQueue(t *testing.T) {
	h := newCheckHouse(t)
	checkOK(t, h.box.Visit(h.app.AppID, checkedPerson))
	p := &program{moderate: h.svc}
	p.screenKinds()
	in := []quiz.Written{{Attempt: 1, N: 2, Member: 7, Org: h.org, Text: "要紧的是实干"}, {Attempt: 1, N: 3, Member: 7, Org: h.org, Text: "骂人的话"}}
	got, err := p.screenShort(t.Context(), in)
	checkOK(t, err)
	if got[0].Shown || got[0].Refused || got[0].Note == "" || got[1].Shown {
		t.Fatalf("%+v", got)
	}
	h.run()
	got, err = p.screenShort(t.Context(), in)
	checkOK(t, err)
	if !got[0].Shown || got[1].Shown || !got[1].Refused {
		t.Fatalf("%+v", got)
	}
}
