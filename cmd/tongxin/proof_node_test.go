//go:build proof

package main

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// node is one process of the product that is started again whenever it dies.
// It reaches the sandbox through a front of its own, so that a call tells who
// made it.
type node struct {
	house *proofHouse
	name  string
	port  int
	env   []string
	front *httptest.Server
	log   *os.File

	mu       sync.Mutex
	cmd      *exec.Cmd
	dead     chan struct{} // closed when this incarnation ended
	killed   bool          // this incarnation, by us
	stopping bool
	starts   int
	broken   error // it ended although nobody killed it
	done     chan struct{}
}

// proofEnviron is the test's environment without settings of the product, which
// would reach the child.
func proofEnviron() []string {
	return slices.DeleteFunc(os.Environ(), func(kv string) bool { return strings.HasPrefix(kv, "TONGXIN_") })
}

func (h *proofHouse) startNode(t *testing.T, env []string) *node {
	t.Helper()
	port, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	name := "node" + strconv.Itoa(len(h.nodes)+1)
	log, err := os.Create(filepath.Join(h.logs, name+".log"))
	if err != nil {
		t.Fatal(err)
	}
	n := &node{house: h, name: name, port: port, log: log, done: make(chan struct{})}
	n.front = httptest.NewServer(http.HandlerFunc(n.serve))
	n.env = append(proofEnviron(), h.bench.environ(port)...)
	n.env = append(n.env, "TONGXIN_WECHAT_BASE="+n.front.URL, "TONGXIN_NODE="+name)
	n.env = append(n.env, env...)
	h.nodes = append(h.nodes, n)
	go n.keep()
	return n
}

// keep runs the process again at once whenever it was killed.
func (n *node) keep() {
	defer close(n.done)
	for {
		cmd, dead := n.launch()
		if cmd == nil {
			return
		}
		err := cmd.Wait()
		n.mu.Lock()
		if !n.killed && !n.stopping {
			n.broken = fmt.Errorf("%s ended by itself: %w", n.name, err)
		}
		if n.stopping && !n.killed && err != nil {
			n.broken = fmt.Errorf("%s did not end cleanly: %w", n.name, err)
		}
		stop := n.stopping || n.broken != nil
		n.mu.Unlock()
		close(dead)
		if stop {
			return
		}
	}
}

func (n *node) launch() (*exec.Cmd, chan struct{}) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.stopping {
		return nil, nil
	}
	cmd := exec.Command(n.house.binary, "serve")
	cmd.Env, cmd.Stdout, cmd.Stderr = n.env, n.log, n.log
	if err := cmd.Start(); err != nil {
		n.broken = err
		return nil, nil
	}
	n.cmd, n.dead, n.killed = cmd, make(chan struct{}), false
	n.starts++
	return cmd, n.dead
}

// kill is `kill -9`, and returns when the kernel has taken the process away.
// It reports false when there was no living process.
func (n *node) kill(why string) bool {
	n.mu.Lock()
	if n.cmd == nil || n.killed || n.stopping || n.broken != nil || n.cmd.Process.Signal(syscall.SIGKILL) != nil {
		n.mu.Unlock()
		return false
	}
	n.killed = true
	dead := n.dead
	n.mu.Unlock()
	<-dead
	n.house.kills.add(why)
	return true
}

// stop ends the process as an operator does, and reports how that went.
func (n *node) stop() error {
	n.mu.Lock()
	n.stopping = true
	cmd := n.cmd
	n.mu.Unlock()
	if cmd != nil {
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
			return err
		}
	}
	select {
	case <-n.done:
	case <-time.After(time.Minute):
		return errors.Join(fmt.Errorf("%s does not end", n.name), cmd.Process.Kill())
	}
	return n.trouble()
}

func (n *node) trouble() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.broken
}

func (n *node) url() string { return "http://127.0.0.1:" + strconv.Itoa(n.port) }

// tail is the end of the node's log, for a failing test.
func (n *node) tail() string {
	b, err := os.ReadFile(n.log.Name())
	if err != nil {
		return err.Error()
	}
	return string(b[max(0, len(b)-4000):])
}

// serve is the sandbox as this node reaches it: a trap kills the node before
// the call has its effect, or after it and before the answer.
func (n *node) serve(w http.ResponseWriter, r *http.Request) {
	tr := n.house.traps.hit(r.URL.Path)
	switch {
	case tr == nil:
		n.house.api.ServeHTTP(w, r)
		return
	case tr.after:
		n.house.api.ServeHTTP(httptest.NewRecorder(), r)
	}
	if !n.kill(tr.name()) {
		n.house.traps.rearm(tr)
	}
	panic(http.ErrAbortHandler) // nobody is left to answer
}

// RoundTrip brings the sandbox's events to the nodes in turn, through the traps
// of the event.
func (h *proofHouse) RoundTrip(req *http.Request) (*http.Response, error) {
	n := h.nodes[int(h.turn.Add(1))%len(h.nodes)]
	tr := h.traps.hit(eventStep)
	lost := errors.New("proof: the node was killed")
	if tr != nil && !tr.after {
		if !n.kill(tr.name()) {
			h.traps.rearm(tr)
		}
		return nil, lost
	}
	out := req.Clone(req.Context())
	out.URL.Host = "127.0.0.1:" + strconv.Itoa(n.port)
	out.Host = out.URL.Host
	res, err := h.pushes.RoundTrip(out)
	if tr == nil {
		return res, err
	}
	if err != nil {
		h.traps.rearm(tr)
		return nil, err
	}
	if !n.kill(tr.name()) {
		h.traps.rearm(tr)
	}
	return nil, errors.Join(lost, res.Body.Close())
}
