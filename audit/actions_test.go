package audit

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// sources is the syntax of one package, as far as it is needed to follow what
// ends up in the Action of a trail.Entry.
type sources struct {
	fset    *token.FileSet
	funcs   []*ast.FuncDecl
	consts  map[string]string   // name to text
	ofType  map[string][]string // named type to the texts of its constants
	fields  map[string]string   // "Command.Verb" to the name of its type
	actions map[string]token.Position
	objects map[string]token.Position
	lost    []string
}

// TestEveryActionHasAChineseName reads every action and object that the
// program writes to the trail out of its source and looks for each in the
// list of the console. Expressions it cannot follow fail too, so that an
// action made in a new way is not overlooked.
func TestEveryActionHasAChineseName(t *testing.T) {
	packages := readPackages(t, "..")
	console, err := os.ReadFile("../web/console/src/lib/actions.ts")
	if err != nil {
		t.Fatal(err)
	}
	named := keysOf(t, string(console), "ACTIONS")
	objects := keysOf(t, string(console), "OBJECTS")
	// The word of a contest's constants outside its package.
	verbs := packages["quiz/contest"].ofType["Verb"]
	written := map[string]bool{}
	for dir, p := range packages {
		p.ofType["contest.Verb"] = verbs
		p.collect()
		for _, e := range p.lost {
			t.Errorf("%s: %s", dir, e)
		}
		for a, at := range p.actions {
			written[a] = true
			if !named[a] {
				t.Errorf("%s: action %q has no name in web/console/src/lib/actions.ts", at, a)
			}
		}
		for o, at := range p.objects {
			if !objects[o] {
				t.Errorf("%s: object %q has no name in web/console/src/lib/actions.ts", at, o)
			}
		}
	}
	if len(written) < 100 {
		t.Errorf("found %d actions only: the search is broken", len(written))
	}
	for _, a := range slices.Sorted(maps.Keys(named)) {
		if !written[a] {
			t.Errorf("web/console/src/lib/actions.ts names %q, which nothing writes", a)
		}
	}
}

// keysOf are the keys of a Record in TypeScript, one a line.
func keysOf(t *testing.T, text, name string) map[string]bool {
	_, rest, ok := strings.Cut(text, "const "+name+": Record<string, string> = {")
	if !ok {
		t.Fatalf("no %s in actions.ts", name)
	}
	body, _, _ := strings.Cut(rest, "\n}")
	out := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^  '?([\w.]+)'?: '`).FindAllStringSubmatch(body, -1) {
		if out[m[1]] {
			t.Errorf("%s names %q twice", name, m[1])
		}
		out[m[1]] = true
	}
	return out
}

func readPackages(t *testing.T, root string) map[string]*sources {
	out := map[string]*sources{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "web" || d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".") && d.Name() != "..") {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		dir := filepath.ToSlash(strings.TrimPrefix(filepath.Dir(path), root+string(filepath.Separator)))
		p := out[dir]
		if p == nil {
			p = &sources{
				fset: token.NewFileSet(), consts: map[string]string{}, ofType: map[string][]string{},
				fields: map[string]string{}, actions: map[string]token.Position{}, objects: map[string]token.Position{},
			}
			out[dir] = p
		}
		f, err := parser.ParseFile(p.fset, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		p.declare(f)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func (p *sources) declare(f *ast.File) {
	for _, d := range f.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			p.funcs = append(p.funcs, d)
		case *ast.GenDecl:
			for _, s := range d.Specs {
				if ts, ok := s.(*ast.TypeSpec); ok {
					p.struc(ts)
				}
				v, ok := s.(*ast.ValueSpec)
				if !ok || d.Tok != token.CONST {
					continue
				}
				for i, n := range v.Names {
					if i < len(v.Values) {
						if text, ok := literal(v.Values[i]); ok {
							p.consts[n.Name] = text
							if v.Type != nil {
								p.ofType[typeName(v.Type)] = append(p.ofType[typeName(v.Type)], text)
							}
						}
					}
				}
			}
		}
	}
}

func (p *sources) struc(ts *ast.TypeSpec) {
	st, ok := ts.Type.(*ast.StructType)
	if !ok {
		return
	}
	for _, f := range st.Fields.List {
		for _, n := range f.Names {
			p.fields[ts.Name.Name+"."+n.Name] = typeName(f.Type)
		}
	}
}

// collect fills actions and objects from the entries that the package writes.
// Entries without an Action are returned with an error and written nowhere.
func (p *sources) collect() {
	for _, fn := range p.funcs {
		ast.Inspect(fn, func(n ast.Node) bool {
			lit, ok := n.(*ast.CompositeLit)
			if !ok || typeName(lit.Type) != "trail.Entry" {
				return true
			}
			for _, e := range lit.Elts {
				kv, ok := e.(*ast.KeyValueExpr)
				if !ok {
					continue
				}
				into := map[string]map[string]token.Position{"Action": p.actions, "Object": p.objects}[typeName(kv.Key)]
				if into == nil {
					continue
				}
				maps.Copy(into, p.texts(kv.Value, fn, map[string]bool{}))
			}
			return true
		})
	}
}

