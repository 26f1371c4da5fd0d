package limit

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tongxin/internal/clock"
)

func start() time.Time { return time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC) }

func TestBurstThenWait(t *testing.T) {
	c := clock.NewManual(start())
	b := New(c, Per(3, time.Minute), 1000)
	for i := range 3 {
		if ok, _ := b.Allow("a"); !ok {
			t.Fatalf("call %d refused inside the burst", i)
		}
	}
	ok, wait := b.Allow("a")
	if ok || wait <= 19*time.Second || wait > 20*time.Second+time.Millisecond {
		t.Fatalf("fourth call: ok %v, wait %v; want a refusal for about 20 s", ok, wait)
	}
	if ok, _ := b.Allow("b"); !ok {
		t.Fatal("another key paid for the first")
	}
	c.Add(wait)
	if ok, _ := b.Allow("a"); !ok {
		t.Fatal("refused after the wait that was asked for")
	}
}

func TestOff(t *testing.T) {
	b := New(clock.NewManual(start()), Rate{}, 10)
	for range 1000 {
		if ok, _ := b.Allow("a"); !ok {
			t.Fatal("a limit that is off refused")
		}
	}
	if b.Keys() != 0 {
		t.Fatal("a limit that is off remembers keys")
	}
	var none *Buckets
	if ok, _ := none.Allow("a"); !ok {
		t.Fatal("no limit at all refused")
	}
}

func TestMemoryIsBounded(t *testing.T) {
	b := New(clock.NewManual(start()), Per(2, time.Hour), 640)
	for i := range 20_000 {
		b.Allow(fmt.Sprint("key", i))
	}
	if n := b.Keys(); n > 640 {
		t.Fatalf("%d keys remembered, want at most 640", n)
	}
}

// Over any span a key gets at most burst + rate × span.
func TestNeverMoreThanTheRate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := clock.NewManual(start())
		r := Rate{PerSecond: rapid.Float64Range(0.1, 50).Draw(t, "rate"), Burst: rapid.Float64Range(1, 20).Draw(t, "burst")}
		b := New(c, r, 100)
		got, spent := 0, time.Duration(0)
		for range rapid.IntRange(1, 200).Draw(t, "calls") {
			d := time.Duration(rapid.IntRange(-50, 300).Draw(t, "ms")) * time.Millisecond
			c.Add(d)
			spent += max(d, 0)
			if ok, wait := b.Allow("k"); ok {
				got++
			} else if wait <= 0 {
				t.Fatal("refused without saying for how long")
			}
		}
		if most := r.Burst + r.PerSecond*spent.Seconds() + 1e-6; float64(got) > most {
			t.Fatalf("%d calls passed, at most %.2f may", got, most)
		}
	})
}

func BenchmarkAllow(b *testing.B) {
	l := New(clock.System{}, Rate{PerSecond: 1e9, Burst: 1e9}, 100_000)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			l.Allow("10.0.0.1")
		}
	})
}
