package quiz

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// Tidy is c without outer blanks, empty trailing parts and parts of no meaning:
// what people leave behind in forms and tables. It never invents anything.
func (c Content) Tidy() Content {
	lines := strings.NewReplacer("\r\n", "\n", "\r", "\n")
	trim := func(s *string) { *s = strings.TrimSpace(lines.Replace(*s)) }
	each := func(list []string) []string {
		out := slices.Clone(list)
		for i := range out {
			trim(&out[i])
		}
		return out
	}
	trim(&c.Stem)
	if c.Kind == Fill {
		c.Stem = blankRun.ReplaceAllString(c.Stem, "___")
	}
	trim(&c.Explanation)
	trim(&c.Source)
	c.Source = strings.ReplaceAll(c.Source, "\n", " ")
	c.Options = slices.Clone(c.Options)
	for i := range c.Options {
		trim(&c.Options[i].Text)
	}
	c.Blanks = slices.Clone(c.Blanks)
	for i := range c.Blanks {
		c.Blanks[i].Accept = each(c.Blanks[i].Accept)
	}
	c.Pairs = slices.Clone(c.Pairs)
	for i := range c.Pairs {
		trim(&c.Pairs[i].Left)
		trim(&c.Pairs[i].Right)
	}
	c.Rubric = slices.Clone(c.Rubric)
	for i := range c.Rubric {
		trim(&c.Rubric[i].Text)
	}
	c.Items, c.Extra, c.Topics = each(c.Items), each(c.Extra), each(c.Topics)
	return c
}

func (c *Content) parts() int {
	n := len(c.Options) + len(c.Blanks) + len(c.Items) + len(c.Pairs) + len(c.Extra) + len(c.Rubric) + len(c.Topics)
	for _, b := range c.Blanks {
		n += len(b.Accept)
	}
	return n
}

// SameKey is equal for contents that say the same in the same way.
func SameKey(c *Content) string {
	// Empty lists and absent ones are one: both are left out of the JSON, but for Topics.
	b, err := json.Marshal(c)
	if err != nil { // a number that is none: Check refuses it, no key is ever stored
		b = fmt.Appendf(nil, "%#v", c)
	}
	return digest(string(b))
}

// StemKey is equal for stems that people read as the same: blanks, width, case
// and punctuation do not count. Signs of arithmetic do.
func StemKey(c *Content) string {
	return digest(strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.IsPunct(r) && !strings.ContainsRune("-*/%", r) {
			return -1
		}
		return r
	}, Fold(c.Stem)))
}

func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

// maxFind bounds what is searched of one question, in characters.
const maxFind = 2000

// FindText is what a search looks through.
func FindText(c *Content) string {
	list := []string{c.Stem}
	for _, o := range c.Options {
		list = append(list, o.Text)
	}
	for _, p := range c.Pairs {
		list = append(list, p.Left, p.Right)
	}
	for _, b := range c.Blanks {
		list = append(list, b.Accept...)
	}
	list = append(append(append(list, c.Items...), c.Source), c.Topics...)
	return clip(Fold(strings.Join(list, "\n")), maxFind)
}

// picture finds the reference of a Markdown picture.
var pictureRef = regexp.MustCompile(`!\[[^\]]*\]\(\s*<?([^)\s>]*)`)

var assetRef = regexp.MustCompile(`^asset:[0-9a-f]{64}$`)

// Pictures lists the hashes of the library's pictures in c, each once.
func (c *Content) Pictures() []string {
	var out []string
	for _, p := range c.pictures() {
		out = append(out, p.text)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func (c *Content) pictures() []part {
	var out []part
	for _, p := range c.markdown() {
		for _, m := range pictureRef.FindAllStringSubmatch(p.text, -1) {
			if hash, ok := strings.CutPrefix(m[1], "asset:"); ok {
				out = append(out, part{p.field, hash})
			}
		}
	}
	return out
}

// markdown lists the texts that are shown as Markdown, with their fields.
func (c *Content) markdown() []part {
	out := []part{{"stem", c.Stem}, {"explanation", c.Explanation}, {"source", c.Source}}
	for i, o := range c.Options {
		out = append(out, part{fmt.Sprintf("options[%d].text", i), o.Text})
	}
	out = append(out, named("items[%d]", c.Items)...)
	out = append(out, named("extra[%d]", c.Extra)...)
	for i, p := range c.Pairs {
		out = append(out, part{fmt.Sprintf("pairs[%d].left", i), p.Left}, part{fmt.Sprintf("pairs[%d].right", i), p.Right})
	}
	return out
}
