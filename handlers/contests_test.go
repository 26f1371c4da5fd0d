package handlers_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/fasthttp/websocket"

	"tongxin/handlers"
	"tongxin/internal/authz"
	"tongxin/internal/ids"
	"tongxin/quiz/contest"
	"tongxin/staff"
	"tongxin/storage"
)

func (h *house) contests() *contest.Service {
	svc, err := contest.New(contest.Config{
		Store: storage.NewContests(h.db), Bank: storage.NewQuizBank(h.db), HTML: func(md string) string { return md },
		Org: func(ctx context.Context, id ids.ID) (contest.Org, error) {
			o, err := h.staff.Org(ctx, authz.SystemActor("test"), id)
			if err != nil {
				return contest.Org{}, err
			}
			return contest.Org{ID: o.ID, Name: o.Name, Path: o.Path}, nil
		},
		Clock: h.clock, IDs: h.db.IDs(), Random: rand.Reader, Node: "test", Alone: true, Log: slog.New(slog.DiscardHandler), PerMember: 3,
	})
	check(h.t, err)
	h.live = svc
	return svc
}

// serve listens with the real server, because App.Test has no connections that
// last, and runs the rooms.
func (h *house) serve() string {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	check(h.t, err)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		h.live.Hub().Run(ctx)
	}()
	served := make(chan error, 1)
	go func() { served <- h.kit.Serve(ctx, ln, nil) }()
	h.t.Cleanup(func() {
		cancel()
		<-done
		check(h.t, <-served)
	})
	return ln.Addr().String()
}

// dial opens a WebSocket; status is the answer's when it is refused.
func dial(t *testing.T, addr, ticket, origin string) (conn *websocket.Conn, status int) {
	t.Helper()
	head := http.Header{}
	if origin != "" {
		head.Set("Origin", origin)
	}
	conn, res, err := websocket.DefaultDialer.Dial("ws://"+addr+"/ws/contest?ticket="+ticket, head)
	if err != nil && res == nil {
		t.Fatal(err)
	}
	if err == nil {
		t.Cleanup(func() { conn.Close() }) //nolint:errcheck // some are closed by then
	}
	return conn, res.StatusCode
}

// hear reads until a frame of the type comes.
func hear(t *testing.T, conn *websocket.Conn, kind string) map[string]any {
	t.Helper()
	check(t, conn.SetReadDeadline(time.Now().Add(30*time.Second)))
	for {
		_, b, err := conn.ReadMessage()
		if err != nil {
			t.Fatalf("waiting for %s: %v", kind, err)
		}
		var f map[string]any
		check(t, json.Unmarshal(b, &f))
		if f["type"] == kind {
			return f
		}
	}
}

