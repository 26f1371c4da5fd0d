package main

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// layer says what the packages under a directory may import of this module.
// "self" means packages under the same top directory. Arrows point down only;
// docs/architecture.md draws them.
func layers() map[string][]string {
	domain := []string{"internal", "self"}
	return map[string][]string{
		"cmd":         {"cmd", "handlers", "miniapp-api", "publish", "staff", "member", "notify", "quiz", "moderate", "audit", "live", "storage", "wechat", "internal"},
		"handlers":    {"self", "publish", "staff", "member", "notify", "quiz", "moderate", "audit", "live", "internal"},
		"miniapp-api": {"self", "publish", "staff", "member", "notify", "quiz", "moderate", "live", "internal"},
		"publish":     domain,
		"staff":       domain,
		"member":      domain,
		"notify":      domain,
		"quiz":        domain,
		"moderate":    domain,
		"audit":       domain,
		"live":        domain,
		"storage":     {"self", "publish", "staff", "member", "notify", "quiz", "moderate", "audit", "live", "internal"},
		"wechat":      domain,
		"internal":    {"self"},
	}
}

// testOnly are imports that only test files may have, on top of their layer.
func testOnly() map[string][]string {
	return map[string][]string{
		"handlers": {"storage"}, "miniapp-api": {"storage"}, "publish": {"storage"}, "staff": {"storage"}, "member": {"storage", "staff"}, "audit": {"storage"},
		"notify": {"storage"}, "quiz": {"storage"}, "moderate": {"storage"}, "live": {"storage", "staff"},
	}
}

func TestImportsPointDown(t *testing.T) {
	rules, extra := layers(), testOnly()
	files := 0
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() && (name == "node_modules" || name == "web" || strings.HasPrefix(name, ".") && name != ".." && name != ".") {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(name, ".go") {
			return nil
		}
		files++
		rel := filepath.ToSlash(strings.TrimPrefix(path, "../../"))
		top := strings.SplitN(rel, "/", 2)[0]
		allowed, known := rules[top]
		if !known {
			t.Errorf("%s: directory %q has no rule; add it to the design first", rel, top)
			return nil
		}
		if strings.HasSuffix(name, "_test.go") {
			allowed = append(append([]string{}, allowed...), extra[top]...)
		}
		return checkFile(t, path, rel, top, allowed)
	})
	if err != nil {
		t.Fatal(err)
	}
	if files < 50 {
		t.Fatalf("only %d files seen: the test looks in the wrong place", files)
	}
}

func checkFile(t *testing.T, path, rel, top string, allowed []string) error {
	f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
	if err != nil {
		return err
	}
	for _, imp := range f.Imports {
		p, err := strconv.Unquote(imp.Path.Value)
		if err != nil {
			return err
		}
		inner, ours := strings.CutPrefix(p, "tongxin/")
		if !ours {
			continue
		}
		target := strings.SplitN(inner, "/", 2)[0]
		ok := false
		for _, a := range allowed {
			ok = ok || a == target || a == "self" && target == top
		}
		if !ok {
			t.Errorf("%s imports %s: %s may import %v only", rel, p, top, allowed)
		}
	}
	return nil
}
