// Package config reads settings from the environment and one optional file.
// Every setting is declared once, with its name, default, meaning, check and
// whether it is a secret; unknown names are refused, so a typing error in
// production is found at the start and not at night.
package config

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Prefix of every setting's name.
const Prefix = "TONGXIN_"

// Option is one declared setting.
type Option struct {
	Name    string // without the prefix
	Default string
	Doc     string
	Secret  bool   // never printed
	Source  string // "default", "file" or "environment" after Load
	value   string
	parse   func(string) error
}

// Value is what Load read, masked for secrets.
func (o *Option) Value() string {
	if o.Secret && o.value != "" {
		return "(set)"
	}
	return o.value
}

// Set is a list of declared settings. The zero value is ready.
type Set struct{ options []*Option }

// Check refuses a value with a sentence.
type Check[T any] func(T) error

func declare[T any](s *Set, name, def, doc string, parse func(string) (T, error), checks []Check[T]) (*T, *Option) {
	out := new(T)
	o := &Option{Name: name, Default: def, Doc: doc}
	o.parse = func(raw string) error {
		v, err := parse(raw)
		for _, c := range checks {
			if err == nil {
				err = c(v)
			}
		}
		*out = v
		return err
	}
	s.options = append(s.options, o)
	return out, o
}

// String declares a text.
func (s *Set) String(name, def, doc string, checks ...Check[string]) *string {
	v, _ := declare(s, name, def, doc, func(raw string) (string, error) { return raw, nil }, checks)
	return v
}

// Secret declares a text that is never printed.
func (s *Set) Secret(name, doc string, checks ...Check[string]) *string {
	v, o := declare(s, name, "", doc, func(raw string) (string, error) { return raw, nil }, checks)
	o.Secret = true
	return v
}

// Int declares a whole number.
func (s *Set) Int(name string, def int, doc string, checks ...Check[int]) *int {
	v, _ := declare(s, name, strconv.Itoa(def), doc, strconv.Atoi, checks)
	return v
}

// Bool declares a switch.
func (s *Set) Bool(name string, def bool, doc string) *bool {
	v, _ := declare[bool](s, name, strconv.FormatBool(def), doc, strconv.ParseBool, nil)
	return v
}

// Duration declares a span such as "90s".
func (s *Set) Duration(name string, def time.Duration, doc string, checks ...Check[time.Duration]) *time.Duration {
	v, _ := declare(s, name, def.String(), doc, time.ParseDuration, checks)
	return v
}

// List declares a comma-separated list.
func (s *Set) List(name, def, doc string) *[]string {
	v, _ := declare[[]string](s, name, def, doc, func(raw string) ([]string, error) {
		return slices.DeleteFunc(strings.Split(strings.ReplaceAll(raw, " ", ""), ","), func(p string) bool { return p == "" }), nil
	}, nil)
	return v
}

// Between refuses numbers outside [lo, hi].
func Between[T int | time.Duration](lo, hi T) Check[T] {
	return func(v T) error {
		if v < lo || v > hi {
			return fmt.Errorf("must be between %v and %v", lo, hi)
		}
		return nil
	}
}

// OneOf refuses texts that are not listed.
func OneOf(values ...string) Check[string] {
	return func(v string) error {
		if !slices.Contains(values, v) {
			return fmt.Errorf("must be one of %s", strings.Join(values, ", "))
		}
		return nil
	}
}

// Options lists the declared settings in order.
func (s *Set) Options() []*Option { return s.options }

// Load reads defaults, then the file (nil: none), then the environment ("K=V").
// All wrong settings are reported at once.
func (s *Set) Load(file io.Reader, environ []string) error {
	values := map[string][2]string{} // name → value, source
	var wrong []error
	if file != nil {
		sc := bufio.NewScanner(file)
		for n := 1; sc.Scan(); n++ {
			line := strings.TrimSpace(sc.Text())
			if line == "" || strings.HasPrefix(line, "#") {
				continue
			}
			k, v, ok := strings.Cut(line, "=")
			if !ok || !strings.HasPrefix(strings.TrimSpace(k), Prefix) {
				wrong = append(wrong, fmt.Errorf("settings file line %d: want %sNAME=value", n, Prefix))
				continue
			}
			values[strings.TrimPrefix(strings.TrimSpace(k), Prefix)] = [2]string{strings.Trim(strings.TrimSpace(v), `"`), "file"}
		}
		if err := sc.Err(); err != nil {
			return err
		}
	}
	for _, kv := range environ {
		if k, v, ok := strings.Cut(kv, "="); ok && strings.HasPrefix(k, Prefix) {
			values[strings.TrimPrefix(k, Prefix)] = [2]string{v, "environment"}
		}
	}
	for _, o := range s.options {
		o.value, o.Source = o.Default, "default"
		if v, ok := values[o.Name]; ok {
			o.value, o.Source = v[0], v[1]
			delete(values, o.Name)
		}
		if err := o.parse(o.value); err != nil {
			shown := strconv.Quote(o.value)
			if o.Secret {
				shown, err = "(secret)", errors.New("is not acceptable: "+strings.ReplaceAll(err.Error(), o.value, "…"))
			}
			wrong = append(wrong, fmt.Errorf("%s%s=%s: %w", Prefix, o.Name, shown, err))
		}
	}
	for name := range values {
		if !strings.HasPrefix(name, "TEST_") { // the test suite's own, see docs/operations.md
			wrong = append(wrong, fmt.Errorf("%s%s is not a setting; `tongxin settings` lists them", Prefix, name))
		}
	}
	return errors.Join(wrong...)
}
