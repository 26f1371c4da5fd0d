// Package ids makes the numbers that name everything: 63 bits, rising with
// time, unique over nodes. In JSON they are strings, because JavaScript cannot
// hold 63 bits.
package ids

import (
	"database/sql/driver"
	"fmt"
	"strconv"
	"sync"
	"time"

	"tongxin/internal/clock"
)

// ID names one row. Zero means "none".
type ID int64

// String is the decimal form, empty for none.
func (id ID) String() string {
	if id == 0 {
		return ""
	}
	return strconv.FormatInt(int64(id), 10)
}

// MarshalText implements encoding.TextMarshaler: a JSON string.
func (id ID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (id *ID) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		*id = 0
		return nil
	}
	n, err := strconv.ParseInt(string(b), 10, 64)
	if err != nil || n < 0 {
		return fmt.Errorf("ids: not an id")
	}
	*id = ID(n)
	return nil
}

// Parse reads the decimal form.
func Parse(s string) (ID, error) {
	var id ID
	err := id.UnmarshalText([]byte(s))
	return id, err
}

// Value implements driver.Valuer; none is 0, never NULL.
func (id ID) Value() (driver.Value, error) { return int64(id), nil }

// Layout: 41 bits of milliseconds since 2024-01-01 UTC (until 2093), 10 bits of
// node slot, 12 bits of sequence within the millisecond.
const (
	nodeBits = 10
	seqBits  = 12
	// MaxNode is the largest node slot.
	MaxNode = 1<<nodeBits - 1
)

func epoch() time.Time { return time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC) }

// Source makes ids for one node. Safe for concurrent use.
type Source struct {
	clock clock.Clock
	node  int64
	mu    sync.Mutex
	last  int64
	seq   int64
}

// NewSource makes ids for the node slot (0..MaxNode), which no other running
// process may hold: storage leases slots.
func NewSource(c clock.Clock, node int) *Source {
	return &Source{clock: c, node: int64(node) & MaxNode}
}

// New returns the next id. When the clock steps back or a millisecond is used
// up it goes on from the last millisecond instead of waiting.
func (s *Source) New() ID {
	now := s.clock.Now().Sub(epoch()).Milliseconds()
	s.mu.Lock()
	defer s.mu.Unlock()
	if now > s.last {
		s.last, s.seq = now, 0
	} else if s.seq++; s.seq >= 1<<seqBits {
		s.last, s.seq = s.last+1, 0
	}
	return ID(s.last<<(nodeBits+seqBits) | s.node<<seqBits | s.seq)
}

// Time is the moment an id was made, to the millisecond.
func (id ID) Time() time.Time {
	return epoch().Add(time.Duration(int64(id)>>(nodeBits+seqBits)) * time.Millisecond)
}

// From is the least id that is made at t or later, whatever the node: the bound
// of a search by time over a table that has no other index on it.
func From(t time.Time) ID {
	return ID(max(t.Sub(epoch()).Milliseconds(), 0) << (nodeBits + seqBits))
}
