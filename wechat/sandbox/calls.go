package sandbox

import (
	"fmt"
	"regexp"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// maxCalls is how many calls the log keeps.
const maxCalls = 2000

// Call is one row of the log: a call of the API, or a pushed event.
type Call struct {
	Seq     int64     `json:"seq"`
	At      time.Time `json:"at"`
	Dir     string    `json:"dir"` // "in" called us, "out" pushed by us
	AppID   string    `json:"appid"`
	Method  string    `json:"method"`
	Path    string    `json:"path"`
	Status  int       `json:"status"` // 0: no answer
	Code    int       `json:"code"`   // errcode
	Fault   string    `json:"fault,omitempty"`
	MS      int64     `json:"ms"`
	Note    string    `json:"note,omitempty"`
	Request string    `json:"request,omitempty"` // beginning of the body, without secrets
	RID     string    `json:"rid,omitempty"`
}

// callLog is a ring of the last calls.
type callLog struct {
	mu   sync.Mutex
	seq  int64
	rids uint32
	ring []Call
	hide *regexp.Regexp // secrets in a body
}

func newCallLog() *callLog {
	return &callLog{
		ring: make([]Call, 0, maxCalls),
		hide: regexp.MustCompile(`("(?:secret|access_token|token|aeskey)"\s*:\s*")[^"]*`),
	}
}

func (l *callLog) add(c Call) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.seq++
	c.Seq = l.seq
	if len(l.ring) < maxCalls {
		l.ring = append(l.ring, c)
		return
	}
	l.ring[(l.seq-1)%maxCalls] = c
}

// since lists the calls after seq, newest first, at most limit; appid "" means all.
func (l *callLog) since(seq int64, appid string, limit int) []Call {
	l.mu.Lock()
	defer l.mu.Unlock()
	list := []Call{}
	for n := l.seq; n > seq && n > 0 && n > l.seq-int64(len(l.ring)) && len(list) < limit; n-- {
		if c := l.ring[(n-1)%maxCalls]; appid == "" || c.AppID == appid || c.AppID == "" {
			list = append(list, c)
		}
	}
	return list
}

func (l *callLog) last() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.seq
}

// rid makes a request id of the platform's form.
func (l *callLog) rid(now time.Time) string {
	l.mu.Lock()
	l.rids++
	n := l.rids
	l.mu.Unlock()
	return fmt.Sprintf("%08x-%08x-%08x", uint32(now.Unix()), n*2654435761, n^0x5bd1e995)
}

// Calls lists up to limit calls after seq, newest first.
func (s *Sandbox) Calls(seq int64, appid string, limit int) []Call {
	return s.calls.since(seq, appid, limit)
}

// excerpt is the beginning of a body for the log. Secrets never come in the
// bodies shown, but a caller's mistake must not be kept either.
func (l *callLog) excerpt(body []byte) string {
	const keep = 600
	if len(body) > keep {
		body = body[:keep]
		for len(body) > 0 && !utf8.Valid(body) && !utf8.RuneStart(body[len(body)-1]) {
			body = body[:len(body)-1]
		}
	}
	text := strings.ToValidUTF8(string(body), "")
	return l.hide.ReplaceAllString(text, "$1***")
}
