package publish

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"tongxin/internal/authz"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/internal/trail"
	"tongxin/publish/lint"
)

// wordsFor is how long a node goes by its copy of the list: a change on another
// node counts here after that at the latest.
const wordsFor = 30 * time.Second

// wordCache holds the matcher that was built from the list.
type wordCache struct {
	mu    sync.Mutex
	until time.Time
	list  *lint.Words
}

func (c *wordCache) forget() {
	c.mu.Lock()
	c.until, c.list = time.Time{}, nil
	c.mu.Unlock()
}

// matcher is the compiled word list that lint applies. One caller builds it
// while the others wait.
func (s *Service) matcher(ctx context.Context) (*lint.Words, error) {
	c := &s.words
	c.mu.Lock()
	defer c.mu.Unlock()
	now := s.Clock.Now()
	if c.list != nil && now.Before(c.until) {
		return c.list, nil
	}
	words, err := s.wordList(ctx)
	if err != nil {
		return nil, err
	}
	list := make([]lint.Word, len(words))
	for i, w := range words {
		list[i] = lint.Word{Text: w.Text, Kind: w.Kind, Suggest: w.Suggest, Note: w.Note}
	}
	c.list, c.until = lint.NewWords(list), now.Add(wordsFor)
	return c.list, nil
}

// wordList is the house's list, or the one that ships with the program while
// the house has none. Words of the latter have no id.
func (s *Service) wordList(ctx context.Context) ([]Word, error) {
	words, err := s.Store.Words(ctx)
	if err != nil || len(words) > 0 {
		return words, err
	}
	seed, err := lint.SeedWords()
	if err != nil {
		return nil, errs.Wrap(err, errs.Internal, "内置词表无法读取。")
	}
	for _, w := range seed {
		note := w.Note
		if w.Source != "" {
			note += "（据" + w.Source + "）"
		}
		words = append(words, Word{Text: w.Text, Kind: w.Kind, Suggest: w.Suggest, Note: note})
	}
	return words, nil
}

// Words lists the house's words. Whoever works with posts may read it; it
// belongs to no single organisation.
func (s *Service) Words(ctx context.Context, actor *authz.Actor) ([]Word, error) {
	if !actor.Has(PostRead) && !actor.Has(WordsManage) {
		return nil, errs.New(errs.Forbidden, "您没有查看词表的权限，请联系管理员。")
	}
	return s.wordList(ctx)
}

// SaveWord adds a word (no id) or changes one. errs.Conflict when the text is
// in the list already.
func (s *Service) SaveWord(ctx context.Context, actor *authz.Actor, w Word) (*Word, error) {
	if err := mayManageWords(actor); err != nil {
		return nil, err
	}
	w.Text, w.Suggest, w.Note = strings.TrimSpace(w.Text), strings.TrimSpace(w.Suggest), strings.TrimSpace(w.Note)
	if err := checkWord(w); err != nil {
		return nil, err
	}
	if err := s.SeedWords(ctx); err != nil { // the first own word must not take the built-in ones away
		return nil, err
	}
	action := "word.update"
	if w.ID == 0 {
		w.ID, action = s.IDs.New(), "word.add"
	} else if _, err := s.word(ctx, w.ID); err != nil {
		return nil, err
	}
	if err := s.Store.SaveWord(ctx, &w, wordEntry(actor, w, action)); err != nil {
		return nil, err
	}
	s.words.forget()
	return &w, nil
}

// DeleteWord takes a word out of the list.
func (s *Service) DeleteWord(ctx context.Context, actor *authz.Actor, id ids.ID) error {
	if err := mayManageWords(actor); err != nil {
		return err
	}
	w, err := s.word(ctx, id)
	if err != nil {
		return err
	}
	if err := s.Store.DeleteWord(ctx, id, wordEntry(actor, *w, "word.delete")); err != nil {
		return err
	}
	s.words.forget()
	return nil
}

// SeedWords copies the built-in words into an empty list, so that people can
// change them. The program calls it when it starts; doing so again is harmless.
func (s *Service) SeedWords(ctx context.Context) error {
	have, err := s.Store.Words(ctx)
	if err != nil || len(have) > 0 {
		return err
	}
	seed, err := s.wordList(ctx)
	if err != nil {
		return err
	}
	for _, w := range seed {
		w.ID = s.IDs.New()
		err := s.Store.SaveWord(ctx, &w, wordEntry(authz.SystemActor("内置词表"), w, "word.add"))
		if err != nil && !errs.Is(err, errs.Conflict) { // another node seeds at the same time
			return err
		}
	}
	s.words.forget()
	return nil
}

func (s *Service) word(ctx context.Context, id ids.ID) (*Word, error) {
	words, err := s.Store.Words(ctx)
	if err != nil {
		return nil, err
	}
	for i := range words {
		if words[i].ID == id {
			return &words[i], nil
		}
	}
	return nil, errs.Missing("词条")
}

func mayManageWords(actor *authz.Actor) error {
	if !actor.Has(WordsManage) {
		return errs.New(errs.Forbidden, "您没有维护词表的权限，请联系管理员。")
	}
	return nil
}

func checkWord(w Word) error {
	var f errs.Fields
	if n := utf8.RuneCountInString(w.Text); n == 0 || n > 64 {
		f.Add("text", "请填写词语，最多 64 个字。")
	}
	if w.Kind != lint.Sensitive && w.Kind != lint.Typo && w.Kind != lint.Allow {
		f.Add("kind", "请选择敏感词、易错词或放行词。")
	}
	if utf8.RuneCountInString(w.Suggest) > 64 {
		f.Add("suggest", "建议写法最多 64 个字。")
	}
	if utf8.RuneCountInString(w.Note) > 200 {
		f.Add("note", "说明最多 200 个字。")
	}
	if w.Suggest != "" && w.Suggest == w.Text {
		f.Add("suggest", "建议写法与词语相同，请修改其中一个。")
	}
	return f.Err()
}

func wordEntry(actor *authz.Actor, w Word, action string) trail.Entry {
	return trail.Entry{Actor: actor, Action: action, Object: "word", ID: w.ID, Detail: map[string]string{"text": w.Text, "kind": w.Kind, "suggest": w.Suggest}}
}

// Sensitive lists the words of a text that the house's list says must not
// appear, each once and as they are written there.
func (s *Service) Sensitive(ctx context.Context, text string) ([]string, error) {
	list, err := s.matcher(ctx)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, m := range list.Find(text) {
		if quote := text[m.Start:m.End]; m.Word.Kind == lint.Sensitive && !slices.Contains(out, quote) {
			out = append(out, quote)
		}
	}
	return out, nil
}
