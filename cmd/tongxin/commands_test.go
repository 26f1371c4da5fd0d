package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestUsage(t *testing.T) {
	for _, args := range [][]string{nil, {"publsh"}} {
		o := tongxin(t, nil, args...).want(t, 2, "Usage: tongxin <command>")
		if o.out != "" {
			t.Errorf("usage belongs on standard error, not: %s", o.out)
		}
		for _, cmd := range commands() {
			if !strings.Contains(o.err, "  "+cmd.name) {
				t.Errorf("the usage lacks %s", cmd.name)
			}
		}
	}
	tongxin(t, nil, "publsh").want(t, 2, `there is no command "publsh"`)
	tongxin(t, nil, "serve", "-h").want(t, 0, "-sandbox")
	tongxin(t, nil, "backup", "-frm", "x").want(t, 1, "-frm")
	if o := tongxin(t, nil, "version").want(t, 0); o.out != "tongxin "+version+"\n" {
		t.Errorf("version: %q", o.out)
	}
}

func TestMigrateTwice(t *testing.T) {
	p := newPlace(t)
	first := tongxin(t, p.env, "migrate").want(t, 0, "database is at version")
	if again := tongxin(t, p.env, "migrate").want(t, 0); again.out != first.out {
		t.Errorf("the second migration says %q, the first %q", again.out, first.out)
	}
	tongxin(t, p.without("SECRET_KEY"), "migrate").want(t, 1, "TONGXIN_SECRET_KEY is not set")
}

func TestFirstAdministrator(t *testing.T) {
	p := newPlace(t)
	tongxin(t, p.env, "admin").want(t, 1, "give -org and -name")
	tongxin(t, p.without("SECRET_KEY"), "admin", "-org", "城关街道党工委", "-name", "李建国").want(t, 1, "TONGXIN_SECRET_KEY")
	o := tongxin(t, p.env, "admin", "-org", "城关街道党工委", "-name", "李建国").want(t, 0, p.url+"/console/#/invite?token=")
	token := strings.TrimSpace(o.out[strings.Index(o.out, "token=")+len("token="):])

	again := tongxin(t, p.env, "admin", "-org", "另一个党委", "-name", "王二").want(t, 1, "there is an organisation already")
	again.lacks(t, "token=")

	r := p.start(t, "serve")
	b := &browser{t: t, url: r.url}
	b.call("POST", "/session", map[string]string{"login": "admin", "password": "admin"}).want(401)
	b.call("POST", "/invitations/accept", map[string]string{"token": token, "password": "short"}).want(422)
	in := b.call("POST", "/invitations/accept", map[string]string{"token": token, "password": "海内存知己 天涯若比邻"}).want(200)
	if in.at("me", "mustEnrol") != true {
		t.Errorf("an administrator without a second factor must bind one first: %s", in.body)
	}
	b.keep(in)
	b.call("GET", "/orgs", nil).want(403)
	b.call("POST", "/invitations/accept", map[string]string{"token": token, "password": "海内存知己 天涯若比邻"}).want(401, "已用过")
	for name, text := range map[string]string{"answer": in.body, "log": r.log.String()} {
		if strings.Contains(text, token) || strings.Contains(text, testSecret) {
			t.Errorf("the %s holds a secret: %s", name, text)
		}
	}
}

func TestOpenAPIDocuments(t *testing.T) {
	tongxin(t, nil, "openapi").want(t, 1, "say which surface")
	tongxin(t, nil, "openapi", "visitor").want(t, 1, "say which surface")
	for surface, least := range map[string]int{"staff": 90, "member": 1} {
		o := tongxin(t, nil, "openapi", surface).want(t, 0)
		if o.err != "" {
			t.Errorf("%s: %s", surface, o.err)
		}
		var doc struct {
			OpenAPI string                                `json:"openapi"`
			Paths   map[string]map[string]json.RawMessage `json:"paths"`
		}
		if err := json.Unmarshal([]byte(o.out), &doc); err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(doc.OpenAPI, "3.1") {
			t.Errorf("%s: OpenAPI %q, want 3.1", surface, doc.OpenAPI)
		}
		checkOperations(t, surface, doc.Paths, least)
	}
}

func checkOperations(t *testing.T, surface string, paths map[string]map[string]json.RawMessage, least int) {
	t.Helper()
	seen, ids := 0, map[string]bool{}
	for path, methods := range paths {
		for method, raw := range methods {
			var op struct {
				ID    string `json:"operationId"`
				Right string `json:"x-right"`
			}
			if err := json.Unmarshal(raw, &op); err != nil {
				t.Fatal(err)
			}
			if op.Right == "" || op.ID == "" || ids[op.ID] {
				t.Errorf("%s %s %s: right %q, id %q (used before: %v)", surface, method, path, op.Right, op.ID, ids[op.ID])
			}
			seen, ids[op.ID] = seen+1, true
		}
	}
	if seen < least {
		t.Errorf("%s: %d operations, want %d or more", surface, seen, least)
	}
}

// The console's client is generated from a copy of the document.
func TestConsoleKnowsTheStaffSurface(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join("..", "..", "web", "console", "openapi.json"))
	if err != nil {
		t.Fatal(err)
	}
	o := tongxin(t, nil, "openapi", "staff").want(t, 0)
	if !bytes.Equal(bytes.TrimSpace(raw), bytes.TrimSpace([]byte(o.out))) {
		t.Error("web/console/openapi.json is old: run make gen")
	}
}

func TestSandboxCommandIsLocal(t *testing.T) {
	for _, addr := range []string{"0.0.0.0:0", ":0", "192.0.2.1:8090", "nonsense"} {
		tongxin(t, nil, "sandbox", "-addr", addr).want(t, 1, "must be a loopback address")
	}
}

func TestSandboxCommand(t *testing.T) {
	p := newPlace(t)
	r := p.start(t, "sandbox", "-addr", strings.TrimPrefix(p.url, "http://"))
	wantPage(t, p.url+"/sandbox/", 200, "<html")
	overview := wantPage(t, p.url+"/sandbox/api/overview", 200)
	for _, app := range demoApps() {
		if !strings.Contains(overview, app.appID) || strings.Contains(overview, app.secret) {
			t.Errorf("%s is missing, or its key is shown: %s", app.appID, overview)
		}
	}
	r.stop(t)
}

func TestLoadAsksWhich(t *testing.T) {
	tongxin(t, nil, "load").want(t, 1, "say which benchmark: render, publish, write")
	tongxin(t, nil, "load", "sleep").want(t, 1, "say which benchmark: render, publish, write")
}

func TestEveryCommandIsDescribed(t *testing.T) {
	var names []string
	for _, cmd := range commands() {
		if cmd.about == "" || cmd.run == nil || slices.Contains(names, cmd.name) {
			t.Errorf("command %q is incomplete or there twice", cmd.name)
		}
		names = append(names, cmd.name)
	}
}
