package main

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"tongxin/internal/authz"
	"tongxin/internal/clock"
	"tongxin/publish"
)

// Bounds of reading the queue for a scrape.
const (
	scrapeCache = 5 * time.Second
	scrapeLimit = 3 * time.Second
)

type queueCounter interface {
	QueueCounts(ctx context.Context, scope authz.Scope) (map[publish.DeliveryState]int, time.Time, error)
}

// queueMetrics reads the queue when it is scraped, at most once in 5 s however
// many scrape. When the database does not answer, the figures are absent rather
// than old.
type queueMetrics struct {
	store queueCounter
	clock clock.Clock
	log   *slog.Logger

	deliveries, oldest *prometheus.Desc

	mu    sync.Mutex
	at    time.Time
	known []prometheus.Metric
}

func newQueueMetrics(store queueCounter, c clock.Clock, log *slog.Logger) *queueMetrics {
	return &queueMetrics{
		store: store, clock: c, log: log,
		deliveries: prometheus.NewDesc("tongxin_queue_deliveries", "Deliveries that are not over, and failed ones, by state; of the whole database.", []string{"state"}, nil),
		oldest: prometheus.NewDesc("tongxin_queue_oldest_due_seconds",
			"How long the waiting delivery with the earliest due time is overdue, in seconds; 0 when none is.", nil, nil),
	}
}

// Describe implements prometheus.Collector.
func (m *queueMetrics) Describe(ch chan<- *prometheus.Desc) {
	ch <- m.deliveries
	ch <- m.oldest
}

// Collect implements prometheus.Collector.
func (m *queueMetrics) Collect(ch chan<- prometheus.Metric) {
	for _, v := range m.read() {
		ch <- v
	}
}

func (m *queueMetrics) read() []prometheus.Metric {
	now := m.clock.Now()
	m.mu.Lock()
	known, fresh := m.known, !m.at.IsZero() && now.Sub(m.at) < scrapeCache && !now.Before(m.at)
	if !fresh { // others take what is known meanwhile: no lock is held over the query
		m.at = now
	}
	m.mu.Unlock()
	if fresh {
		return known
	}
	ctx, cancel := context.WithTimeout(context.Background(), scrapeLimit)
	defer cancel()
	counts, due, err := m.store.QueueCounts(ctx, authz.Scope{All: true})
	var out []prometheus.Metric
	if err != nil {
		m.log.Warn("metrics: the queue could not be read", "err", err)
	} else {
		out = m.figures(counts, due, now)
	}
	m.mu.Lock()
	m.known = out
	m.mu.Unlock()
	return out
}

func (m *queueMetrics) figures(counts map[publish.DeliveryState]int, due, now time.Time) []prometheus.Metric {
	var out []prometheus.Metric
	for _, st := range []publish.DeliveryState{publish.Waiting, publish.Submitting, publish.Submitted, publish.Unknown, publish.ByHand, publish.Failed} {
		out = append(out, prometheus.MustNewConstMetric(m.deliveries, prometheus.GaugeValue, float64(counts[st]), string(st)))
	}
	late := 0.0
	if counts[publish.Waiting] > 0 && now.After(due) {
		late = now.Sub(due).Seconds()
	}
	return append(out, prometheus.MustNewConstMetric(m.oldest, prometheus.GaugeValue, late))
}
