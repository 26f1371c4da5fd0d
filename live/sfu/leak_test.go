package sfu_test

import (
	"runtime"
	"runtime/debug"
	"sync"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"

	"tongxin/live/sfu"
)

// settle waits until the number of goroutines does not fall any more.
func settle(t testing.TB, want int) int {
	t.Helper()
	n := runtime.NumGoroutine()
	for end := time.Now().Add(10 * time.Second); n > want && time.Now().Before(end); n = runtime.NumGoroutine() {
		time.Sleep(10 * time.Millisecond) // the ends of the library's goroutines can be waited for in no other way
	}
	return n
}

func heap() uint64 {
	debug.FreeOSMemory()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// A thousand viewers come and go, by DELETE and by closing, some without ever
// connecting, and leave nothing behind.
func TestJoinsLeaveNothingBehind(t *testing.T) {
	total := 1000
	if testing.Short() {
		total = 100
	}
	n := start(t, nil)
	p := publish(t, n, "r", webrtc.MimeTypeH264)
	p.send(true)
	api := clientAPI(t, false)
	round := func(count int) {
		gate := make(chan struct{}, 8)
		var wg sync.WaitGroup
		for i := range count {
			gate <- struct{}{}
			wg.Go(func() {
				defer func() { <-gate }()
				visit(t, n, api, i)
			})
		}
		wg.Wait()
	}
	round(50) // what is made once is made now
	goroutines, memory := settle(t, 0), heap()
	round(total)
	if got := settle(t, goroutines); got > goroutines {
		buf := make([]byte, 1<<20)
		t.Fatalf("%d goroutines before, %d after %d visits:\n%s", goroutines, got, total, buf[:runtime.Stack(buf, true)])
	}
	if s := n.Stats(); s.Viewers != 0 || s.Publishers != 1 || s.Rooms != 1 {
		t.Fatalf("%+v", s)
	}
	if got := heap(); got > memory+3<<20 {
		t.Fatalf("%d KB before, %d KB after %d visits", memory>>10, got>>10, total)
	}
}

// visit is one viewer, who connects but for one in ten.
func visit(t *testing.T, n *sfu.Node, api *webrtc.API, i int) {
	pc, err := api.NewPeerConnection(webrtc.Configuration{})
	check(t, err)
	_, err = pc.AddTransceiverFromKind(webrtc.RTPCodecTypeVideo, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly})
	check(t, err)
	connected := connection(pc)
	a, err := n.Watch(t.Context(), "r", "token", offerOf(t, pc))
	check(t, err)
	if i%10 != 0 {
		check(t, pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: a.SDP}))
		select {
		case <-connected:
		case <-time.After(20 * time.Second):
			t.Error("not connected within 20 s")
		}
	}
	if i%2 == 0 {
		check(t, n.Leave("r", a.ID, "token"))
		check(t, pc.Close())
		return
	}
	check(t, pc.Close()) // says close_notify, which may get lost on the way
	_ = n.Leave("r", a.ID, "token")
}
