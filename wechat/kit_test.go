package wechat_test

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"tongxin/internal/clock"
	"tongxin/wechat"
	"tongxin/wechat/sandbox"
)

const aesKey = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"

// world is a client before a real sandbox over HTTP, with a callback endpoint.
type world struct {
	t       *testing.T
	box     *sandbox.Sandbox
	client  *wechat.Client
	acc     *wechat.Account
	creds   wechat.Credentials
	clock   *clock.Manual
	base    string
	events  chan *wechat.Event
	refused chan error // callbacks that the parser did not take
}

// start makes a world; change may alter the sandbox's settings.
func start(t *testing.T, change func(*sandbox.Config)) *world {
	t.Helper()
	w := &world{
		t: t, clock: clock.NewManual(time.Date(2026, 3, 2, 2, 0, 0, 0, time.UTC)),
		creds:  wechat.Credentials{AppID: "wx0123456789abcdef", Secret: "very-secret-secret", Token: "callback-token", AESKey: aesKey},
		events: make(chan *wechat.Event, 64), refused: make(chan error, 64),
	}
	parser := wechat.CallbackParser{Clock: w.clock}
	callback := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(io.LimitReader(r.Body, wechat.MaxCallback+1))
		if err != nil {
			return
		}
		cb, err := parser.Parse(w.creds, r.Method, r.URL.Query(), body)
		switch {
		case err != nil:
			w.refused <- err
			rw.WriteHeader(http.StatusForbidden)
			return
		case cb.Event != nil:
			w.events <- cb.Event
		default:
			if _, err := io.WriteString(rw, cb.Echo); err != nil {
				t.Error(err)
			}
			return
		}
		if _, err := io.WriteString(rw, wechat.CallbackSuccess); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(callback.Close)
	cfg := sandbox.Config{
		Clock: w.clock, Seed: 7, PublishDelay: time.Millisecond, CallbackPause: time.Millisecond,
		Accounts: []sandbox.Account{{
			AppID: w.creds.AppID, Secret: w.creds.Secret, Token: w.creds.Token, AESKey: aesKey, Mode: "aes",
			Name: "同心社区", CallbackURL: callback.URL,
		}},
	}
	if change != nil {
		change(&cfg)
	}
	box, err := sandbox.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	w.box = box
	server := httptest.NewServer(box.Handler())
	t.Cleanup(func() {
		server.CloseClientConnections()
		if err := box.Close(); err != nil {
			t.Error(err)
		}
		server.Close()
	})
	w.base = server.URL
	w.client = w.newClient(func(*wechat.Config) {})
	w.acc = w.client.Account(w.creds)
	return w
}

func (w *world) newClient(change func(*wechat.Config)) *wechat.Client {
	w.t.Helper()
	cfg := wechat.Config{Base: w.base, Clock: w.clock}
	change(&cfg)
	c, err := wechat.New(cfg)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(c.Close)
	return c
}

// fault sets the switches to one rule.
func (w *world) fault(rules ...sandbox.Rule) {
	w.t.Helper()
	if err := w.box.SetFaults(sandbox.Faults{Rules: rules, HangMS: 60_000}); err != nil {
		w.t.Fatal(err)
	}
}

// calls counts logged calls of a path.
func (w *world) calls(path string) int {
	n := 0
	for _, c := range w.box.Calls(0, "", 2000) {
		if c.Path == path {
			n++
		}
	}
	return n
}

// draft puts a small draft into the box.
func (w *world) draft(title string) string {
	w.t.Helper()
	cover, err := w.acc.AddMaterial(w.t.Context(), wechat.ImageMaterial, pic(w.t, "jpg", len(title)))
	if err != nil {
		w.t.Fatal(err)
	}
	id, err := w.acc.AddDraft(w.t.Context(), []wechat.Article{{Title: title, Content: "<p>正文：" + title + "</p>", ThumbMediaID: cover.MediaID}})
	if err != nil {
		w.t.Fatal(err)
	}
	return id
}

// event waits for the next pushed event.
func (w *world) event() *wechat.Event {
	w.t.Helper()
	select {
	case e := <-w.events:
		return e
	case err := <-w.refused:
		w.t.Fatalf("callback refused: %v", err)
	case <-time.After(20 * time.Second):
		w.t.Fatal("no event")
	}
	return nil
}

// pic makes a small picture; shade makes contents differ.
func pic(t testing.TB, kind string, shade int) []byte {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, 40, 30))
	for i := range 40 * 30 {
		img.Set(i%40, i/40, color.RGBA{R: uint8(shade), G: uint8(i), B: 90, A: 255})
	}
	var buf bytes.Buffer
	var err error
	if kind == "png" {
		err = png.Encode(&buf, img)
	} else {
		err = jpeg.Encode(&buf, img, nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// clean fails when a text that people or logs see holds a key or an address.
func clean(t *testing.T, w *world, text string) {
	t.Helper()
	for _, bad := range []string{w.creds.Secret, w.creds.AESKey, w.creds.Token, "access_token=", "http://", w.base} {
		if strings.Contains(text, bad) {
			t.Errorf("text %q holds %q", text, bad)
		}
	}
}
