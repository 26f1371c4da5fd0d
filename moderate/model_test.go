package moderate_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tongxin/internal/authz"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/internal/page"
	"tongxin/moderate"
)

// machine is the model: what may have become of each text, whatever the order
// in which two nodes, people, WeChat and the clock come.
type machine struct {
	*house
	nodes   []*moderate.Service
	boss    *authz.Actor
	items   map[ids.ID]string // texts by item
	latest  map[ids.ID]int64  // revisions by object
	mu      sync.Mutex
	mode    string
	busy    map[string]int             // checks of a text under way
	said    map[string]map[string]bool // what WeChat ever said of a text
	person  map[ids.ID]bool            // last decision of a person: pass or not
	during  string                     // a person decides in the middle of the next "check" or "tell"
	pass    bool
	between ids.ID // what that person decided last
	bad     []string
}

func (m *machine) answer(a moderate.Ask) (moderate.Answer, error) {
	m.mu.Lock()
	m.busy[a.Text]++
	if m.busy[a.Text] > 1 {
		m.bad = append(m.bad, "two checks of one text at once")
	}
	mode := m.mode
	if m.said[a.Text] == nil {
		m.said[a.Text] = map[string]bool{}
	}
	m.said[a.Text][mode] = true
	m.mu.Unlock()
	defer func() {
		m.mu.Lock()
		m.busy[a.Text]--
		m.mu.Unlock()
	}()
	m.intrude("check", func(it moderate.Item) bool { return it.Text == a.Text })
	switch mode {
	case "pass", "review", "risky":
		return moderate.Answer{Suggest: moderate.Suggest(mode), Label: 20001}, nil
	}
	return moderate.Answer{}, &moderate.Trouble{Why: moderate.Hold(mode)}
}

// intrude lets a person decide an item while a node is in the middle of it.
func (m *machine) intrude(when string, which func(moderate.Item) bool) {
	m.mu.Lock()
	hit := m.during == when
	if hit {
		m.during = ""
	}
	m.mu.Unlock()
	if !hit {
		return
	}
	list, err := m.nodes[0].List(context.Background(), m.boss, moderate.Query{}, page.Request{Limit: 200})
	if err != nil {
		m.fault(err)
		return
	}
	for _, it := range list.Items {
		if which(it) && it.State != moderate.Replaced {
			_, err := m.nodes[1].Decide(context.Background(), m.boss, it.ID, it.Version, moderate.Verdict{Pass: m.pass, Reason: "理由"})
			if err != nil {
				if !errs.Is(err, errs.Stale) {
					m.fault(err)
				}
				return
			}
			m.mu.Lock()
			m.person[it.ID], m.between = m.pass, it.ID
			m.mu.Unlock()
			return
		}
	}
}

func (m *machine) fault(err error) {
	m.mu.Lock()
	m.bad = append(m.bad, err.Error())
	m.mu.Unlock()
}

func TestModel(t *testing.T) {
	h := open(t)
	second := h.node()
	object := ids.ID(1000)
	rapid.Check(t, func(rt *rapid.T) {
		h.mu.Lock()
		h.told, h.asked, h.deaf = nil, nil, false
		h.mu.Unlock()
		m := &machine{
			house: h, nodes: []*moderate.Service{h.svc, second}, boss: h.reviewer("党委"), items: map[ids.ID]string{}, latest: map[ids.ID]int64{},
			mode: "pass", busy: map[string]int{}, said: map[string]map[string]bool{}, person: map[ids.ID]bool{},
		}
		h.set(m.answer)
		h.meanwhile = func(d moderate.Decision) {
			m.intrude("tell", func(it moderate.Item) bool { return it.ObjectID == d.ObjectID && it.Revision == d.Revision })
		}
		base := object
		object += 3
		rt.Repeat(map[string]func(*rapid.T){
			"hand in": func(rt *rapid.T) {
				o := base + ids.ID(rapid.IntRange(0, 2).Draw(rt, "object"))
				rev := m.latest[o] + int64(rapid.IntRange(0, 1).Draw(rt, "new revision"))
				text := fmt.Sprint("内容", o, "/", rev)
				if rapid.IntRange(0, 9).Draw(rt, "word") == 0 {
					text += "坏词"
				}
				r, err := m.nodes[rapid.IntRange(0, 1).Draw(rt, "node")].Text(context.Background(), m.words(o, rev, text))
				if err != nil {
					rt.Fatal(err)
				}
				m.latest[o] = rev
				if m.items[r.ID] == "" {
					m.items[r.ID] = text
				}
			},
			"wechat": func(rt *rapid.T) {
				m.mu.Lock()
				m.mode = rapid.SampledFrom([]string{"pass", "pass", "review", "risky", "down", "inactive", "no_program"}).Draw(rt, "mode")
				m.mu.Unlock()
			},
			"clock": func(rt *rapid.T) {
				h.clock.Add(time.Duration(rapid.SampledFrom([]int{1, 20, 70, 900, 30000}).Draw(rt, "seconds")) * time.Second)
			},
			"work": func(*rapid.T) {
				var wg sync.WaitGroup
				for _, n := range m.nodes {
					wg.Go(func() { n.Round(context.Background()) })
				}
				wg.Wait()
			},
			"meanwhile": func(rt *rapid.T) {
				m.mu.Lock()
				m.during, m.pass = rapid.SampledFrom([]string{"check", "tell"}).Draw(rt, "during"), rapid.Bool().Draw(rt, "pass")
				m.mu.Unlock()
			},
			"visit": func(rt *rapid.T) { okr(rt, m.nodes[0].Visited(context.Background(), 9)) },
			"deaf": func(rt *rapid.T) {
				h.mu.Lock()
				h.deaf = rapid.Bool().Draw(rt, "deaf")
				h.mu.Unlock()
			},
			// A person decides while both nodes work.
			"decide": func(rt *rapid.T) {
				if len(m.items) == 0 {
					rt.Skip()
				}
				id := rapid.SampledFrom(slices.Sorted(maps.Keys(m.items))).Draw(rt, "item")
				v := moderate.Verdict{Pass: rapid.Bool().Draw(rt, "pass"), Reason: "理由"}
				version := m.item(id).Version - int64(rapid.IntRange(0, 1).Draw(rt, "stale"))
				m.between = 0
				var wg sync.WaitGroup
				for _, n := range m.nodes {
					wg.Go(func() { n.Round(context.Background()) })
				}
				_, err := m.nodes[0].Decide(context.Background(), m.boss, id, version, v)
				wg.Wait()
				if err == nil { // who came in the middle came later
					if m.between != id {
						m.person[id] = v.Pass
					}
				} else if !errs.Is(err, errs.Stale) && !errs.Is(err, errs.Conflict) {
					rt.Fatal(err)
				}
			},
			"": func(rt *rapid.T) { m.holds(rt) },
		})
		m.settles(rt)
	})
}

