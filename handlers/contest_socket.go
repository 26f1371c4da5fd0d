package handlers

import (
	"bytes"
	"errors"
	"strings"
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

// socket is one WebSocket as the contest domain wants it.
type socket struct{ conn *websocket.Conn }

func newSocket(conn *websocket.Conn) *socket {
	s := &socket{conn}
	conn.SetReadLimit(contest.MaxFrame)
	s.heard()
	conn.SetPongHandler(func(string) error { s.heard(); return nil })
	return s
}

func (s *socket) heard() {
	_ = s.conn.SetReadDeadline(time.Now().Add(socketSilent)) // fails on a closed connection only: Read tells
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

// Write implements contest.Socket.
func (s *socket) Write(frame []byte) error {
	if err := s.conn.SetWriteDeadline(time.Now().Add(socketWrite)); err != nil {
		return err
	}
	return s.conn.WriteMessage(websocket.TextMessage, frame)
}

// Ping implements contest.Socket.
func (s *socket) Ping() error {
	return s.conn.WriteControl(websocket.PingMessage, nil, time.Now().Add(socketWrite))
}

// Close implements contest.Socket.
func (s *socket) Close(code int, reason string) {
	_ = s.conn.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, reason), time.Now().Add(time.Second)) // the peer may be gone
	_ = s.conn.Close()
}
