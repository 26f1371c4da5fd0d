package render

import (
	"strconv"
	"strings"
)

// Word and WPS paste lists as paragraphs: style="mso-list:l0 level2 lfo1" with
// the bullet as text. They become lists again.

type msoItem struct {
	list   string // "l0"
	level  int    // 1–
	marker string // "1." or "·" or "一、"
}

func msoList(style string) *msoItem {
	if !strings.Contains(style, "mso-list") {
		return nil
	}
	var m *msoItem
	declarations(style, func(p, v string) {
		if p != "mso-list" {
			return
		}
		f := strings.Fields(strings.ToLower(v))
		if len(f) < 2 || !strings.HasPrefix(f[1], "level") {
			return
		}
		n, err := strconv.Atoi(f[1][len("level"):])
		if err != nil || n < 1 {
			return
		}
		m = &msoItem{list: f[0], level: min(n, maxLists)}
	})
	return m
}

// kindOf tells bullets and plain numbers from numbering that is part of the
// text: 一、 （一） 第一条 are how official documents count and stay as typed.
func (m *msoItem) kindOf() (ordered bool, start int, ok bool) {
	s := strings.TrimSpace(m.marker)
	if s == "" || len([]rune(s)) == 1 && !strings.ContainsAny(s, "0123456789") && !isHan(s) {
		return false, 1, true
	}
	body := strings.TrimRight(s, ".)、．）")
	if body == s {
		return false, 1, false
	}
	if n, err := strconv.Atoi(body); err == nil && n > 0 && n < 10000 {
		return true, n, true
	}
	if len(body) == 1 && body[0] >= 'a' && body[0] <= 'z' {
		return true, int(body[0]-'a') + 1, true
	}
	return false, 1, false
}

func isHan(s string) bool {
	for _, c := range s {
		return wide(c)
	}
	return false
}

// msoParagraph keeps a Word list paragraph for grouping, or makes it an
// ordinary one with its number in front.
func (r *reader) msoParagraph(b *block, m *msoItem) {
	if _, _, ok := m.kindOf(); !ok {
		b.runs = append([]run{{kind: text, text: m.marker}}, b.runs...)
		*r.into = append(*r.into, r.finish(b)...)
		return
	}
	for _, p := range r.finish(b) {
		if p.kind == para {
			p.mso, p.indent = m, false
		}
		*r.into = append(*r.into, p)
	}
}

// groupMso turns runs of Word list paragraphs into nested lists.
func groupMso(in []*block) []*block {
	out := make([]*block, 0, len(in))
	var stack []*block // open lists, by level
	for _, b := range in {
		if b.mso == nil {
			if b.kind != blank || len(stack) == 0 { // Word leaves blanks between items
				stack = nil
				out = append(out, b)
			}
			continue
		}
		ordered, start, _ := b.mso.kindOf()
		level := b.mso.level
		b.mso = nil
		if len(stack) > level {
			stack = stack[:level]
		}
		if len(stack) == level && stack[level-1].ordered != ordered {
			stack = stack[:level-1]
		}
		if len(stack) < level { // a skipped level is not a reason for an empty list
			l := &block{kind: list, ordered: ordered, start: start}
			if len(stack) == 0 {
				out = append(out, l)
			} else {
				items := stack[len(stack)-1].kids
				last := items[len(items)-1]
				last.kids = append(last.kids, l)
			}
			stack = append(stack, l)
		}
		l := stack[len(stack)-1]
		l.kids = append(l.kids, &block{kind: item, kids: []*block{b}})
	}
	return out
}
