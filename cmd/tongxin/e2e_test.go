//go:build e2e

package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestPublishInBrowser takes one post through the console in a real browser,
// from the first word to the phone of a follower: web/e2e/publish.mjs.
func TestPublishInBrowser(t *testing.T) { browse(t, "publish.mjs") }

// TestMembersInBrowser takes one member from a roster file to the book of wrong
// answers: web/e2e/member.mjs.
func TestMembersInBrowser(t *testing.T) { browse(t, "member.mjs") }

// TestContestInBrowser plays a live contest with three browsers:
// web/e2e/contest.mjs.
func TestContestInBrowser(t *testing.T) { browse(t, "contest.mjs") }

// browse runs one script of web/e2e against a demonstration of its own.
func browse(t *testing.T, script string) {
	t.Helper()
	repo := filepath.Join("..", "..")
	for _, front := range []string{"console", "member"} {
		if _, err := os.Stat(filepath.Join(repo, "handlers", "dist", front, "index.html")); err != nil {
			t.Fatalf("the front ends are not built: run `make web` first (%v)", err)
		}
	}
	pictures := os.Getenv("TONGXIN_TEST_ARTIFACTS")
	if pictures == "" {
		pictures = t.TempDir()
	} else {
		pictures = filepath.Join(pictures, "browser", strings.TrimSuffix(script, ".mjs"))
	}
	pictures, err := filepath.Abs(pictures) // node runs elsewhere
	if err != nil {
		t.Fatal(err)
	}
	url, links := startDemo(t)
	people, err := json.Marshal(links)
	if err != nil {
		t.Fatal(err)
	}
	node := exec.CommandContext(t.Context(), "node", filepath.Join("e2e", script))
	node.Dir = filepath.Join(repo, "web")
	node.Env = append(os.Environ(), "TONGXIN_URL="+url, "TONGXIN_LINKS="+string(people), "TONGXIN_TEST_ARTIFACTS="+pictures)
	out, in := io.Pipe()
	node.Stdout, node.Stderr = in, in
	told := make(chan struct{})
	go func() {
		defer close(told)
		lines := bufio.NewScanner(out)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			t.Log(lines.Text())
		}
		if err := lines.Err(); err != nil {
			t.Error(err)
			_ = out.CloseWithError(err) // node must not wait for a reader
		}
	}()
	err = node.Run()
	if closeErr := in.Close(); closeErr != nil {
		t.Error(closeErr)
	}
	<-told
	if err != nil {
		t.Fatalf("the browser test failed (%v); its pictures are in %s", err, pictures)
	}
}

// startDemo builds the program as it is shipped and runs its demonstration on a
// free port. It returns the address and the one-time links by person.
func startDemo(t *testing.T) (url string, links map[string]string) {
	t.Helper()
	dir := t.TempDir()
	binary := filepath.Join(dir, "tongxin")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	addr := freeAddr(t)
	cmd := exec.Command(binary, "demo") // the cleanup ends it, in order
	cmd.Dir = dir
	// The program refuses settings that it does not know, and the tests have some.
	cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "TONGXIN_") })
	cmd.Env = append(cmd.Env, "TONGXIN_ADDR="+addr, "TONGXIN_DATA="+filepath.Join(dir, "data"), "TONGXIN_METRICS_ADDR=")
	var log bytes.Buffer
	cmd.Stderr = &log
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Errorf("the program had stopped by itself: %v", err)
		}
		kill := time.AfterFunc(30*time.Second, func() { _ = cmd.Process.Kill() }) // no longer there: nothing to kill
		defer kill.Stop()
		if err := cmd.Wait(); err != nil {
			t.Errorf("the program did not stop in order: %v", err)
		}
		if t.Failed() {
			t.Logf("log of the program:\n%s", log.String())
		}
	})
	return "http://" + addr, readLinks(t, out)
}

// readLinks reads the welcome up to its last line: on each line a person and a link.
func readLinks(t *testing.T, welcome io.Reader) map[string]string {
	t.Helper()
	signIn := regexp.MustCompile(`（([^（）]+)）\s+(http\S+token=\S+)`)
	links := map[string]string{}
	lines := bufio.NewScanner(welcome)
	for lines.Scan() {
		if m := signIn.FindStringSubmatch(lines.Text()); m != nil {
			links[m[1]] = m[2]
		}
		if strings.Contains(lines.Text(), "Ctrl+C") {
			break
		}
	}
	if len(links) == 0 {
		t.Fatalf("the program gave no sign-in links (%v)", lines.Err())
	}
	return links
}

func freeAddr(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := ln.Close(); err != nil {
		t.Fatal(err)
	}
	return ln.Addr().String()
}
