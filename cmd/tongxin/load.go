package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"tongxin/internal/seal"
)

// loadCommand holds the benchmarks. Each prints one JSON line last.
func loadCommand(ctx context.Context, c *cli, args []string) error {
	benches := map[string]func(context.Context, *cli, []string) error{
		"render": loadRender, "publish": loadPublish, "write": loadWrite, "campaign": loadCampaign, "exam": loadExam, "contest": loadContest, "lecture": loadLecture,
	}
	if len(args) == 0 || benches[args[0]] == nil {
		return errors.New("say which benchmark: render, publish, write, campaign, exam, contest or lecture")
	}
	return benches[args[0]](ctx, c, args[1:])
}

// printFigures writes the closing JSON line.
func printFigures(c *cli, figures map[string]any) error {
	b, err := json.Marshal(figures)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(c.out, string(b))
	return err
}

// percentiles of durations, in milliseconds.
func percentiles(d []time.Duration) map[string]float64 {
	if len(d) == 0 {
		return nil
	}
	slices.Sort(d)
	at := func(p float64) float64 {
		return float64(d[min(len(d)-1, int(p*float64(len(d))))].Microseconds()) / 1000
	}
	return map[string]float64{"p50": at(0.50), "p95": at(0.95), "p99": at(0.99), "max": at(1)}
}

// child is the real program in its own process, as production runs it.
type child struct {
	cmd   *exec.Cmd
	url   string
	ready time.Duration // from the start of the process to the first ready answer
}

// bench is a place for one benchmark: a directory, a secret and a database.
type bench struct {
	dir, db, secret string
	extra           []string
}

func newBench(db string, extra ...string) (*bench, error) {
	dir, err := os.MkdirTemp("", "tongxin-load-")
	return &bench{dir: dir, db: db, secret: fmt.Sprintf("%x", seal.NewSecret()), extra: extra}, err
}

func (b *bench) close() error { return os.RemoveAll(b.dir) }

func (b *bench) environ(port int) []string {
	env := []string{
		"TONGXIN_DATA=" + b.dir, "TONGXIN_SECRET_KEY=" + b.secret, "TONGXIN_METRICS_ADDR=", "TONGXIN_LOG_LEVEL=warn",
		"TONGXIN_RATE_ADDRESS=0", "TONGXIN_RATE_ACTOR=0", "TONGXIN_SECOND_FACTOR=false",
		"TONGXIN_ADDR=127.0.0.1:" + strconv.Itoa(port), "TONGXIN_PUBLIC_URL=http://127.0.0.1:" + strconv.Itoa(port),
	}
	if b.db != "" {
		env = append(env, "TONGXIN_DB="+b.db)
	}
	return append(env, b.extra...)
}

// settings of the bench, to work on its database before the child starts.
func (b *bench) settings(port int) (*settings, error) { return load(b.environ(port)) }

// start runs `tongxin serve` and waits until it is ready.
func (b *bench) start(ctx context.Context, c *cli, port int) (*child, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, self, "serve")
	cmd.Env = append(os.Environ(), b.environ(port)...)
	cmd.Stderr = c.err
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	ch := &child{cmd: cmd, url: "http://127.0.0.1:" + strconv.Itoa(port)}
	for tick := time.NewTicker(2 * time.Millisecond); ; {
		res, err := http.Get(ch.url + "/readyz")
		if err == nil {
			ok := res.StatusCode == http.StatusOK
			if err := res.Body.Close(); err != nil {
				return nil, err
			}
			if ok {
				tick.Stop()
				ch.ready = time.Since(began)
				return ch, nil
			}
		}
		if time.Since(began) > 30*time.Second {
			return nil, errors.Join(errors.New("the program did not become ready within 30 s"), cmd.Process.Kill())
		}
		<-tick.C
	}
}

func (ch *child) stop() error {
	if err := ch.cmd.Process.Signal(os.Interrupt); err != nil {
		return err
	}
	return ch.cmd.Wait()
}

// cpu is the processor time the kernel charged to the process so far.
func (ch *child) cpu() (time.Duration, error) { return processCPU(ch.cmd.Process.Pid) }

// processCPU reads utime and stime of /proc/<pid>/stat, in clock ticks of 10 ms.
func processCPU(pid int) (time.Duration, error) {
	b, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return 0, err
	}
	f := strings.Fields(string(b[strings.LastIndexByte(string(b), ')')+1:]))
	if len(f) < 13 {
		return 0, errors.New("unexpected form of /proc/<pid>/stat")
	}
	u, err1 := strconv.Atoi(f[11])
	s, err2 := strconv.Atoi(f[12])
	return time.Duration(u+s) * 10 * time.Millisecond, errors.Join(err1, err2)
}

// memory is the resident set of a process in MB.
func memory(pid int) (float64, error) {
	b, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "status"))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kb, err := strconv.Atoi(strings.TrimSuffix(strings.TrimSpace(rest), " kB"))
			return float64(kb) / 1000, err
		}
	}
	return 0, errors.New("no VmRSS")
}

// freePort finds a port that is free now.
func freePort() (int, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	return ln.Addr().(*net.TCPAddr).Port, ln.Close()
}
