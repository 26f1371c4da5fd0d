package render

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Highlighting is a scanner of our own: comments, strings, numbers, keywords,
// calls and tags, in one pass. The general highlighter tried first (chroma)
// has lexers that never end on some inputs and cannot be stopped, which one
// pasted article could use to halt the process.

type shade uint8

const (
	noShade shade = iota
	shadeKeyword
	shadeString
	shadeComment
	shadeNumber
	shadeName
	shadeTag
)

type token struct {
	shade shade
	text  string
}

// grammar is what the scanner knows about a family of languages.
type grammar struct {
	line       []string // starts of comments to the end of the line
	open, end  string   // comment over lines
	quotes     string   // strings on one line, with backslash escapes
	long       []string // strings over lines, the same mark at both ends
	keywords   string   // " a b c "
	caseless   bool
	markup     bool // tags
	diff       bool
	calls      bool // a name before ( is a function
	attributes bool // a name before : or = is a key
}

const (
	cWords  = " if else for while do switch case default break continue return goto sizeof struct enum union typedef static const extern void int long short char float double unsigned signed bool true false null nullptr class public private protected virtual override new delete this namespace using template typename try catch throw auto import package final abstract interface extends implements instanceof super synchronized throws boolean byte var let function async await yield of in typeof export from as type readonly string number any undefined foreach object internal sealed get set out ref params is lock "
	goWords = " break case chan const continue default defer else fallthrough for func go goto if import interface map package range return select struct switch type var true false nil iota any string int int64 uint8 byte rune error bool float64 "
	pyWords = " and as assert async await break class continue def del elif else except False finally for from global if import in is lambda None nonlocal not or pass raise return True try while with yield self match case end do then unless module require begin rescue ensure nil true false puts "
	shWords = " if then else elif fi for in do done while until case esac function return local export echo cd exit set unset source sudo apt yum dnf docker git make "
	sqWords = " select from where and or not null insert into values update set delete create table alter drop index view join left right inner outer on as group by order having limit offset union all distinct primary key foreign references default between like in is exists case when then else end begin commit rollback int bigint varchar text char date datetime timestamp "
	rsWords = " as async await break const continue crate dyn else enum extern false fn for if impl in let loop match mod move mut pub ref return self Self static struct super trait true type unsafe use where while u8 u32 u64 i32 i64 f64 usize str String Vec Option Result fun val var when object data override open companion protocol extension guard func init "
)

// grammarOf finds the grammar of a language; ok is false for unknown ones,
// which stay in one colour.
func grammarOf(lang string) (g grammar, ok bool) {
	c := grammar{line: []string{"//"}, open: "/*", end: "*/", quotes: `"'`, calls: true, keywords: cWords}
	switch lang {
	case "c", "h", "cpp", "c++", "cc", "java", "cs", "csharp", "c#", "php", "dart", "scala", "objc":
		return c, true
	case "js", "javascript", "ts", "typescript", "jsx", "tsx", "mjs", "vue":
		c.long = []string{"`"}
		return c, true
	case "go", "golang":
		c.keywords, c.long = goWords, []string{"`"}
		return c, true
	case "rust", "rs", "kotlin", "kt", "swift":
		c.keywords, c.quotes = rsWords, `"`
		return c, true
	case "css", "scss", "less":
		return grammar{open: "/*", end: "*/", quotes: `"'`, attributes: true}, true
	case "json", "json5", "jsonc":
		return grammar{quotes: `"`, keywords: " true false null "}, true
	case "py", "python", "rb", "ruby", "r":
		return grammar{line: []string{"#"}, quotes: `"'`, long: []string{`"""`, "'''"}, keywords: pyWords, calls: true}, true
	case "sh", "bash", "shell", "zsh", "console", "dockerfile", "docker", "make", "makefile", "nginx", "powershell", "ps1":
		return grammar{line: []string{"#"}, quotes: `"'`, keywords: shWords}, true
	case "yaml", "yml", "toml", "ini", "conf", "properties", "env":
		return grammar{line: []string{"#", ";"}, quotes: `"'`, keywords: " true false null yes no on off ", attributes: true}, true
	case "sql", "mysql", "sqlite", "postgresql", "plsql":
		return grammar{line: []string{"--"}, open: "/*", end: "*/", quotes: `'"`, keywords: sqWords, caseless: true, calls: true}, true
	case "lua":
		return grammar{line: []string{"--"}, quotes: `"'`, keywords: pyWords, calls: true}, true
	case "html", "xml", "svg", "wxml":
		return grammar{open: "<!--", end: "-->", markup: true}, true
	case "diff", "patch":
		return grammar{diff: true}, true
	}
	return grammar{}, false
}

// highlight cuts code into tokens; joined they are the code.
func highlight(lang, src string) []token {
	g, ok := grammarOf(lang)
	if !ok {
		return []token{{noShade, src}}
	}
	if g.diff {
		return diffTokens(src)
	}
	s := scanner{g: g, src: src}
	for s.pos < len(src) {
		n, sh := s.next()
		s.emit(n, sh)
	}
	return s.out
}