// texts are what e can be inside fn.
func (p *sources) texts(e ast.Expr, fn *ast.FuncDecl, seen map[string]bool) map[string]token.Position {
	at := p.fset.Position(e.Pos())
	if text, ok := literal(e); ok {
		return map[string]token.Position{text: at}
	}
	out := map[string]token.Position{}
	switch e := e.(type) {
	case *ast.BinaryExpr:
		for a := range p.texts(e.X, fn, seen) {
			for b, at := range p.texts(e.Y, fn, seen) {
				out[a+b] = at
			}
		}
		return out
	case *ast.CallExpr: // string(verb)
		if typeName(e.Fun) == "string" {
			return p.texts(e.Args[0], fn, seen)
		}
	case *ast.IndexExpr: // map[State]string{…}[state]
		if m, ok := e.X.(*ast.CompositeLit); ok {
			for _, el := range m.Elts {
				maps.Copy(out, p.texts(el.(*ast.KeyValueExpr).Value, fn, seen))
			}
		}
	case *ast.SelectorExpr: // cmd.Verb: every constant of its type
		of := paramType(fn, typeName(e.X))
		for _, text := range p.ofType[p.fields[of+"."+e.Sel.Name]] {
			out[text] = at
		}
	case *ast.Ident:
		if text, ok := p.consts[e.Name]; ok {
			return map[string]token.Position{text: at}
		}
		key := fmt.Sprint(fn.Pos(), e.Name)
		if seen[key] {
			return out
		}
		seen[key] = true
		maps.Copy(out, p.assigned(e.Name, fn, seen))
		maps.Copy(out, p.passed(e.Name, fn, seen))
	}
	if len(out) == 0 {
		p.lost = append(p.lost, at.String()+": this test cannot follow where the text comes from; teach it")
	}
	return out
}

// paramType is the type of a parameter or the receiver of fn.
func paramType(fn *ast.FuncDecl, name string) string {
	lists := []*ast.FieldList{fn.Type.Params}
	if fn.Recv != nil {
		lists = append(lists, fn.Recv)
	}
	for _, l := range lists {
		for _, field := range l.List {
			for _, id := range field.Names {
				if id.Name == name {
					return typeName(field.Type)
				}
			}
		}
	}
	return ""
}

// assigned are the texts given to a variable of fn.
func (p *sources) assigned(name string, fn *ast.FuncDecl, seen map[string]bool) map[string]token.Position {
	out := map[string]token.Position{}
	ast.Inspect(fn, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			for i, l := range n.Lhs {
				if id, ok := l.(*ast.Ident); !ok || id.Name != name {
					continue
				}
				if len(n.Rhs) == len(n.Lhs) {
					maps.Copy(out, p.texts(n.Rhs[i], fn, seen))
				} else if call, ok := n.Rhs[0].(*ast.CallExpr); ok {
					maps.Copy(out, p.returned(typeName(call.Fun), i, seen))
				}
			}
		case *ast.ValueSpec:
			for i, id := range n.Names {
				if id.Name == name && i < len(n.Values) {
					maps.Copy(out, p.texts(n.Values[i], fn, seen))
				}
			}
		}
		return true
	})
	return out
}

// passed are the texts that callers in the package give to a parameter of fn.
func (p *sources) passed(name string, fn *ast.FuncDecl, seen map[string]bool) map[string]token.Position {
	out := map[string]token.Position{}
	n := 0
	for _, field := range fn.Type.Params.List {
		for _, id := range field.Names {
			if id.Name == name {
				for _, text := range p.ofType[typeName(field.Type)] {
					out[text] = p.fset.Position(id.Pos())
				}
				if len(out) == 0 {
					maps.Copy(out, p.given(fn.Name.Name, n, seen))
				}
			}
			n++
		}
	}
	return out
}

func (p *sources) given(callee string, arg int, seen map[string]bool) map[string]token.Position {
	out := map[string]token.Position{}
	for _, fn := range p.funcs {
		ast.Inspect(fn, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || arg >= len(call.Args) {
				return true
			}
			name := typeName(call.Fun)
			if name != callee && !strings.HasSuffix(name, "."+callee) {
				return true
			}
			maps.Copy(out, p.texts(call.Args[arg], fn, seen))
			return true
		})
	}
	return out
}

// returned are the texts that a function of the package gives back at place i.
func (p *sources) returned(callee string, i int, seen map[string]bool) map[string]token.Position {
	out := map[string]token.Position{}
	for _, fn := range p.funcs {
		if callee != fn.Name.Name && !strings.HasSuffix(callee, "."+fn.Name.Name) {
			continue
		}
		ast.Inspect(fn, func(n ast.Node) bool {
			if r, ok := n.(*ast.ReturnStmt); ok && i < len(r.Results) {
				maps.Copy(out, p.texts(r.Results[i], fn, seen))
			}
			return true
		})
	}
	delete(out, "") // beside an error
	return out
}

func literal(e ast.Expr) (string, bool) {
	b, ok := e.(*ast.BasicLit)
	if !ok || b.Kind != token.STRING {
		return "", false
	}
	text, err := strconv.Unquote(b.Value)
	return text, err == nil
}

// typeName is a name as it is written: "Verb", "contest.Verb"; of a pointer,
// what it points to.
func typeName(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return typeName(e.X) + "." + e.Sel.Name
	case *ast.StarExpr:
		return typeName(e.X)
	}
	return ""
}
