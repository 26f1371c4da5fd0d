package bus_test

import (
	"context"
	"testing"
	"time"

	"tongxin/internal/errs"
	"tongxin/storage/bus"
)

func open(t *testing.T, cfg bus.Config) *bus.Bus {
	t.Helper()
	b, err := bus.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return b
}

func listen(t *testing.T, b *bus.Bus, subject string) (got chan string, cancel func()) {
	t.Helper()
	got = make(chan string, 16)
	cancel, err := b.Subscribe(subject, func(data []byte) { got <- string(data) })
	if err != nil {
		t.Fatal(err)
	}
	return got, cancel
}

func TestOneNode(t *testing.T) {
	start := time.Now()
	b := open(t, bus.Config{Name: "one"})
	if d := time.Since(start); d > time.Second {
		t.Errorf("ready after %v", d)
	}
	if a := b.ClusterAddr(); a != "" {
		t.Errorf("listens on %s", a)
	}
	if err := b.Healthy(); err != nil {
		t.Error(err)
	}
	rooms, _ := listen(t, b, bus.SubjectLive+".*")
	queue, cancel := listen(t, b, bus.SubjectQueue)
	for _, m := range []struct{ subject, data string }{{bus.SubjectQueue, "1"}, {bus.SubjectLive + ".7", "hello"}, {bus.SubjectQueue, "2"}} {
		if err := b.Publish(m.subject, []byte(m.data)); err != nil {
			t.Fatal(err)
		}
	}
	if a, b, c := <-queue, <-queue, <-rooms; a != "1" || b != "2" || c != "hello" {
		t.Errorf("got %q %q %q", a, b, c)
	}
	cancel()
	if err := b.Publish(bus.SubjectQueue, nil); err != nil {
		t.Fatal(err)
	}
	if err := b.Publish(bus.SubjectLive+".8", []byte("later")); err != nil {
		t.Fatal(err)
	}
	if m := <-rooms; m != "later" { // in order: the canceled one would have come before
		t.Errorf("got %q", m)
	}
	if len(queue) != 0 || len(rooms) != 0 {
		t.Error("a hint arrived after cancel, or twice")
	}
}

func TestCluster(t *testing.T) {
	const secret = "a secret of the cluster"
	a := open(t, bus.Config{Name: "a", ClusterListen: "127.0.0.1:0", Secret: secret})
	b := open(t, bus.Config{Name: "b", ClusterListen: "127.0.0.1:0", Secret: secret, Routes: []string{a.ClusterAddr()}})
	got, _ := listen(t, b, bus.SubjectQueue)
	// Interest travels on its own; a hint before that is lost, which is the
	// contract. Publish on a tick until one arrives.
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case m := <-got:
			if m != "across" {
				t.Errorf("got %q", m)
			}
			return
		case <-tick.C:
			if err := a.Publish(bus.SubjectQueue, []byte("across")); err != nil {
				t.Fatal(err)
			}
		case <-t.Context().Done():
			t.Fatal("nothing arrived")
		}
	}
}

func TestPortTaken(t *testing.T) {
	const secret = "a secret of the cluster"
	a := open(t, bus.Config{Name: "a", ClusterListen: "127.0.0.1:0", Secret: secret})
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if _, err := bus.Open(ctx, bus.Config{Name: "b", ClusterListen: a.ClusterAddr(), Secret: secret}); !errs.Is(err, errs.Unavailable) {
		t.Errorf("got %v", err)
	}
}

func TestRefusals(t *testing.T) {
	for name, cfg := range map[string]bus.Config{
		"no secret":   {ClusterListen: "127.0.0.1:0"},
		"bad listen":  {ClusterListen: "here", Secret: "long enough to be used"},
		"bad port":    {ClusterListen: "127.0.0.1:x", Secret: "long enough to be used"},
		"bad route":   {ClusterListen: "127.0.0.1:0", Secret: "long enough to be used", Routes: []string{"there"}},
		"nobody here": {URL: "nats://127.0.0.1:1"},
	} {
		b, err := bus.Open(context.Background(), cfg)
		if err == nil {
			b.Close()
		}
		want := errs.Invalid
		if cfg.URL != "" {
			want = errs.Unavailable
		}
		if !errs.Is(err, want) {
			t.Errorf("%s: %v, want %s", name, err, want)
		}
	}
}
