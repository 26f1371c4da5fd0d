package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tongxin/internal/testkit"
)

func TestBackupAndRestore(t *testing.T) {
	p := newPlace(t)
	r := p.start(t, "demo")
	editor := r.as(t, r.links(t)["王丽"])
	first := editor.call("GET", "/posts?q="+"退休职工", nil).want(200)
	id := first.text("items", 0, "id")
	body := editor.call("GET", "/posts/"+id, nil).want(200).text("content", "articles", 0, "body")
	if id == "" || !strings.Contains(body, "周师傅") {
		t.Fatalf("the post before the backup: %q %q", id, body)
	}
	file := filepath.Join(t.TempDir(), "house.tar")
	tongxin(t, p.env, "backup").want(t, 1, "give -to FILE")
	tongxin(t, p.env, "backup", "-to", file).want(t, 0, "audit verified", "another place").lacks(t, testSecret)
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{testSecret, demoApps()[0].secret, demoApps()[0].aesKey} {
		if strings.Contains(string(whole), secret) {
			t.Error("the backup holds a secret in the open")
		}
	}
	tongxin(t, p.env, "backup", "-to", file).want(t, 1, "backups are never overwritten")
	if again, err := os.ReadFile(file); err != nil || string(again) != string(whole) {
		t.Errorf("the second backup touched the first (%v)", err)
	}
	tongxin(t, p.env, "restore", "-from", file).want(t, 1) // beside the running program
	r.stop(t)
	tongxin(t, p.env, "restore", "-from", file).want(t, 1, "恢复目标")

	t.Run("sqlite", func(t *testing.T) { restored(t, newPlace(t), file, id, body) })
	t.Run("mysql", func(t *testing.T) { restored(t, newPlace(t, "TONGXIN_DB="+testkit.MySQL(t)), file, id, body) })
	t.Run("damaged", func(t *testing.T) {
		bad := filepath.Join(t.TempDir(), "bad.tar")
		if err := os.WriteFile(bad, whole[:len(whole)*2/3], 0o600); err != nil {
			t.Fatal(err)
		}
		q := newPlace(t)
		tongxin(t, q.env, "restore", "-from", bad).want(t, 1)
		if left, err := filepath.Glob(filepath.Join(q.dir, "*.db*")); err != nil || len(left) > 0 {
			t.Errorf("a failed restore left %v (%v)", left, err)
		}
		tongxin(t, q.env, "restore", "-from", file).want(t, 0) // the place is still empty
	})
}

// restored fills an empty place and looks at the same post there.
func restored(t *testing.T, p *place, file, id, body string) {
	tongxin(t, p.env, "restore").want(t, 1, "give -from FILE")
	tongxin(t, p.env, "restore", "-from", file).want(t, 0, "audit verified")
	tongxin(t, p.env, "restore", "-from", file).want(t, 1, "恢复目标")
	tongxin(t, p.env, "check", "-platforms=false").want(t, 0, "ok   audit")
	r := p.start(t, "demo")
	editor := r.as(t, r.links(t)["王丽"])
	post := editor.call("GET", "/posts/"+id, nil).want(200)
	if got := post.text("content", "articles", 0, "body"); got != body {
		t.Errorf("the post reads %q, before the backup %q", got, body)
	}
	cover := post.text("content", "articles", 0, "cover", "asset")
	editor.send("GET", "/api/staff/v1/media/"+cover, nil).want(200)
}
