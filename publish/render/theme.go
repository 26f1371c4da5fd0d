package render

// theme is the look of an article: inline CSS by element, as data. Sizes in em
// follow the size of the root. Colours keep a contrast of at least 4.5:1 on
// their ground, so that older readers can read every line.
type theme struct {
	ThemeInfo
	Root    string // the section around everything
	P       string
	H       [6]string // h1–h6
	HSpan   [6]string // a span inside the heading, "" for none
	Strong  string
	Link    string // text of a link that became a footnote, and live links
	Sup     string // footnote numbers
	Code    string // code in a line
	Pre     string // ground of a code block
	PreCode string
	Quote   string
	QuoteP  string
	List    string
	Item    string // without the indentation, which the writer adds
	Marker  string
	Table   string
	Th      string
	Td      string
	TdAlt   string // added to every second row
	Figure  string
	Img     string
	Caption string
	Rule    string
	Display string // a formula on its own line
	Notes   string // the section at the end
	NotesH  string // its title
	Note    string
	Ink     inks
}

// inks are the colours of highlighted code.
type inks struct{ keyword, str, comment, number, name, tag string }

// ThemeInfo names a theme.
type ThemeInfo struct{ ID, Name string }

// Themes lists the themes; the first is the default.
func Themes() []ThemeInfo {
	all := themes()
	out := make([]ThemeInfo, len(all))
	for i, t := range all {
		out[i] = t.ThemeInfo
	}
	return out
}

func themeOf(id string) *theme {
	all := themes()
	for i := range all {
		if all[i].ID == id {
			return &all[i]
		}
	}
	return &all[0]
}

// palette is what most themes differ in.
type palette struct {
	size, lead         string // text size, line height
	ink, soft          string // text, captions and notes
	accent, deep, tint string // marks, headings and strong words, pale ground
	line               string // borders
	gold               string // the bar of quotes
	gap                string // space after a paragraph
}

// base fills everything that follows from the palette.
func base(id, name string, c palette) theme {
	mono := "font-family:Menlo,Consolas,'Courier New',monospace;"
	return theme{
		ThemeInfo: ThemeInfo{id, name},
		Root:      "font-size:" + c.size + ";line-height:" + c.lead + ";color:" + c.ink + ";word-break:break-word;text-align:left",
		P:         "margin:0 0 " + c.gap + ";color:" + c.ink,
		Strong:    "color:" + c.deep,
		Link:      "color:" + c.accent,
		Sup:       "font-size:.7em;line-height:0;color:" + c.accent,
		Code:      mono + "font-size:.88em;background-color:" + c.tint + ";color:" + c.deep + ";padding:2px 4px;border-radius:3px",
		Pre:       "margin:1.2em 0;padding:14px 16px;background-color:#f6f7f9;border-radius:6px;overflow-x:auto;font-size:13px;line-height:1.65",
		PreCode:   mono + "font-size:13px;color:#2f3640;white-space:nowrap",
		Quote:     "margin:1.2em 0;padding:12px 16px;background-color:" + c.tint + ";border-left:3px solid " + c.gold,
		QuoteP:    "margin:0 0 .6em;color:" + c.ink,
		List:      "margin:0 0 " + c.gap + ";padding:0;list-style:none",
		Item:      "margin:0 0 .4em;color:" + c.ink + ";list-style:none",
		Marker:    "display:inline-block;text-indent:0;color:" + c.accent,
		Table:     "width:100%;border-collapse:collapse;font-size:.9em;line-height:1.6;text-align:left;color:" + c.ink,
		Th:        "text-align:left;padding:8px 10px;border:1px solid " + c.line + ";background-color:" + c.tint + ";color:" + c.deep + ";font-weight:bold",
		Td:        "padding:8px 10px;border:1px solid " + c.line,
		TdAlt:     "background-color:#fafafa",
		Figure:    "margin:1.4em 0;text-align:center",
		Img:       "max-width:100%;height:auto;vertical-align:middle;border-radius:4px",
		Caption:   "margin:.5em 0 0;font-size:.82em;line-height:1.5;text-align:center;color:" + c.soft,
		Rule:      "margin:2em auto;border:0;border-top:1px solid " + c.line + ";width:100%",
		Display:   "margin:1.2em 0;text-align:center;overflow-x:auto;color:" + c.ink,
		Notes:     "margin:2.4em 0 0;padding:1em 0 0;border-top:1px solid " + c.line,
		NotesH:    "margin:0 0 .6em;font-size:.9em;font-weight:bold;color:" + c.deep,
		Note:      "margin:0 0 .4em;font-size:.82em;line-height:1.6;word-break:break-all;color:" + c.soft,
		Ink:       inks{"#a626a4", "#3d7a32", "#6a737d", "#986801", "#2f5fb3", "#c0392b"},
	}
}

func themes() []theme {
	return []theme{plainTheme(), redTheme(), blueTheme(), largeTheme()}
}

func plainTheme() theme {
	t := base("plain", "简洁", palette{
		size: "16px", lead: "1.8", ink: "#3a3a3a", soft: "#707070",
		accent: "#576b95", deep: "#1f1f1f", tint: "#f6f6f6", line: "#e3e3e3", gold: "#cfcfcf", gap: "1.1em",
	})
	t.H = [6]string{
		"margin:1.6em 0 1em;font-size:1.4em;line-height:1.4;font-weight:bold;text-align:center;color:#1f1f1f",
		"margin:2em 0 .9em;padding:0 0 .35em;font-size:1.22em;line-height:1.4;font-weight:bold;color:#1f1f1f;border-bottom:1px solid #e3e3e3",
		"margin:1.6em 0 .7em;font-size:1.1em;line-height:1.5;font-weight:bold;color:#1f1f1f",
		"margin:1.4em 0 .6em;font-size:1em;line-height:1.6;font-weight:bold;color:#1f1f1f",
		"margin:1.2em 0 .5em;font-size:1em;line-height:1.6;font-weight:bold;color:#555555",
		"margin:1.2em 0 .5em;font-size:.92em;line-height:1.6;font-weight:bold;color:#555555",
	}
	return t
}

