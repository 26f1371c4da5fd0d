package publish

import (
	"context"
	"testing"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/clock"
	"tongxin/internal/ids"
	"tongxin/internal/trail"
)

// wordTable is a list that another node may change behind this one's back.
type wordTable struct {
	Store
	words []Word
	reads int
}

func (t *wordTable) Words(context.Context) ([]Word, error) {
	t.reads++
	return t.words, nil
}

func (t *wordTable) SaveWord(_ context.Context, w *Word, _ trail.Entry) error {
	t.words = append(t.words, *w)
	return nil
}

func TestMatcherIsBuiltOnceAndRenewed(t *testing.T) {
	tick := clock.NewManual(time.Date(2026, 3, 2, 1, 0, 0, 0, time.UTC))
	table := &wordTable{words: []Word{{ID: 1, Text: "布署", Kind: "typo", Suggest: "部署"}}}
	s := &Service{Config: Config{Store: table, Clock: tick, IDs: ids.NewSource(tick, 1)}}
	find := func(text string) int {
		t.Helper()
		m, err := s.matcher(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return len(m.Find(text))
	}
	if find("工作布署") != 1 || find("布署") != 1 || table.reads != 1 {
		t.Fatalf("%d reads for two uses", table.reads)
	}
	table.words = append(table.words, Word{ID: 2, Text: "按装", Kind: "typo"}) // by another node
	if find("按装") != 0 {
		t.Fatal("the list is not kept")
	}
	tick.Add(wordsFor)
	if find("按装") != 1 {
		t.Fatal("another node's change does not arrive")
	}
	if _, err := s.SaveWord(t.Context(), authz.SystemActor("test"), Word{Text: "坐落位置", Kind: "typo"}); err != nil {
		t.Fatal(err)
	}
	if find("坐落位置") != 1 {
		t.Fatal("an own change counts only later")
	}
}
