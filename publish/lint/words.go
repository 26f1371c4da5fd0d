package lint

import (
	_ "embed"
	"encoding/json"
	"sort"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Kinds of words.
const (
	Sensitive = "sensitive" // must not appear as it stands
	Typo      = "typo"      // easily mistyped
	Allow     = "allow"     // correct text that contains another entry (“发布署名” and “布署”)
)

// Word is one entry of a list.
type Word struct {
	Text    string `json:"text"`
	Kind    string `json:"kind"`
	Suggest string `json:"suggest,omitempty"` // what to write instead
	Note    string `json:"note,omitempty"`    // why, for people
	Source  string `json:"source,omitempty"`  // where the rule comes from
	Date    string `json:"date,omitempty"`    // when the source said so
}

//go:embed seed.json
var seedJSON []byte

type seed struct {
	Version string            `json:"version"`
	Sources map[string]source `json:"sources"`
	Words   []Word            `json:"words"`
}

type source struct{ Title, Date string }

// SeedWords is the list that ships with the program: terms that are easily
// mistyped in the writing of party organisations, each with its source.
// Branches add their own.
func SeedWords() ([]Word, error) {
	var s seed
	if err := json.Unmarshal(seedJSON, &s); err != nil {
		return nil, err
	}
	for i := range s.Words {
		src := s.Sources[s.Words[i].Source]
		s.Words[i].Source, s.Words[i].Date = src.Title, src.Date
	}
	return s.Words, nil
}

// Match is one word found in a text. Start and End are byte offsets; between
// them may stand white space that was typed to break the word up.
type Match struct {
	Word       Word
	Start, End int
}

// Words finds all words of a list in one pass (Aho and Corasick 1975). It is
// built once per list and safe for concurrent use.
type Words struct {
	list  []Word
	next  map[edge]int32
	fail  []int32
	out   [][]int32 // words ending at a node
	sizes []int     // length of each word in characters that count
}

type edge struct {
	node int32
	c    rune
}

// NewWords builds the matcher. Entries without text are left out; of two with
// the same text the later counts (a branch's list after the seed).
func NewWords(list []Word) *Words {
	w := &Words{next: map[edge]int32{}, fail: []int32{0}, out: [][]int32{nil}}
	byText := map[string]int{}
	for _, x := range list {
		key := string(letters(x.Text))
		if key == "" {
			continue
		}
		if i, ok := byText[key]; ok {
			w.list[i] = x
			continue
		}
		byText[key] = len(w.list)
		w.list = append(w.list, x)
		w.add(key, int32(len(w.list)-1))
	}
	w.link()
	return w
}

func (w *Words) add(key string, id int32) {
	at, n := int32(0), 0
	for _, c := range key {
		n++
		to, ok := w.next[edge{at, c}]
		if !ok {
			to = int32(len(w.out))
			w.next[edge{at, c}] = to
			w.out = append(w.out, nil)
			w.fail = append(w.fail, 0)
		}
		at = to
	}
	w.out[at] = append(w.out[at], id)
	w.sizes = append(w.sizes, n)
}

// link sets the failure edges breadth first. Nodes were numbered depth first,
// so the children of each are gathered first.
func (w *Words) link() {
	kids := make([][]edge, len(w.out))
	for e, to := range w.next {
		kids[e.node] = append(kids[e.node], edge{to, e.c})
	}
	queue := []int32{0}
	for len(queue) > 0 {
		at := queue[0]
		queue = queue[1:]
		for _, k := range kids[at] {
			if at != 0 {
				w.fail[k.node] = w.step(w.fail[at], k.c)
			}
			w.out[k.node] = append(w.out[k.node], w.out[w.fail[k.node]]...)
			queue = append(queue, k.node)
		}
	}
}

func (w *Words) step(at int32, c rune) int32 {
	for {
		if to, ok := w.next[edge{at, c}]; ok {
			return to
		}
		if at == 0 {
			return 0
		}
		at = w.fail[at]
	}
}

// Find returns the matches in text, in order. White space and zero-width
// characters between two Chinese characters do not hide a word, nor do case
// and full-width letters; Latin words match only whole. A match inside an
// allowed word is dropped, and so is one inside a longer match.
func (w *Words) Find(text string) []Match {
	if w == nil || len(w.list) == 0 {
		return nil
	}
	cs := counting(text)
	var found []Match
	at := int32(0)
	for i := range cs {
		at = w.step(at, cs[i].c)
		for _, id := range w.out[at] {
			from := i - w.sizes[id] + 1
			if whole(cs, from, i) {
				found = append(found, Match{w.list[id], cs[from].at, cs[i].end})
			}
		}
	}
	return resolve(found)
}

// resolve drops matches that lie inside an allowed or a longer one.
func resolve(in []Match) []Match {
	sort.SliceStable(in, func(i, j int) bool {
		if in[i].Start != in[j].Start {
			return in[i].Start < in[j].Start
		}
		return in[i].End > in[j].End
	})
	out := in[:0:0]
	reach := -1 // furthest end of what came before, which started no later
	for _, m := range in {
		if m.End <= reach {
			continue
		}
		reach = m.End
		if m.Word.Kind != Allow {
			out = append(out, m)
		}
	}
	return out
}

type char struct {
	c       rune
	at, end int
}

// counting lists the characters that take part in matching.
func counting(text string) []char {
	out := make([]char, 0, len(text)/2)
	gap := false
	for i := 0; i < len(text); {
		c, n := utf8.DecodeRuneInString(text[i:])
		switch {
		case zeroWidth(c):
		case c == ' ' || c == '\t' || c == '\u00a0' || c == '\u3000':
			gap = true
		default:
			if gap && (len(out) == 0 || !unicode.Is(unicode.Han, out[len(out)-1].c) || !unicode.Is(unicode.Han, c)) {
				out = append(out, char{' ', i, i})
			}
			gap = false
			out = append(out, char{fold(c), i, i + n})
		}
		i += n
	}
	return out
}

func letters(s string) []rune {
	var out []rune
	for _, c := range counting(strings.TrimSpace(s)) {
		out = append(out, c.c)
	}
	return out
}

// fold lowers case and narrows full-width letters and digits.
func fold(c rune) rune {
	if c >= '！' && c <= '～' && (unicode.IsLetter(c) || unicode.IsDigit(c)) {
		c -= '！' - '!'
	}
	return unicode.ToLower(c)
}

func zeroWidth(c rune) bool {
	return c >= 0x200b && c <= 0x200f || c >= 0x2060 && c <= 0x2064 || c == 0xfeff || c == 0xad
}

// whole reports that a match does not begin or end inside a Latin word.
func whole(cs []char, from, to int) bool {
	latin := func(c rune) bool { return c < 0x2e80 && (unicode.IsLetter(c) || unicode.IsDigit(c)) }
	if latin(cs[from].c) && from > 0 && latin(cs[from-1].c) {
		return false
	}
	return !latin(cs[to].c) || to+1 >= len(cs) || !latin(cs[to+1].c)
}
