package sfu_test

import (
	"testing"

	"github.com/pion/webrtc/v4"
)

// Who is connected is listed with the token of its coming; ending it by id needs
// no token and tells the peer.
func TestPresentAndEnd(t *testing.T) {
	n := start(t, nil)
	if got := n.Present(); len(got) != 0 {
		t.Fatal(got)
	}
	p := publish(t, n, "r", webrtc.MimeTypeH264)
	w := watch(t, n, "r", clientAPI(t, false))
	p.send(true)
	w.frames(t, 1) // media flow, so both count
	got := n.Present()
	if len(got) != 2 || got[0].Room != "r" || got[0].Token != "token" || got[0].ID == got[1].ID || got[0].ID != w.id && got[1].ID != w.id {
		t.Fatalf("%+v", got)
	}
	n.End([]string{w.id, "unknown"})
	within(t, "the viewer hears of the end", w.closed)
	if got := n.Present(); len(got) != 1 || got[0].ID == w.id {
		t.Fatalf("%+v", got)
	}
}
