package handlers

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/fasthttp/websocket"
	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"tongxin/internal/call"
	"tongxin/internal/errs"
	"tongxin/quiz/contest"
)

const (
	socketBuffer = 1 << 10          // bytes for reading and for writing, of each connection
	socketSilent = 60 * time.Second // without any frame, also no pong: the peer is gone
	socketWrite  = 10 * time.Second // for one frame
	// miniOrigin is what mini-programs send as Origin on some phones; others send
	// none. It is allowed because the ticket, not a cookie, says who connects.
	miniOrigin = "https://servicewechat.com"
)

// socket lets a ticket's holder in.
func (h *contests) socket(c *fiber.Ctx) error {
	if !websocket.FastHTTPIsWebSocketUpgrade(c.Context()) {
		return errs.New(errs.Precondition, "请使用 WebSocket 连接。")
	}
	if !h.ownOrigin(c) {
		return errs.New(errs.Forbidden, "请求来源不正确，请在本系统的页面中操作，并刷新后重试。")
	}
	ctx := c.UserContext()
	in, err := h.svc.Hub().Admit(ctx, c.Query("ticket"), call.From(ctx).Addr)
	if err != nil {
		return err
	}
	up := websocket.FastHTTPUpgrader{
		ReadBufferSize: socketBuffer, WriteBufferSize: socketBuffer, HandshakeTimeout: socketWrite,
		CheckOrigin: func(*fasthttp.RequestCtx) bool { return true }, // looked at above
	}
	if err := up.Upgrade(c.Context(), func(conn *websocket.Conn) { in.Serve(newSocket(conn)) }); err != nil {
		in.Close()
		return errs.Wrap(err, errs.Invalid, "连接请求不正确。")
	}
	return nil
}

func (h *contests) ownOrigin(c *fiber.Ctx) bool {
	origin := strings.ToLower(c.Get(fiber.HeaderOrigin))
	host := string(bytes.ToLower(c.Request().Header.Host()))
	return origin == "" || origin == miniOrigin || origin == h.publicURL || origin == "http://"+host || origin == "https://"+host
}

// socket is one WebSocket as the contest domain wants it. Frames that wait
// together leave in one write: at the end of a question everybody gets three at
// once, and system calls are most of what they cost. The library frames one
// message a write, so text frames are framed here (RFC 6455 §5.2: final, not
// masked, not packed); reading and control frames stay the library's.
type socket struct {
	conn *websocket.Conn
	mu   sync.Mutex // of writing: the reading loop answers pings and closes
	buf  []byte
}

func newSocket(conn *websocket.Conn) *socket {
	s := &socket{conn: conn}
	conn.SetReadLimit(contest.MaxFrame)
	s.heard()
	conn.SetPongHandler(func(string) error { s.heard(); return nil })
	conn.SetPingHandler(func(data string) error { s.heard(); return s.control(websocket.PongMessage, []byte(data)) })
	conn.SetCloseHandler(func(code int, _ string) error {
		return s.control(websocket.CloseMessage, websocket.FormatCloseMessage(code, ""))
	})
	return s
}

func (s *socket) heard() {
	_ = s.conn.SetReadDeadline(time.Now().Add(socketSilent)) // fails on a closed connection only: Read tells
}

func (s *socket) control(kind int, data []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.conn.WriteControl(kind, data, time.Now().Add(socketWrite))
}

// Read implements contest.Socket.
func (s *socket) Read() ([]byte, error) {
	kind, b, err := s.conn.ReadMessage()
	if err != nil {
		return nil, err
	}
	if kind != websocket.TextMessage {
		return nil, errors.New("not a text frame")
	}
	s.heard()
	return b, nil
}

// keptBuffer is the largest write buffer that a connection keeps.
const keptBuffer = 4 << 10

// Write implements contest.Socket.
func (s *socket) Write(frames [][]byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.buf[:0]
	for _, f := range frames {
		b = append(frameHead(b, len(f)), f...)
	}
	if s.buf = b; cap(b) > keptBuffer {
		s.buf = nil
	}
	raw := s.conn.NetConn()
	if err := raw.SetWriteDeadline(time.Now().Add(socketWrite)); err != nil {
		return err
	}
	_, err := raw.Write(b)
	return err
}

// frameHead begins a text frame of n bytes.
func frameHead(b []byte, n int) []byte {
	const finalText = 0x80 | websocket.TextMessage
	switch {
	case n < 126:
		return append(b, finalText, byte(n))
	case n < 1<<16:
		return binary.BigEndian.AppendUint16(append(b, finalText, 126), uint16(n))
	}
	return binary.BigEndian.AppendUint64(append(b, finalText, 127), uint64(n))
}

// Ping implements contest.Socket.
func (s *socket) Ping() error { return s.control(websocket.PingMessage, nil) }

// Close implements contest.Socket.
func (s *socket) Close(code int, reason string) {
	_ = s.control(websocket.CloseMessage, websocket.FormatCloseMessage(code, reason)) // the peer may be gone
	_ = s.conn.Close()
}
