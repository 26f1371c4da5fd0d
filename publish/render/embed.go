package render

import (
	"encoding/base64"
	"strconv"
	"strings"

	"tongxin/publish/render/formula"
)

// embeddedTheme takes size and colour from the page around it, so that a page
// may enlarge its text or raise its contrast.
func embeddedTheme() theme {
	t := base("", "", palette{
		size: "inherit", lead: "inherit", ink: "inherit", soft: "inherit", accent: "inherit", deep: "inherit",
		tint: "rgba(128,128,128,.15)", line: "#999999", gold: "#999999", gap: ".5em",
	})
	const head = "margin:.5em 0;font-size:1em;font-weight:bold"
	t.H = [6]string{head, head, head, head, head, head}
	t.TdAlt = t.Th[strings.Index(t.Th, "background-color"):strings.Index(t.Th, ";color:")]
	t.Figure, t.Display, t.Rule = "margin:.5em 0;text-align:center", "margin:.5em 0;text-align:center", "margin:.5em 0"
	return t
}

// alone is the paragraph of a document that is nothing else: it needs no box.
func (w *writer) alone() (*block, bool) {
	if !w.opt.Embedded || len(w.doc.blocks) != 1 {
		return nil, false
	}
	b := w.doc.blocks[0]
	return b, b.kind == para && paraStyle(b) == ""
}

func sizeOf(p formula.Picture) string {
	em := func(v float64) string { return strconv.FormatFloat(v, 'f', 3, 64) + `em"` }
	return `width="` + em(p.Width) + ` height="` + em(p.Height+p.Depth)
}

// formulaImage writes a formula as a picture in the address itself: the
// rich-text component of mini-programs shows img and no svg. Its ink is black,
// since a picture knows no colour around it.
func formulaImage(b *strings.Builder, p formula.Picture, tex string) {
	var s strings.Builder
	svg(&s, p)
	text := s.String()
	style := text[strings.Index(text, `style="`) : strings.Index(text, `"><path`)+1]
	// The picture knows its size too, for pages whose policy forbids inline style.
	text = strings.Replace(text, style, sizeOf(p), 1)
	text = strings.Replace(text, "currentColor", "#000", 1)
	b.WriteString(`<img src="data:image/svg+xml;base64,` + base64.StdEncoding.EncodeToString([]byte(text)) + `" alt="` + escapeAttr(tex) + `" ` + style + `>`)
}
