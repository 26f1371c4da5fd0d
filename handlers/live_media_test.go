package handlers_test

import (
	"context"
	"io"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/pion/webrtc/v4"

	"tongxin/internal/errs"
	"tongxin/live/sfu"
	"tongxin/staff"
)

// admitLive lets "p" publish into "room" and "w" watch it.
func admitLive(_ context.Context, room, bearer string, publish bool) error {
	if room == "room" && (bearer == "p" || bearer == "w" && !publish) {
		return nil
	}
	return errs.New(errs.Unauthorized, "令牌无效。")
}

type reply struct {
	status int
	head   func(string) string
	body   string
}

func (h *house) media(method, path, token, mime, match, body string) reply {
	h.t.Helper()
	req := httptest.NewRequest(method, path, strings.NewReader(body))
	req.Header.Set("Origin", "https://elsewhere.example")
	for k, v := range map[string]string{"Authorization": "Bearer " + token, "Content-Type": mime, "If-Match": match} {
		if v != "" && v != "Bearer " {
			req.Header.Set(k, v)
		}
	}
	res, err := h.kit.App().Test(req, -1)
	check(h.t, err)
	b, err := io.ReadAll(res.Body)
	check(h.t, err)
	check(h.t, res.Body.Close())
	if res.StatusCode != 413 && res.Header.Get("Access-Control-Allow-Origin") != "*" { // what is too long is refused before anybody looks at it
		h.t.Errorf("%s %s: pages of other sites cannot read the answer of %d", method, path, res.StatusCode)
	}
	return reply{res.StatusCode, res.Header.Get, string(b)}
}

func offer(t *testing.T, sends bool) (*webrtc.PeerConnection, string) {
	pc, err := webrtc.NewPeerConnection(webrtc.Configuration{})
	check(t, err)
	t.Cleanup(func() { check(t, pc.Close()) })
	d := webrtc.RTPTransceiverDirectionRecvonly
	if sends {
		d = webrtc.RTPTransceiverDirectionSendonly
	}
	for _, kind := range []webrtc.RTPCodecType{webrtc.RTPCodecTypeAudio, webrtc.RTPCodecTypeVideo} {
		_, err = pc.AddTransceiverFromKind(kind, webrtc.RTPTransceiverInit{Direction: d})
		check(t, err)
	}
	o, err := pc.CreateOffer(nil)
	check(t, err)
	check(t, pc.SetLocalDescription(o))
	return pc, o.SDP
}

