package publish_test

import (
	"testing"

	"tongxin/internal/authz"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/internal/trail"
	"tongxin/publish"
	"tongxin/publish/lint"
)

func entryOf(actor *authz.Actor) trail.Entry {
	return trail.Entry{Actor: actor, Action: "test", Object: "post"}
}

func TestWordList(t *testing.T) {
	l := newLibrary(t)
	ctx, boss := t.Context(), manager("/1/")
	seed, err := lint.SeedWords()
	l.must(err)
	before, err := l.Words(ctx, boss)
	if err != nil || len(before) != len(seed) || before[0].ID != 0 {
		t.Fatalf("before anything: %d words of %d, %v", len(before), len(seed), err)
	}
	w, err := l.SaveWord(ctx, boss, publish.Word{Text: " 同心园 ", Kind: lint.Typo, Suggest: "同心苑"})
	l.must(err)
	after, err := l.Words(ctx, boss)
	if err != nil || len(after) != len(seed)+1 {
		t.Fatalf("the first own word left %d words, %v; the built-in ones must stay", len(after), err)
	}
	for _, x := range after {
		if x.ID == 0 {
			t.Fatalf("%q cannot be changed", x.Text)
		}
	}
	_, err = l.SaveWord(ctx, boss, publish.Word{Text: "同心园", Kind: lint.Sensitive})
	wants(t, err, errs.Conflict)
	w.Note = "小区名"
	if got, err := l.SaveWord(ctx, boss, *w); err != nil || got.ID != w.ID {
		t.Fatalf("changed %+v, %v", got, err)
	}
	_, err = l.SaveWord(ctx, boss, publish.Word{ID: ids.ID(77), Text: "没有", Kind: lint.Typo})
	wants(t, err, errs.NotFound)
	_, err = l.SaveWord(ctx, boss, publish.Word{Text: "", Kind: "x", Suggest: ""})
	wants(t, err, errs.Invalid, "text", "kind")
	l.must(l.DeleteWord(ctx, boss, w.ID))
	wants(t, l.DeleteWord(ctx, boss, w.ID), errs.NotFound)
	l.must(l.SeedWords(ctx))
	if again, err := l.Words(ctx, boss); err != nil || len(again) != len(seed) {
		t.Fatalf("seeding again made %d words, %v", len(again), err)
	}
}

func TestWordRights(t *testing.T) {
	l := newLibrary(t)
	ctx, editor := t.Context(), at("/1/", publish.PostRead)
	if _, err := l.Words(ctx, editor); err != nil {
		t.Fatalf("an editor reads: %v", err)
	}
	_, err := l.Words(ctx, at("/1/", publish.AccountRead))
	wants(t, err, errs.Forbidden)
	_, err = l.SaveWord(ctx, editor, publish.Word{Text: "词", Kind: lint.Typo})
	wants(t, err, errs.Forbidden)
	wants(t, l.DeleteWord(ctx, editor, 1), errs.Forbidden)
}
