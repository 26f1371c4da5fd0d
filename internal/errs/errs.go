// Package errs is the one error type that crosses package borders.
//
// It owns a small set of codes and the sentence a person may read. It never
// holds HTTP: the mapping code → status lives in internal/httpkit.
package errs

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Code says what kind of failure it is. Add one only with a new row in the
// table of internal/httpkit; a test compares the two.
type Code string

const (
	Invalid      Code = "invalid"      // input is wrong; Fields name where
	Unauthorized Code = "unauthorized" // nobody is signed in, or no longer
	Forbidden    Code = "forbidden"    // signed in, but without the right
	NotFound     Code = "not_found"    // absent, or outside the actor's scope
	Conflict     Code = "conflict"     // the state does not allow it now
	Stale        Code = "stale"        // lost update: the version moved on
	Precondition Code = "precondition" // a required header or version is missing
	TooLarge     Code = "too_large"    // body or file over its limit
	TooMany      Code = "too_many"     // rate limit or lockout; RetryAfter is set
	Unsupported  Code = "unsupported"  // media type or feature not offered
	Upstream     Code = "upstream"     // WeChat or another platform refused or failed
	Unavailable  Code = "unavailable"  // try again: shutting down, overloaded
	Internal     Code = "internal"     // a bug or a broken disk; never explained to users
)

// Codes lists every code, for the tests that hold the tables complete.
func Codes() []Code {
	return []Code{
		Invalid, Unauthorized, Forbidden, NotFound, Conflict, Stale, Precondition,
		TooLarge, TooMany, Unsupported, Upstream, Unavailable, Internal,
	}
}

// Field names one wrong input. Name is the JSON path ("articles[0].title").
type Field struct {
	Name string `json:"name"`
	Msg  string `json:"message"`
}

// Error is what domains return. Msg is Chinese, complete, and tells the person
// what to do; it must hold no internal text, secret or personal number. Cause
// is for the log only.
type Error struct {
	Code       Code
	Msg        string
	Fields     []Field
	Details    any           // shown to the caller as "details"; public data only
	RetryAfter time.Duration // with TooMany and Unavailable
	Cause      error         // log only
}

// shownFields of an error stand in its text: names of wrong inputs come from
// outside, and a log line must stay one.
const shownFields = 10

func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(string(e.Code) + ": " + e.Msg)
	for i, f := range e.Fields {
		if i == shownFields {
			fmt.Fprintf(&b, "; and %d more", len(e.Fields)-i)
			break
		}
		b.WriteString("; " + f.Name + ": " + f.Msg)
	}
	if e.Cause != nil {
		b.WriteString(": " + e.Cause.Error())
	}
	return b.String()
}

func (e *Error) Unwrap() error { return e.Cause }

// New makes an error with a sentence for people.
func New(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Msg: fmt.Sprintf(format, args...)}
}

// Wrap makes an error with a sentence for people and a cause for the log.
func Wrap(cause error, code Code, format string, args ...any) *Error {
	return &Error{Code: code, Msg: fmt.Sprintf(format, args...), Cause: cause}
}

// Bad is an Invalid error that names one field.
func Bad(field, format string, args ...any) *Error {
	msg := fmt.Sprintf(format, args...)
	return &Error{Code: Invalid, Msg: msg, Fields: []Field{{Name: field, Msg: msg}}}
}

// Missing is the NotFound error for a thing ("图文", "账号"). It is also the
// answer to an actor without the right to see it, so that existence leaks to nobody.
func Missing(thing string) *Error {
	return New(NotFound, "没有找到这个%s，可能已被删除，或者您没有查看权限。", thing)
}

// CodeOf returns the code of err: "" for nil, Internal for a foreign error.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return Internal
}

// Is reports whether err carries code.
func Is(err error, code Code) bool { return err != nil && CodeOf(err) == code }