func TestWHIPAndWHEP(t *testing.T) {
	h := build(t, staff.Policy{})
	const mime, frag = "application/sdp", "application/trickle-ice-sdpfrag"
	_, sends := offer(t, true)
	if r := h.media("POST", "/whip/room", "p", mime, "", sends); r.status != 503 {
		t.Fatalf("a node that does not run: %d %s", r.status, r.body)
	}
	check(t, h.node.Start())
	t.Cleanup(func() { check(t, h.node.Close()) })
	pc, watches := offer(t, false)
	for _, c := range []struct {
		path, token, mime, body string
		status                  int
	}{
		{"/whip/room", "", mime, sends, 401},
		{"/whip/room", "w", mime, sends, 401},
		{"/whip/other", "p", mime, sends, 401},
		{"/whip/ro.om", "p", mime, sends, 404},
		{"/whip/room", "p", "text/plain", sends, 415},
		{"/whip/room", "p", mime, "v=0", 422},
		{"/whip/room", "p", mime, "hello", 422},
		{"/whep/room", "w", mime, "v=0\r\n" + strings.Repeat("m=audio 9 RTP/AVP 0\r\n", 40), 422},
		{"/whep/room", "w", mime, "v=0\r\n" + strings.Repeat("a", sfu.MaxSDP), 413},
		{"/whep/room", "w", mime, strings.ReplaceAll(watches, "a=fingerprint:sha-256", "a=nothing"), 422},
		{"/whep/room", "w", mime, strings.ReplaceAll(watches, "recvonly", "sendonly"), 422},
	} {
		r := h.media("POST", c.path, c.token, c.mime, "", c.body)
		if r.status != c.status || !strings.HasPrefix(r.head("Content-Type"), "application/problem+json") {
			t.Errorf("POST %s by %q with %.20q: %d %s", c.path, c.token, c.body, r.status, r.body)
		}
		if (r.status == 401) != (r.head("WWW-Authenticate") == "Bearer") || r.head("Location") != "" {
			t.Errorf("POST %s by %q: headers of %d", c.path, c.token, r.status)
		}
	}
	if s := h.node.Stats(); s.Viewers+s.Publishers+s.Rooms != 0 {
		t.Fatalf("refused, and yet there: %+v", s)
	}
	for path, who := range map[string]string{"/whip/room": "p", "/whep/room": "w"} {
		body := watches
		if who == "p" {
			body = sends
		}
		made := h.media("POST", path, who, mime, "", body)
		at, tag := made.head("Location"), made.head("ETag")
		if made.status != 201 || made.head("Content-Type") != mime || !strings.HasPrefix(at, path+"/") || len(tag) < 10 || tag[0] != '"' {
			t.Fatalf("%s: %d %s %s %s", path, made.status, at, tag, made.body)
		}
		for _, want := range []string{"a=ice-lite", "a=setup:passive", "a=candidate:", "a=group:BUNDLE 0 1", "H264/90000", "opus/48000"} {
			if !strings.Contains(made.body, want) {
				t.Errorf("%s: the answer lacks %s:\n%s", path, want, made.body)
			}
		}
		if who == "w" {
			check(t, pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: made.body}))
		}
		trickle := "a=ice-ufrag:abcd\r\na=ice-pwd:aaaaaaaaaaaaaaaaaaaaaa\r\nm=audio 9 RTP/AVP 0\r\na=mid:0\r\na=candidate:1 1 udp 1 192.0.2.1 9 typ host\r\n"
		for _, c := range []struct {
			token, mime, match, body string
			status                   int
		}{
			{who, frag, tag, trickle, 204},
			{who, frag, "", trickle, 428},
			{who, frag, `"another"`, trickle, 412},
			{who, mime, tag, trickle, 415},
			{who, frag, tag, "nothing", 422},
			{"x", frag, tag, trickle, 404},
			{"", frag, tag, trickle, 401},
		} {
			if r := h.media("PATCH", at, c.token, c.mime, c.match, c.body); r.status != c.status {
				t.Errorf("PATCH by %q if %s with %.10q: %d %s", c.token, c.match, c.body, r.status, r.body)
			}
		}
		again := h.media("PATCH", at, who, frag, "*", "a=ice-ufrag:new1\r\na=ice-pwd:bbbbbbbbbbbbbbbbbbbbbbbb\r\n")
		if again.status != 200 || again.head("ETag") == tag || again.head("Content-Type") != frag || !strings.Contains(again.body, "a=ice-ufrag:") || strings.Contains(made.body, again.body[strings.Index(again.body, "a=ice-ufrag:"):][:20]) {
			t.Errorf("%s: restart of ICE: %d %s\n%s", path, again.status, again.head("ETag"), again.body)
		}
		if r := h.media("PATCH", at, who, frag, tag, trickle); r.status != 412 {
			t.Errorf("the old ETag after a restart: %d", r.status)
		}
		if r := h.media("DELETE", at, "x", "", "", ""); r.status != 404 {
			t.Errorf("DELETE by another: %d", r.status)
		}
		if r := h.media("DELETE", at, who, "", "", ""); r.status != 200 {
			t.Errorf("DELETE: %d %s", r.status, r.body)
		}
		if r := h.media("DELETE", at, who, "", "", ""); r.status != 404 {
			t.Errorf("DELETE a second time: %d", r.status)
		}
		if r := h.media("OPTIONS", path, "", "", "", ""); r.status != 204 || !strings.Contains(r.head("Access-Control-Allow-Headers"), "Authorization") || r.head("Accept-Post") != mime {
			t.Errorf("OPTIONS %s: %d", path, r.status)
		}
	}
	if s := h.node.Stats(); s.Viewers+s.Publishers+s.Rooms != 0 {
		t.Fatalf("all have left: %+v", s)
	}
}
