package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSettingsAreListed(t *testing.T) {
	o := tongxin(t, []string{"TONGXIN_SECRET_KEY=" + testSecret}, "settings").want(t, 0).lacks(t, testSecret)
	set := declare()
	lines := strings.Split(strings.TrimSpace(o.out), "\n")
	if len(lines) != len(set.set.Options()) || len(lines) < 30 {
		t.Fatalf("%d lines for %d settings", len(lines), len(set.set.Options()))
	}
	for i, opt := range set.set.Options() {
		if !strings.HasPrefix(lines[i], "TONGXIN_"+opt.Name) || opt.Doc == "" || !strings.Contains(lines[i], opt.Doc) {
			t.Errorf("setting %s is shown as %q", opt.Name, lines[i])
		}
		if opt.Secret != strings.Contains(lines[i], "(secret)") {
			t.Errorf("%s: secret %v, shown as %q", opt.Name, opt.Secret, lines[i])
		}
		if !opt.Secret && (strings.Contains(opt.Name, "SECRET_KEY") || strings.Contains(opt.Name, "PASSWORD")) {
			t.Errorf("%s is no secret", opt.Name)
		}
	}
}

// Every setting that docs/operations.md names must exist.
func TestOperationsNamesRealSettings(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join("..", "..", "docs", "operations.md"))
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{"CONFIG": true}
	for _, o := range declare().set.Options() {
		known[o.Name] = true
	}
	found := 0
	for _, rest := range strings.Split(string(raw), "TONGXIN_")[1:] {
		name := rest
		if i := strings.IndexFunc(rest, func(r rune) bool { return r != '_' && (r < 'A' || r > 'Z') && (r < '0' || r > '9') }); i >= 0 {
			name = rest[:i]
		}
		if strings.HasSuffix(name, "_") || name == "NAME" || strings.HasPrefix(name, "TEST") { // "TONGXIN_S3_*" and the like
			continue
		}
		if found++; !known[name] {
			t.Errorf("docs/operations.md names TONGXIN_%s, which is no setting", name)
		}
	}
	if found < 20 {
		t.Errorf("only %d names found: the test looks in the wrong place", found)
	}
}

func TestSettingsFile(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "settings")
	if err := os.WriteFile(file, []byte("# 城关\nTONGXIN_DATA="+dir+"\nTONGXIN_SESSION_IDLE=10m\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	set, err := load([]string{"TONGXIN_CONFIG=" + file, "TONGXIN_RATE_ACTOR=7"})
	if err != nil {
		t.Fatal(err)
	}
	if *set.data != dir || *set.db != filepath.Join(dir, "tongxin.db") || *set.blobs != filepath.Join(dir, "blobs") || set.sessionIdle.Minutes() != 10 || *set.ratePerActor != 7 {
		t.Errorf("data %q, db %q, blobs %q, idle %v, rate %d", *set.data, *set.db, *set.blobs, *set.sessionIdle, *set.ratePerActor)
	}
	if _, err := load([]string{"TONGXIN_CONFIG=" + filepath.Join(dir, "none")}); err == nil {
		t.Error("a settings file that is not there must be refused")
	}
}

func TestWrongSettings(t *testing.T) {
	for kv, want := range map[string]string{
		"TONGXIN_ADR=127.0.0.1:1":         "TONGXIN_ADR is not a setting",
		"TONGXIN_ADDR=8080":               "must be host:port",
		"TONGXIN_PUBLIC_URL=party.cn":     "must be an address with http:// or https://",
		"TONGXIN_WECHAT_BASE=ftp://x":     "must be an address with http:// or https://",
		"TONGXIN_QUEUE_LEASE=4999ms":      "must be between",
		"TONGXIN_LOG_LEVEL=loud":          "must be one of",
		"TONGXIN_TRUSTED_PROXIES=nothing": "is not a network",
	} {
		p := newPlace(t)
		name, _, _ := strings.Cut(strings.TrimPrefix(kv, "TONGXIN_"), "=")
		tongxin(t, append(p.without(name), kv), "serve").want(t, 1, want).lacks(t, testSecret)
	}
}

// Half a mini-program would be noticed only by the first member who comes.
func TestHalfAMiniProgramIsRefused(t *testing.T) {
	const key = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
	p := newPlace(t, "TONGXIN_MINI_APPID=wx1", "TONGXIN_MINI_SECRET=mini-secret-1", "TONGXIN_MINI_TOKEN=tok", "TONGXIN_MINI_AESKEY="+key)
	for _, name := range []string{"MINI_APPID", "MINI_SECRET", "MINI_TOKEN", "MINI_AESKEY"} {
		for _, command := range []string{"serve", "demo"} {
			env := p.without(name)
			if command == "demo" {
				env = append(env, "TONGXIN_WECHAT_BASE=http://127.0.0.1:1")
			}
			tongxin(t, env, command).want(t, 1, "set TONGXIN_"+name+" too").lacks(t, "mini-secret-1", key)
		}
	}
	tongxin(t, append(p.without("MINI_AESKEY"), "TONGXIN_MINI_AESKEY=short"), "serve").want(t, 1, "43 characters").lacks(t, "short ")
}
