package sandbox_test

import (
	"net"
	"testing"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/adaptor"

	"tongxin/wechat"
	"tongxin/wechat/sandbox"
)

// The sandbox also lives inside the program's Fiber app, whose adaptor reuses
// request memory and hands over connections in its own way.
func TestUnderFiber(t *testing.T) {
	creds := wechat.Credentials{AppID: "wx0000000000000001", Secret: "secret"}
	box, err := sandbox.New(sandbox.Config{Accounts: []sandbox.Account{{AppID: creds.AppID, Secret: creds.Secret}}})
	if err != nil {
		t.Fatal(err)
	}
	app := fiber.New(fiber.Config{Immutable: true, DisableStartupMessage: true})
	app.All("/*", adaptor.HTTPHandler(box.Handler()))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error)
	go func() { served <- app.Listener(l) }()
	client, err := wechat.New(wechat.Config{Base: "http://" + l.Addr().String()})
	if err != nil {
		t.Fatal(err)
	}
	acc := client.Account(creds)
	if h := acc.CheckHealth(t.Context()); !h.OK() {
		t.Errorf("%+v", h)
	}
	for _, kind := range []string{sandbox.CloseAfter, sandbox.HangAfter, sandbox.GatewayAfter} {
		if err := box.SetFaults(sandbox.Faults{HangMS: 1, Rules: []sandbox.Rule{{Path: "/cgi-bin/freepublish/batchget", Kind: kind, Next: 1}}}); err != nil {
			t.Fatal(err)
		}
		if _, err := acc.ListPublished(t.Context(), 0, 1, true); err == nil {
			t.Errorf("%s: no error", kind)
		}
		if _, err := acc.ListPublished(t.Context(), 0, 1, true); err != nil {
			t.Errorf("after %s: %v", kind, err)
		}
	}
	seen := map[string]bool{}
	for _, c := range box.Calls(0, "", 100) {
		seen[c.Path] = true
	}
	if !seen["/cgi-bin/stable_token"] || !seen["/cgi-bin/freepublish/batchget"] {
		t.Errorf("paths of the log were overwritten: %v", seen)
	}
	client.Close()
	if err := app.Shutdown(); err != nil {
		t.Error(err)
	}
	if err := <-served; err != nil {
		t.Error(err)
	}
	if err := box.Close(); err != nil {
		t.Error(err)
	}
}