func redTheme() theme {
	t := base("red", "党建红", palette{
		size: "16px", lead: "1.8", ink: "#333333", soft: "#7a6a63",
		accent: "#b8141c", deep: "#a3101a", tint: "#fdf5f2", line: "#ecd5cf", gold: "#d3a24c", gap: "1.1em",
	})
	t.H = [6]string{
		"margin:1.6em 0 1.2em;font-size:1.4em;line-height:1.45;font-weight:bold;text-align:center;color:#b8141c",
		"margin:2em 0 1em;padding:.3em 0 .3em .7em;font-size:1.2em;line-height:1.4;font-weight:bold;color:#a3101a;border-left:5px solid #c8161d;background-color:#fdf5f2",
		"margin:1.6em 0 .8em;padding:0 0 0 .6em;font-size:1.08em;line-height:1.4;font-weight:bold;color:#a3101a;border-left:3px solid #d3a24c",
		"margin:1.4em 0 .6em;font-size:1em;line-height:1.6;font-weight:bold;color:#a3101a",
		"margin:1.2em 0 .5em;font-size:1em;line-height:1.6;font-weight:bold;color:#5c4a44",
		"margin:1.2em 0 .5em;font-size:.92em;line-height:1.6;font-weight:bold;color:#5c4a44",
	}
	t.HSpan[0] = "display:inline-block;padding:0 .6em .4em;border-bottom:2px solid #d3a24c"
	t.Th = "text-align:left;padding:8px 10px;border:1px solid #b8141c;background-color:#b8141c;color:#ffffff;font-weight:bold"
	t.TdAlt = "background-color:#fefaf8"
	t.Rule = "margin:2em auto;border:0;border-top:2px solid #d3a24c;width:30%"
	return t
}

func blueTheme() theme {
	t := base("blue", "学习蓝", palette{
		size: "16px", lead: "1.8", ink: "#33383f", soft: "#66707c",
		accent: "#1f5fa8", deep: "#174a85", tint: "#f2f6fb", line: "#d5e0ed", gold: "#6d9fd6", gap: "1.1em",
	})
	t.H = [6]string{
		"margin:1.6em 0 1.2em;font-size:1.4em;line-height:1.45;font-weight:bold;text-align:center;color:#174a85",
		"margin:2em 0 1.1em;font-size:1.15em;line-height:1.4;font-weight:bold;text-align:center;color:#ffffff",
		"margin:1.6em 0 .8em;padding:0 0 0 .6em;font-size:1.08em;line-height:1.4;font-weight:bold;color:#174a85;border-left:4px solid #1f5fa8",
		"margin:1.4em 0 .6em;font-size:1em;line-height:1.6;font-weight:bold;color:#174a85",
		"margin:1.2em 0 .5em;font-size:1em;line-height:1.6;font-weight:bold;color:#4a5562",
		"margin:1.2em 0 .5em;font-size:.92em;line-height:1.6;font-weight:bold;color:#4a5562",
	}
	t.HSpan[1] = "display:inline-block;padding:.3em 1em;background-color:#1f5fa8;color:#ffffff;border-radius:4px"
	t.TdAlt = "background-color:#f8fafd"
	t.Rule = "margin:2em auto;border:0;border-top:1px dashed #6d9fd6;width:60%"
	return t
}

// largeTheme is for older readers: bigger, darker, looser, nothing pale.
func largeTheme() theme {
	t := base("large", "长者大字", palette{
		size: "21px", lead: "1.85", ink: "#1a1a1a", soft: "#4a4a4a",
		accent: "#9c1b1b", deep: "#8a1414", tint: "#f7f3ee", line: "#b9b1a6", gold: "#9c1b1b", gap: "1.1em",
	})
	t.H = [6]string{
		"margin:1.4em 0 1em;font-size:1.35em;line-height:1.4;font-weight:bold;text-align:center;color:#8a1414",
		"margin:1.7em 0 .8em;padding:0 0 0 .5em;font-size:1.2em;line-height:1.4;font-weight:bold;color:#8a1414;border-left:6px solid #9c1b1b",
		"margin:1.5em 0 .7em;font-size:1.1em;line-height:1.5;font-weight:bold;color:#1a1a1a",
		"margin:1.3em 0 .6em;font-size:1.05em;line-height:1.6;font-weight:bold;color:#1a1a1a",
		"margin:1.2em 0 .5em;font-size:1em;line-height:1.6;font-weight:bold;color:#1a1a1a",
		"margin:1.2em 0 .5em;font-size:1em;line-height:1.6;font-weight:bold;color:#4a4a4a",
	}
	t.PreCode = "font-family:Menlo,Consolas,'Courier New',monospace;font-size:17px;color:#1a1a1a;white-space:nowrap"
	t.Pre = "margin:1.2em 0;padding:14px 16px;background-color:#f4f4f4;border-radius:6px;overflow-x:auto;font-size:17px;line-height:1.7"
	t.Rule = "margin:1.8em auto;border:0;border-top:2px solid #8a8178;width:40%"
	return t
}