// holds is what is true at every moment.
func (m *machine) holds(rt *rapid.T) {
	if len(m.bad) > 0 {
		rt.Fatal(m.bad)
	}
	open := map[ids.ID]int64{}
	for id, text := range m.items {
		it := m.item(id)
		pass, decided := m.person[id]
		switch {
		case decided && it.State != map[bool]moderate.State{true: moderate.Passed, false: moderate.Refused}[pass]:
			rt.Fatalf("a person decided %v, it is %s", pass, it.State)
		case it.State == moderate.Passed && !decided && (!m.said[text]["pass"] || strings.Contains(text, "坏词")):
			rt.Fatalf("%q passed and nobody said so", text)
		case it.State == moderate.Refused && !decided && !m.said[text]["risky"] && !strings.Contains(text, "坏词"):
			rt.Fatalf("%q refused and nobody said so", text)
		case it.State == moderate.Waiting || it.State == moderate.InReview:
			if open[it.ObjectID] != 0 || it.Revision != m.latest[it.ObjectID] {
				rt.Fatalf("object %d: revision %d is open, the latest is %d", it.ObjectID, it.Revision, m.latest[it.ObjectID])
			}
			open[it.ObjectID] = it.Revision + 1
		}
		if it.State == moderate.Waiting && it.NextAt.IsZero() {
			rt.Fatalf("%q waits for nothing", text)
		}
	}
}

// settles: once everything works again and time passes, nothing waits, and the
// domain's last word on each text is the verdict that stands.
func (m *machine) settles(rt *rapid.T) {
	m.house.mu.Lock()
	m.deaf = false
	m.house.mu.Unlock()
	m.mu.Lock()
	m.mode = "pass"
	m.mu.Unlock()
	for range 4 {
		m.clock.Add(25 * time.Hour)
		for _, n := range m.nodes {
			for n.Round(context.Background()) > 0 {
			}
		}
	}
	m.holds(rt)
	last := map[[2]int64]bool{}
	for _, d := range m.told {
		last[[2]int64{int64(d.ObjectID), d.Revision}] = d.Passed
	}
	rows, err := m.store.Items(context.Background(), moderate.Filter{Scope: authz.Scope{All: true}}, page.Request{Limit: 200})
	okr(rt, err)
	seen := map[[2]int64]bool{}
	for _, it := range rows {
		if m.items[it.ID] == "" {
			continue
		}
		key := [2]int64{int64(it.ObjectID), it.Revision}
		if seen[key] {
			rt.Fatalf("two items of %v", key)
		}
		seen[key] = true
		told, any := last[key]
		if it.State == moderate.Waiting || !it.NextAt.IsZero() {
			rt.Fatalf("something is left to do: %+v", it)
		}
		if any != it.State.Final() || any && told != (it.State == moderate.Passed) {
			rt.Fatalf("%v is %s, the domain heard %v (%v)", key, it.State, told, any)
		}
	}
}

func okr(rt *rapid.T, err error) {
	rt.Helper()
	if err != nil {
		rt.Fatal(err)
	}
}
