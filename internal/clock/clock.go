// Package clock is the time that is passed in. Timers come from package time,
// which testing/synctest replaces; only "now" needs a seam, for tests that
// place a fact at a date.
package clock

import (
	"sync"
	"time"
)

// Clock tells the time in UTC, cut to milliseconds: what the database keeps.
type Clock interface{ Now() time.Time }

// System is the machine's clock.
type System struct{}

// Now implements Clock.
func (System) Now() time.Time { return Cut(time.Now()) }

// Cut is t in UTC, cut to the millisecond that storage keeps.
func Cut(t time.Time) time.Time { return t.UTC().Truncate(time.Millisecond) }

// Shanghai is the zone in which people see time. China has one zone and no
// summer time since 1991, so a fixed zone needs no tzdata on the machine.
func Shanghai() *time.Location { return time.FixedZone("Asia/Shanghai", 8*3600) }

// Manual is a clock that tests set and move.
type Manual struct {
	mu  sync.Mutex
	now time.Time
}

// NewManual starts a manual clock at t.
func NewManual(t time.Time) *Manual { return &Manual{now: Cut(t)} }

// Now implements Clock.
func (m *Manual) Now() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.now
}

// Add moves the clock forward by d.
func (m *Manual) Add(d time.Duration) {
	m.mu.Lock()
	m.now = m.now.Add(d)
	m.mu.Unlock()
}