func TestContestsOverHTTP(t *testing.T) {
	h := build(t, staff.Policy{})
	b := h.as("east-secretary")
	q := h.newQuestion("east-secretary", "east", "支部党员大会一般多久一次？", "active")
	in := map[string]any{"orgId": h.id("east"), "title": "知识竞赛", "mode": "solo", "seconds": 20, "questions": []map[string]any{{"id": q.field("id"), "revision": 1}}}
	b.do("POST", api+"/contests", map[string]any{"orgId": h.id("east"), "title": "没有题目", "mode": "solo", "seconds": 20}).want(t, 422, `"questions"`)
	b.do("POST", api+"/contests", map[string]any{"orgId": h.id("east"), "title": "题不存在", "mode": "solo", "seconds": 20, "questions": []map[string]any{{"id": "77", "revision": 1}}}).want(t, 404)
	made := b.do("POST", api+"/contests", in, "Idempotency-Key", "key-00000001").want(t, 201, `"state":"draft"`, `"questions":1`, "四舍五入").lacks(t, "orgPath", `"code"`)
	id := made.field("id")
	if again := b.do("POST", api+"/contests", in, "Idempotency-Key", "key-00000001").want(t, 201); again.field("id") != id {
		t.Fatal("a repeated call made another contest")
	}
	in["title"] = "改过的竞赛"
	b.do("PUT", api+"/contests/"+id, in).want(t, 428)
	b.do("PUT", api+"/contests/"+id, in, "If-Match", `"1"`).want(t, 200, "改过的竞赛")
	b.do("POST", api+"/contests/"+id+"/start", nil).want(t, 409, "请先开放")
	b.do("POST", api+"/contests/"+id+"/host-ticket", nil).want(t, 409)
	code := b.do("POST", api+"/contests/"+id+"/open", nil).want(t, 200, `"state":"lobby"`).field("code")
	if len(code) != contest.CodeLength || strings.ContainsAny(code, "0O1IL") {
		t.Fatalf("code %q", code)
	}
	b.do("PUT", api+"/contests/"+id, in, "If-Match", `"3"`).want(t, 409)
	b.do("DELETE", api+"/contests/"+id, nil, "If-Match", `"3"`).want(t, 409)
	for _, path := range []string{"", "/results", "/results.xlsx", "/players"} {
		h.as("west-editor").do("GET", api+"/contests/"+id+path, nil).want(t, 404)
	}
	for _, path := range []string{"/open", "/start", "/next", "/skip", "/pause", "/resume", "/lock", "/unlock", "/end", "/host-ticket", "/projector-ticket"} {
		h.as("west-editor").do("POST", api+"/contests/"+id+path, nil).want(t, 404)
	}

	addr := h.serve()
	play := func(n int) *contest.Entrance {
		east := h.orgs["east"]
		member := &authz.Actor{ID: ids.ID(n), Kind: authz.Member, Name: "党员", Grants: []authz.Grant{{OrgID: east.ID, Path: east.Path, Rights: handlers.MemberRights()}}}
		e, err := h.live.JoinByCode(t.Context(), member, code, "")
		check(t, err)
		return e
	}
	for _, origin := range []string{"https://evil.example", "null"} {
		if _, status := dial(t, addr, play(1).Ticket, origin); status != 403 {
			t.Fatalf("origin %s: %d", origin, status)
		}
	}
	if _, status := dial(t, addr, "nobody-ever-made-this-ticket", ""); status != 401 {
		t.Fatalf("a made-up ticket: %d", status)
	}
	res, err := http.Get("http://" + addr + "/ws/contest?ticket=" + play(1).Ticket)
	check(t, err)
	check(t, res.Body.Close())
	if res.StatusCode < 400 {
		t.Fatalf("a plain GET: %d", res.StatusCode)
	}
	screen, _ := dial(t, addr, b.do("POST", api+"/contests/"+id+"/projector-ticket", nil).want(t, 200).field("ticket"), "http://"+addr)
	if f := hear(t, screen, "welcome"); f["code"] != code {
		t.Fatalf("%v", f)
	}
	in1 := play(1)
	a, _ := dial(t, addr, in1.Ticket, "https://servicewechat.com")
	hear(t, a, "welcome")
	if _, status := dial(t, addr, in1.Ticket, ""); status != 401 {
		t.Fatalf("a used ticket: %d", status)
	}
	b.do("POST", api+"/contests/"+id+"/start", map[string]any{"seen": 0}).want(t, 200, `"state":"running"`, `"n":1`)
	hear(t, a, "question")
	check(t, a.WriteMessage(websocket.TextMessage, []byte(`{"type":"answer","n":1,"answer":{"choice":[0]}}`)))
	hear(t, a, "ack")
	b.do("POST", api+"/contests/"+id+"/next", map[string]any{"seen": 0}).want(t, 412)
	b.do("POST", api+"/contests/"+id+"/next", nil).want(t, 409, "还在作答")
	long, _ := dial(t, addr, play(2).Ticket, "")
	hear(t, long, "question")
	check(t, long.WriteMessage(websocket.TextMessage, []byte(`{"type":"ping","x":"`+strings.Repeat("x", contest.MaxFrame)+`"}`)))
	check(t, long.SetReadDeadline(time.Now().Add(30*time.Second)))
	for {
		if _, _, err = long.ReadMessage(); err != nil {
			break
		}
	}
	var closed *websocket.CloseError
	if !errors.As(err, &closed) || closed.Code != websocket.CloseMessageTooBig {
		t.Fatalf("a long frame: %v", err)
	}
	b.do("GET", api+"/contests/"+id+"/players", nil).want(t, 200, `"id":"1"`, `"id":"2"`)
	b.do("POST", api+"/contests/"+id+"/remove", map[string]any{"playerId": "2"}).want(t, 200)
	b.do("POST", api+"/contests/"+id+"/remove", map[string]any{"playerId": "2"}).want(t, 404)
	b.do("POST", api+"/contests/"+id+"/end", nil).want(t, 200, `"state":"finished"`).lacks(t, `"code":"`+code)
	hear(t, a, "finished")
	b.do("GET", api+"/contests/"+id+"/results", nil).want(t, 200, `"rank":1`, `"teams":[]`)
	sheet := b.do("GET", api+"/contests/"+id+"/results.xlsx", nil).want(t, 200)
	if !strings.HasPrefix(sheet.body, "PK") {
		t.Fatal("no spreadsheet")
	}
	b.do("GET", api+"/contests?state=finished", nil).want(t, 200, id)
	h.as("root-auditor").do("GET", api+"/audit?action=contest.", nil).want(t, 200, "contest.create", "contest.open", "contest.start", "contest.remove", "contest.end", "contest.view")
	if strings.Contains(h.log.String(), in1.Ticket) {
		t.Error("a ticket is in the log")
	}
}
