package main

import (
	"net/http"
	"strings"
	"testing"
)

// The command's token opens the room it names, and no other, on a server that
// runs with the same secret.
func TestLiveToken(t *testing.T) {
	p := newPlace(t)
	tongxin(t, p.env, "live").want(t, 1, "live token -room")
	tongxin(t, p.env, "live", "token", "-room", "a/b").want(t, 1, "-room must be")
	tongxin(t, p.env, "live", "token", "-room", "hall", "-life", "1s").want(t, 1, "-life")
	tongxin(t, p.without("SECRET_KEY"), "live", "token", "-room", "hall").want(t, 1, "SECRET_KEY")
	lines := strings.Fields(tongxin(t, p.env, "live", "token", "-room", "hall", "-publish").want(t, 0).out)
	watch := strings.Fields(tongxin(t, p.env, "live", "token", "-room", "hall").want(t, 0).out)
	if len(lines) != 2 || lines[0] != p.url+"/whip/hall" || len(watch) != 2 || watch[0] != p.url+"/whep/hall" {
		t.Fatal(lines, watch)
	}
	r := p.start(t, "serve")
	for _, c := range []struct {
		path, token string
		status      int
	}{
		{"/whip/hall", lines[1], 422}, // it is let in, and its offer is none
		{"/whep/hall", lines[1], 422},
		{"/whep/hall", watch[1], 422},
		{"/whip/hall", watch[1], 401},
		{"/whip/other", lines[1], 401},
		{"/whip/hall", "x", 401},
	} {
		if got := postSDP(t, r.url+c.path, c.token); got != c.status {
			t.Errorf("%s: %d, want %d", c.path, got, c.status)
		}
	}
	if text := r.log.String(); strings.Contains(text, lines[1]) {
		t.Error("the log holds a token:", text)
	}
}

func postSDP(t *testing.T, url, token string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader("hello"))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/sdp")
	req.Header.Set("Authorization", "Bearer "+token)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if err := res.Body.Close(); err != nil {
		t.Fatal(err)
	}
	return res.StatusCode
}
