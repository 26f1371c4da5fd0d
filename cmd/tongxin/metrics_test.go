package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"tongxin/internal/authz"
	"tongxin/internal/clock"
	"tongxin/publish"
)

type countedQueue struct {
	counts map[publish.DeliveryState]int
	due    time.Time
	err    error
	reads  int
}

func (q *countedQueue) QueueCounts(_ context.Context, scope authz.Scope) (map[publish.DeliveryState]int, time.Time, error) {
	q.reads++
	if !scope.All {
		return nil, time.Time{}, errors.New("not the whole queue")
	}
	return q.counts, q.due, q.err
}

// scrape renders the figures, "name{state} value" on a line each.
func scrape(t *testing.T, m *queueMetrics) string {
	t.Helper()
	reg := prometheus.NewRegistry()
	reg.MustRegister(m)
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, f := range families {
		for _, v := range f.GetMetric() {
			state := ""
			for _, l := range v.GetLabel() {
				state = l.GetValue()
			}
			fmt.Fprintf(&b, "%s{%s} %v\n", f.GetName(), state, v.GetGauge().GetValue())
		}
	}
	return b.String()
}

func TestQueueMetrics(t *testing.T) {
	c := clock.NewManual(time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC))
	q := &countedQueue{counts: map[publish.DeliveryState]int{publish.Waiting: 3, publish.Unknown: 1}, due: c.Now().Add(-90 * time.Second)}
	m := newQueueMetrics(q, c, slog.New(slog.DiscardHandler))
	want := func(parts ...string) {
		t.Helper()
		got := scrape(t, m)
		for _, p := range parts {
			if !strings.Contains(got, p+"\n") {
				t.Fatalf("no %q in\n%s", p, got)
			}
		}
	}
	want("tongxin_queue_deliveries{waiting} 3", "tongxin_queue_deliveries{unknown} 1", "tongxin_queue_deliveries{by_hand} 0",
		"tongxin_queue_deliveries{failed} 0", "tongxin_queue_oldest_due_seconds{} 90")
	q.counts = map[publish.DeliveryState]int{publish.Failed: 2}
	c.Add(4 * time.Second)
	want("tongxin_queue_deliveries{waiting} 3") // what was read before
	if q.reads != 1 {
		t.Fatalf("%d reads", q.reads)
	}
	c.Add(time.Second)
	want("tongxin_queue_deliveries{waiting} 0", "tongxin_queue_deliveries{failed} 2", "tongxin_queue_oldest_due_seconds{} 0")
	q.counts, q.due = map[publish.DeliveryState]int{publish.Waiting: 1}, c.Now().Add(time.Hour)
	c.Add(5 * time.Second)
	want("tongxin_queue_oldest_due_seconds{} 0")
	q.err = errors.New("the database is away")
	c.Add(5 * time.Second)
	if got := scrape(t, m); got != "" {
		t.Fatalf("figures of no reading: %s", got)
	}
}
