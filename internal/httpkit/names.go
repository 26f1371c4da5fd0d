package httpkit

import (
	"path"
	"reflect"
	"regexp"
	"strings"
	"unicode"

	"github.com/danielgtaylor/huma/v2"
)

// schemaNamer names types in the OpenAPI document. Two domains may both have
// an Account, so exported types of domains carry their package: StaffAccount.
// Types of internal packages and a surface's own (unexported) views do not.
func schemaNamer() func(t reflect.Type, hint string) string {
	qualified := regexp.MustCompile(`([A-Za-z0-9_./-]+)\.([A-Za-z0-9_]+)`)
	return func(t reflect.Type, hint string) string {
		for t.Kind() == reflect.Pointer {
			t = t.Elem()
		}
		if t.Name() == "" {
			return huma.DefaultSchemaNamer(t, hint)
		}
		base, args, _ := strings.Cut(t.Name(), "[")
		name := prefixed(t.PkgPath(), base)
		for _, m := range qualified.FindAllStringSubmatch(args, -1) {
			name += prefixed(m[1], m[2])
		}
		return name
	}
}

func prefixed(pkg, name string) string {
	exported := unicode.IsUpper(rune(name[0]))
	if !exported || pkg == "" || strings.Contains(pkg, "/internal/") {
		return title(name)
	}
	return title(path.Base(pkg)) + name
}

func title(s string) string { return strings.ToUpper(s[:1]) + s[1:] }
