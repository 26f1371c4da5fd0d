package main

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/fasthttp/websocket"

	"tongxin/internal/ids"
)

// gamer is one player of load contest. It reads frames by their text, because a
// load generator that decodes costs more than the server it measures.
type gamer struct {
	a       *arena
	id      ids.ID
	tickets [2]string
	over    chan struct{} // closed at the end of the contest

	mu      sync.Mutex
	conn    *websocket.Conn
	reading chan struct{} // closed when the reading loop of conn has ended
	sent    map[int]time.Time
	acked   map[int]time.Time // receipt by question
	choice  map[int]int
	closed  map[int]time.Time // end of the question by the server's clock
	boards  map[int]bool
	refused int
	score   int
}

func newGamer(a *arena, id ids.ID) *gamer {
	return &gamer{
		a: a, id: id, over: make(chan struct{}), sent: map[int]time.Time{}, acked: map[int]time.Time{}, choice: map[int]int{},
		closed: map[int]time.Time{}, boards: map[int]bool{},
	}
}

// connect dials and waits for the welcome.
func (g *gamer) connect(url, ticket string) error {
	d := websocket.Dialer{HandshakeTimeout: 30 * time.Second, ReadBufferSize: 1024, WriteBufferSize: 256}
	conn, res, err := d.Dial(strings.Replace(url, "http", "ws", 1)+"/ws/contest?ticket="+ticket, http.Header{"Origin": {url}})
	if err != nil {
		if res != nil {
			err = fmt.Errorf("%d: %w", res.StatusCode, err)
		}
		return err
	}
	first, done := make(chan struct{}), make(chan struct{})
	g.mu.Lock()
	g.conn, g.reading = conn, done
	g.mu.Unlock()
	go func() {
		defer close(done)
		g.read(conn, first)
	}()
	select {
	case <-first:
		return nil
	case <-done:
		return errors.New("the connection ended before its welcome")
	case <-time.After(30 * time.Second):
		return errors.New("no welcome")
	}
}

// ended waits for the reading loop of a connection that broke.
func (g *gamer) ended() {
	g.mu.Lock()
	conn, reading := g.conn, g.reading
	g.mu.Unlock()
	_ = conn.Close()
	<-reading
}

func (g *gamer) read(conn *websocket.Conn, first chan struct{}) {
	defer conn.Close() //nolint:errcheck // it broke already
	for {
		_, b, err := conn.ReadMessage()
		if err != nil {
			return
		}
		now := time.Now()
		kind := text(b, `"type":"`)
		if kind == "welcome" && first != nil {
			close(first)
			first = nil
		}
		g.take(kind, b, now)
	}
}

func (g *gamer) take(kind string, b []byte, now time.Time) {
	n := number(b, `"n":`)
	switch kind {
	case "question":
		g.question(n, b, now)
	case "ack":
		g.mu.Lock()
		_, known := g.acked[n]
		g.acked[n] = moment(b, `"receivedAt":"`)
		took := now.Sub(g.sent[n])
		g.mu.Unlock()
		if !known {
			g.a.note(n, func(r *arenaRound) { r.acks = append(r.acks, took) })
		}
	case "refused":
		g.mu.Lock()
		g.refused++
		g.mu.Unlock()
	case "board":
		g.mu.Lock()
		again, end := g.boards[n], g.closed[n]
		g.boards[n] = true
		g.mu.Unlock()
		if !again {
			g.a.note(n, func(r *arenaRound) {
				r.board = append(r.board, now.Sub(end))
				if r.boards++; r.boards == len(g.a.players) {
					close(r.done)
				}
			})
		}
	case "finished":
		at := bytes.LastIndex(b, []byte(`"me":`))
		if at >= 0 {
			g.score = number(b[at:], `"score":`)
		}
		close(g.over)
	}
}

// question plans the answer, or sends it again when it was not acknowledged.
func (g *gamer) question(n int, b []byte, now time.Time) {
	g.mu.Lock()
	_, again := g.sent[n]
	_, done := g.acked[n]
	_, seen := g.closed[n]
	g.closed[n] = moment(b, `"endsAt":"`)
	left := g.closed[n].Sub(now)
	g.mu.Unlock()
	if !seen {
		reach := now.Sub(moment(b, `"now":"`))
		g.a.note(n, func(r *arenaRound) { r.reach = append(r.reach, reach) })
	}
	if done {
		return
	}
	wait, yes := g.a.answer()
	if seen { // it came back: answer within what is left
		wait = time.Duration(rand.Float64() * float64(left) * 0.8)
	}
	if yes || again {
		time.AfterFunc(wait, func() { g.send(n) })
	}
}

func (g *gamer) send(n int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if _, done := g.acked[n]; done {
		return
	}
	if _, again := g.choice[n]; !again {
		g.choice[n] = rand.IntN(4)
	}
	g.sent[n] = time.Now()
	_ = g.conn.WriteMessage(websocket.TextMessage, fmt.Appendf(nil, `{"type":"answer","n":%d,"answer":{"choice":[%d]}}`, n, g.choice[n])) // on a broken connection it is sent again later
}

func (a *arena) note(n int, fn func(*arenaRound)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if r := a.rounds[n]; r != nil {
		fn(r)
	}
}

// text reads the characters after key up to the next quote.
func text(b []byte, key string) string {
	at := bytes.Index(b, []byte(key))
	if at < 0 {
		return ""
	}
	b = b[at+len(key):]
	return string(b[:max(0, bytes.IndexByte(b, '"'))])
}

func number(b []byte, key string) int {
	at := bytes.Index(b, []byte(key))
	n := 0
	for i := at + len(key); at >= 0 && i < len(b) && b[i] >= '0' && b[i] <= '9'; i++ {
		n = n*10 + int(b[i]-'0')
	}
	return n
}

func moment(b []byte, key string) time.Time {
	t, _ := time.Parse(time.RFC3339, text(b, key)) // the zero time shows as an absurd figure
	return t
}