type scanner struct {
	g   grammar
	src string
	pos int
	tag bool // inside <…>
	out []token
}

func (s *scanner) emit(n int, sh shade) {
	text := s.src[s.pos : s.pos+n]
	s.pos += n
	if k := len(s.out); k > 0 && s.out[k-1].shade == sh {
		start := s.pos - n - len(s.out[k-1].text)
		s.out[k-1].text = s.src[start:s.pos]
		return
	}
	s.out = append(s.out, token{sh, text})
}

// next is the length and shade of what stands at pos; the length is never 0.
func (s *scanner) next() (int, shade) {
	rest := s.src[s.pos:]
	if s.g.open != "" && strings.HasPrefix(rest, s.g.open) {
		return until(rest, len(s.g.open), s.g.end), shadeComment
	}
	for _, c := range s.g.line {
		if strings.HasPrefix(rest, c) && (c != "#" && c != ";" || s.pos == 0 || strings.IndexByte(" \t\n", s.src[s.pos-1]) >= 0) {
			return lineEnd(rest), shadeComment
		}
	}
	for _, q := range s.g.long {
		if strings.HasPrefix(rest, q) {
			return until(rest, len(q), q), shadeString
		}
	}
	if s.g.markup {
		return s.markup(rest)
	}
	if strings.IndexByte(s.g.quotes, rest[0]) >= 0 {
		if n := quoted(rest); n > 0 {
			return n, shadeString
		}
	}
	c, size := utf8.DecodeRuneInString(rest)
	if c >= '0' && c <= '9' {
		return span1(rest, func(c rune) bool {
			return c == '.' || c == 'x' || unicode.IsDigit(c) || c >= 'a' && c <= 'f' || c == '_'
		}), shadeNumber
	}
	if c == '_' || unicode.IsLetter(c) {
		return s.word(rest)
	}
	return size, noShade
}

func (s *scanner) word(rest string) (int, shade) {
	n := span1(rest, func(c rune) bool {
		return c == '_' || c == '-' && s.g.attributes || unicode.IsLetter(c) || unicode.IsDigit(c)
	})
	w := rest[:n]
	if s.g.caseless {
		w = strings.ToLower(w)
	}
	after := strings.TrimLeft(rest[n:min(n+2, len(rest))], " ")
	switch {
	case strings.Contains(s.g.keywords, " "+w+" "):
		return n, shadeKeyword
	case s.g.calls && strings.HasPrefix(after, "("), s.g.attributes && (strings.HasPrefix(after, ":") || strings.HasPrefix(after, "=")):
		return n, shadeName
	}
	return n, noShade
}

func (s *scanner) markup(rest string) (int, shade) {
	switch {
	case !s.tag && rest[0] == '<':
		s.tag = true
		return 1 + span0(rest[1:], func(c rune) bool {
			return c == '/' || c == '!' || c == '?' || c == '-' || c == ':' || unicode.IsLetter(c) || unicode.IsDigit(c)
		}), shadeTag
	case !s.tag:
		if i := strings.IndexByte(rest, '<'); i > 0 {
			return i, noShade
		}
		return len(rest), noShade
	case rest[0] == '>' || strings.HasPrefix(rest, "/>") || strings.HasPrefix(rest, "?>"):
		s.tag = false
		return strings.IndexByte(rest, '>') + 1, shadeTag
	case rest[0] == '"' || rest[0] == '\'':
		if i := strings.IndexByte(rest[1:], rest[0]); i >= 0 {
			return i + 2, shadeString
		}
		return 1, noShade
	}
	if n := span0(rest, func(c rune) bool {
		return c == '-' || c == ':' || c == '@' || unicode.IsLetter(c) || unicode.IsDigit(c)
	}); n > 0 {
		return n, shadeName
	}
	_, n := utf8.DecodeRuneInString(rest)
	return n, noShade
}

func diffTokens(src string) []token {
	s := scanner{src: src}
	for s.pos < len(src) {
		n := lineEnd(src[s.pos:])
		if s.pos+n < len(src) {
			n++
		}
		sh := noShade
		switch src[s.pos] {
		case '+':
			sh = shadeString
		case '-':
			sh = shadeTag
		case '@':
			sh = shadeComment
		}
		s.emit(n, sh)
	}
	return s.out
}

// until is the length up to and with end, or of all when it never comes.
func until(s string, from int, end string) int {
	if i := strings.Index(s[from:], end); i >= 0 {
		return from + i + len(end)
	}
	return len(s)
}

func lineEnd(s string) int {
	if i := strings.IndexByte(s, '\n'); i >= 0 {
		return i
	}
	return len(s)
}

// quoted is the length of a string that closes on its line and within 1,000
// bytes, else 0.
func quoted(s string) int {
	for i := 1; i < min(len(s), 1000) && s[i] != '\n'; i++ {
		switch s[i] {
		case '\\':
			i++
		case s[0]:
			return i + 1
		}
	}
	return 0
}

func span0(s string, in func(rune) bool) int {
	for i, c := range s {
		if !in(c) {
			return i
		}
	}
	return len(s)
}

func span1(s string, in func(rune) bool) int { return max(span0(s, in), 1) }
