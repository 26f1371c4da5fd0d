package contest

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"tongxin/internal/clock"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
)

// Socket is one WebSocket. Read and the others are called from one goroutine
// each. Read fails once Close was called or the peer was silent for too long.
// Write sends some text frames at once and keeps none of them.
type Socket interface {
	Read() ([]byte, error)
	Write(frames [][]byte) error
	Ping() error
	Close(code int, reason string)
}

// Close codes (RFC 6455 §7.4; 4000 to 4999 are ours).
const (
	CloseNormal  = 1000
	CloseRestart = 1012 // the server goes; connect again
	CloseRemoved = 4001 // by the host; do not come back
	CloseSlow    = 4008 // fell behind; connect again
	CloseFlood   = 4009 // sent too much; connect again later
)

const (
	pingEvery  = 25 * time.Second
	frameBurst = 20
	framesPerS = 5
	floodLimit = 50 // refused frames until a client is cut off
)

// client is one connection on this node.
type client struct {
	id     string
	role   Role
	holder ids.ID
	player *Player // RolePlayer
	out    *outlet
	sock   Socket
	desk   *desk
	// welcomed is guarded by the desk's lock: before its welcome a client gets nothing.
	welcomed bool
	asked    time.Time // when its seat was last asked for; the desk's lock
	leaving  chan int  // 1 place: close with this code
}

func (c *client) seat() seat { return seat{Conn: c.id, Role: c.role, Player: c.player} }

// send gives a frame to the writing loop, or cuts the client off.
func (c *client) send(t topic, frame []byte, last bool) {
	c.out.put(queued{t, frame, last})
}

func (c *client) leave(code int) {
	select {
	case c.leaving <- code:
	default:
	}
}

// write is the writing loop: it ends when the connection fails or shall end.
func (c *client) write(done <-chan struct{}) {
	ping := time.NewTicker(pingEvery)
	defer ping.Stop()
	var buf []queued
	var frames [][]byte
	for {
		select {
		case <-done:
			code := CloseNormal
			select {
			case code = <-c.leaving: // why the reading ended
			default:
			}
			c.sock.Close(code, "")
			return
		case code := <-c.leaving:
			c.sock.Close(code, "")
			return
		case <-ping.C:
			if c.sock.Ping() != nil {
				c.sock.Close(CloseNormal, "")
				return
			}
		case <-c.out.wake:
			var slow bool
			if buf, slow = c.out.take(buf); slow {
				c.sock.Close(CloseSlow, "slow")
				return
			}
			frames, last := batchOf(frames[:0], buf)
			if len(frames) > 0 && c.sock.Write(frames) != nil {
				c.sock.Close(CloseNormal, "")
				return
			}
			if last {
				c.sock.Close(CloseRemoved, "")
				return
			}
			clear(buf)
			clear(frames)
		}
	}
}

// batchOf are the frames up to one after which the client has to go.
func batchOf(frames [][]byte, queue []queued) (out [][]byte, last bool) {
	for _, q := range queue {
		frames = append(frames, q.frame)
		if q.last {
			return frames, true
		}
	}
	return frames, false
}

// read is the reading loop.
func (c *client) read(ctx context.Context, clk clock.Clock, log *slog.Logger) {
	tokens, at, refused := float64(frameBurst), clk.Now(), 0
	for ctx.Err() == nil {
		b, err := c.sock.Read()
		if err != nil {
			return
		}
		now := clk.Now()
		tokens, at = min(frameBurst, tokens+max(0, now.Sub(at).Seconds())*framesPerS), now
		if tokens < 1 {
			if refused++; refused > floodLimit {
				c.leave(CloseFlood)
				return
			}
			c.send(topicNoise, encode(refusedFrame{Type: "refused", Code: "slow", Msg: "操作过于频繁，请稍候。"}), false)
			continue
		}
		tokens--
		c.take(ctx, b, now, log)
	}
}

func (c *client) refuse(n int, r *Refusal) {
	c.send(topicAck, encode(refusedFrame{Type: "refused", N: n, Code: r.Code, Msg: r.Msg}), false)
}

// take handles one frame that arrived at now.
func (c *client) take(ctx context.Context, b []byte, now time.Time, log *slog.Logger) {
	defer func() { // a panic here would end the process: it is a goroutine of the server's
		if p := recover(); p != nil {
			log.Error("contest: panic over a frame", "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
		}
	}()
	f, r := DecodeFrame(b)
	if r != nil {
		c.refuse(0, r)
		return
	}
	switch f.Type {
	case "ping":
		c.send(topicPong, encode(pongFrame{"pong", now}), false)
	case "hello":
		c.desk.attach(ctx, c)
	case "answer":
		if c.role != RolePlayer {
			c.refuse(f.N, refuse("stranger", "这个连接只能观看。"))
			return
		}
		raw, err := json.Marshal(f.Answer)
		if err != nil {
			c.refuse(f.N, refuse("invalid", "答案格式不正确，请重新作答。"))
			return
		}
		err = c.desk.tell(ctx, note{Node: c.desk.hub.cfg.Node, Answer: &handed{Conn: c.id, Player: c.holder, N: f.N, Answer: raw}, at: now})
		if err != nil && !errs.Is(err, errs.Unavailable) {
			log.Warn("contest: an answer did not reach the room", "err", err)
		}
	}
}
