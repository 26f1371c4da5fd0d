package sandbox

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"slices"
	"sync"
	"time"
)

// Faults are the switches. The zero value is a platform in good health.
type Faults struct {
	LatencyMS int    `json:"latency_ms"` // of every call
	JitterMS  int    `json:"jitter_ms"`  // added, 0…JitterMS
	HangMS    int    `json:"hang_ms"`    // how long a hanging call hangs; 0 means 15,000
	Rules     []Rule `json:"rules"`
	// Events, chances of 0…1.
	LoseEvents      float64 `json:"lose_events"`
	DuplicateEvents float64 `json:"duplicate_events"`
	DelayEventsMS   int     `json:"delay_events_ms"`
	// PublishAsMass reports publishing with MASSSENDJOBFINISH, as one account saw.
	PublishAsMass bool   `json:"publish_as_mass"`
	PublishIDAs   string `json:"publish_id_as"` // "string" (default), "number", "mixed"
	// PublishStatus is the result of publishing (0, 2, 3, 4); NextStatus of the
	// next ones, used up one by one.
	PublishStatus  int      `json:"publish_status"`
	NextStatus     []int    `json:"next_status"`
	PublishDelayMS int      `json:"publish_delay_ms"` // 0 means the configured delay
	MassStatus     string   `json:"mass_status"`      // "" means "send success"
	WrongIP        bool     `json:"wrong_ip"`         // every call answers 40164
	Exhausted      []string `json:"exhausted"`        // paths that answer 45009
	CheckPicture   string   `json:"check_picture"`    // verdict of pictures: "pass" (default), "review", "risky"
}

// Kinds of faults. "after" means that the call has had its effect.
const (
	BusyBefore    = "busy_before"    // -1 without effect
	BusyAfter     = "busy_after"     // -1 although it took effect
	CloseBefore   = "close_before"   // the connection closes, no effect
	CloseAfter    = "close_after"    // it took effect, then the connection closes
	HangBefore    = "hang_before"    // no answer for HangMS, then it closes, no effect
	HangAfter     = "hang_after"     // it took effect, no answer for HangMS, then it closes
	GatewayBefore = "gateway_before" // HTTP 502 without effect
	GatewayAfter  = "gateway_after"  // HTTP 502 although it took effect
	GarbageAfter  = "garbage_after"  // it took effect, the answer is not JSON
	ErrCode       = "errcode"        // answers Code without effect
)

func kinds() []string {
	return []string{BusyBefore, BusyAfter, CloseBefore, CloseAfter, HangBefore, HangAfter, GatewayBefore, GatewayAfter, GarbageAfter, ErrCode}
}

// Rule makes calls fail: the next Next ones, or each with Probability.
type Rule struct {
	Path        string  `json:"path"` // "/cgi-bin/freepublish/submit", or "*"
	Kind        string  `json:"kind"`
	Code        int     `json:"code,omitempty"` // of "errcode"
	Probability float64 `json:"probability,omitempty"`
	Next        int     `json:"next,omitempty"`
}

// faultBox holds the switches and the counters that make choices repeatable:
// the n-th call of a path meets the same choice whatever runs beside it.
type faultBox struct {
	seed  uint64
	mu    sync.Mutex
	f     Faults
	count map[string]uint64
}

func newFaultBox(f Faults, seed uint64) (*faultBox, error) {
	b := &faultBox{seed: seed, count: map[string]uint64{}}
	return b, b.set(f)
}

func (b *faultBox) set(f Faults) error {
	for _, r := range f.Rules {
		if !slices.Contains(kinds(), r.Kind) {
			return fmt.Errorf("sandbox: no fault of kind %q", r.Kind)
		}
		if r.Kind == ErrCode && r.Code == 0 {
			return fmt.Errorf("sandbox: an errcode fault needs a code")
		}
		if r.Path == "" || r.Probability < 0 || r.Probability > 1 || r.Next < 0 {
			return fmt.Errorf("sandbox: a fault needs a path and a chance of 0 to 1 or a count")
		}
	}
	if !slices.Contains([]string{"", "string", "number", "mixed"}, f.PublishIDAs) {
		return fmt.Errorf("sandbox: publish_id_as is string, number or mixed")
	}
	if !validSuggest(f.CheckPicture) {
		return fmt.Errorf("sandbox: check_picture is pass, review or risky")
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	f.Rules, f.NextStatus, f.Exhausted = clean(f.Rules), clean(f.NextStatus), clean(f.Exhausted)
	b.f = f
	return nil
}

// clean copies a list; never nil, so that JSON shows [].
func clean[T any](l []T) []T { return append([]T{}, l...) }

func (b *faultBox) get() Faults {
	b.mu.Lock()
	defer b.mu.Unlock()
	f := b.f
	f.Rules, f.NextStatus, f.Exhausted = clean(f.Rules), clean(f.NextStatus), clean(f.Exhausted)
	return f
}

// chance draws the next number of 0…1 in the row named key. Call with mu held.
func (b *faultBox) chance(key string) float64 {
	n := b.count[key]
	b.count[key] = n + 1
	h := fnv.New64a()
	var raw [16]byte
	binary.LittleEndian.PutUint64(raw[:8], b.seed)
	binary.LittleEndian.PutUint64(raw[8:], n)
	h.Write(raw[:])
	h.Write([]byte(key))
	x := h.Sum64() // fnv mixes its last bytes poorly: finish as splitmix64 does
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return float64((x^x>>31)>>11) / (1 << 53)
}

// pick chooses the fault of one call, its latency and how long it would hang.
func (b *faultBox) pick(path string) (hit Rule, latency, hang time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	latency = time.Duration(b.f.LatencyMS) * time.Millisecond
	if b.f.JitterMS > 0 {
		latency += time.Duration(b.chance("jitter"+path) * float64(b.f.JitterMS) * float64(time.Millisecond))
	}
	hang = 15 * time.Second
	if b.f.HangMS > 0 {
		hang = time.Duration(b.f.HangMS) * time.Millisecond
	}
	for i := range b.f.Rules {
		r := &b.f.Rules[i]
		if r.Path != "*" && r.Path != path {
			continue
		}
		if r.Next > 0 {
			if r.Next--; r.Next == 0 && r.Probability == 0 {
				hit = *r
				b.f.Rules = slices.Delete(b.f.Rules, i, i+1)
				return hit, latency, hang
			}
			return *r, latency, hang
		}
		if r.Probability > 0 && b.chance(fmt.Sprint("rule", i, r.Kind, path)) < r.Probability {
			return *r, latency, hang
		}
	}
	return Rule{}, latency, hang
}

func (b *faultBox) exhausted(path string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Contains(b.f.Exhausted, path)
}

func (b *faultBox) wrongIP() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.f.WrongIP
}

// status is the result of the next publish.
func (b *faultBox) status() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.f.NextStatus) > 0 {
		st := b.f.NextStatus[0]
		b.f.NextStatus = b.f.NextStatus[1:]
		return st
	}
	return b.f.PublishStatus
}

// asNumber says how the next publish_id is written.
func (b *faultBox) asNumber() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch b.f.PublishIDAs {
	case "number":
		return true
	case "mixed":
		return b.chance("publish_id") < 0.5
	}
	return false
}

// event says how often and how late one event is pushed.
func (b *faultBox) event() (copies int, delay time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delay = time.Duration(b.f.DelayEventsMS) * time.Millisecond
	lost, twice := b.chance("lose") < b.f.LoseEvents, b.chance("duplicate") < b.f.DuplicateEvents
	switch {
	case lost:
		return 0, delay
	case twice:
		return 2, delay
	}
	return 1, delay
}
