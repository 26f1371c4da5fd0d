package render

// The model between reading and writing. A block is one of the kinds below;
// runs are flat: nested or misnested formatting becomes the mark of each run,
// which is what makes cleaning idempotent and nesting bounded.

type kind uint8

const (
	para kind = iota
	heading
	list
	item
	quote
	code
	table
	rule
	figure
	display // a formula on its own line
	blank   // an empty line the author wants
)

// Bounds on what one article may hold. Deeper nesting is flattened into the
// deepest allowed level; nothing is lost but indentation.
const (
	maxOpen   = 200  // open elements while reading
	maxQuotes = 3    // quotes in quotes
	maxLists  = 5    // lists in lists
	maxSpan   = 50   // colspan and rowspan
	maxCells  = 4000 // cells of one table
)

type block struct {
	kind   kind
	align  string // "", "center", "right", "justify"
	indent bool   // first line indented by two characters
	level  int    // heading 1–6
	runs   []run  // para, heading, figure caption, display (one formula)

	kids    []*block // quote, list (items), item
	ordered bool
	start   int  // first number of an ordered list
	task    int8 // item: 0 no task, 1 open, 2 done

	text  string   // code
	parts []string // code while reading
	lang  string
	mso   *msoItem // Word list paragraph, until normalised

	rows []row
	pic  picture // figure
}

type row struct{ cells []cell }

type cell struct {
	head             bool
	colspan, rowspan int // ≥ 1
	align, bg        string
	kids             []*block
}

type picture struct{ ref, alt, title string }

type mark struct {
	bold, italic, under, strike, sup, sub, code bool
	color, bg                                   string // #rrggbb or ""
	size                                        string // "0.875em" or ""
	href                                        string // cleaned link target or ""
}

type runKind uint8

const (
	text runKind = iota
	br
	pic
	note // reference to a Markdown footnote
	math // formula, only when rendering
)

type run struct {
	kind    runKind
	text    string // text; TeX source of a formula
	mark    mark
	note    int
	display bool
}

// document is what one source reads to.
type document struct {
	blocks  []*block
	notes   map[int][]run
	dropped []string
}

func (d *document) drop(msg string) {
	for _, have := range d.dropped {
		if have == msg {
			return
		}
	}
	if len(d.dropped) < 50 {
		d.dropped = append(d.dropped, msg)
	}
}
