package wechat

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tongxin/internal/clock"
)

// Kind says what to do about a failure.
type Kind string

const (
	Transient Kind = "transient" // try again after a pause
	Permanent Kind = "permanent" // this call will never succeed as it is
	Auth      Kind = "auth"      // keys, IP list or rights: a person must act, every post of the account is affected
	Quota     Kind = "quota"     // used up; RetryAt says when it is worth trying again
	Content   Kind = "content"   // the article or picture must be changed
	Unknown   Kind = "unknown"   // no readable answer, or a code without a row in the table
)

// Outcome says whether the call can have had an effect.
type Outcome string

const (
	// NotAccepted: certainly without effect. It never left, or was refused.
	NotAccepted Outcome = "not_accepted"
	// MayBeAccepted: it was or may have been written, and no definite refusal
	// came back. Look first (drafts, published list, events), never repeat.
	MayBeAccepted Outcome = "may_be_accepted"
)

// Error is every failure of this package's calls. Its text holds no address,
// token or secret.
type Error struct {
	Op      string // "freepublish/submit"
	Code    int    // errcode, or 0 when there was no readable answer
	RID     string // the platform's request id, for its support
	Msg     string // errmsg without rid, or what went wrong on the way; English, for the log
	Kind    Kind
	Outcome Outcome   // of calls with an effect; reads are always NotAccepted
	RetryAt time.Time // earliest sensible next try; zero when there is none
	IP      string    // with 40164: the address that is not in the list
	Field   string    // with 47003: the field of the template that is wrong
	cause   error     // context.Canceled, context.DeadlineExceeded or nil
}

func (e *Error) Error() string {
	s := "wechat: " + e.Op + ": "
	if e.Code != 0 {
		s += fmt.Sprintf("errcode %d ", e.Code)
	}
	s += fmt.Sprintf("(%s, %s)", e.Kind, e.Outcome)
	if e.Msg != "" {
		s += ": " + e.Msg
	}
	if e.RID != "" {
		s += " rid: " + e.RID
	}
	return s
}

// Unwrap lets errors.Is find an ended context; nothing else is passed on.
func (e *Error) Unwrap() error { return e.cause }

// OutcomeUnknown reports whether the failed call may have had its effect. Nil
// and errors of reads give false; an error that is not from this package
// gives true, because nothing is known about it.
func OutcomeUnknown(err error) bool {
	if err == nil {
		return false
	}
	var e *Error
	return !errors.As(err, &e) || e.Outcome == MayBeAccepted
}

// KindOf is the kind of err: "" for nil, Unknown for a foreign error.
func KindOf(err error) Kind {
	if err == nil {
		return ""
	}
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return Unknown
}

// CodeOf is the platform's errcode, 0 when there is none.
func CodeOf(err error) int {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return 0
}

func asError(err error) (*Error, bool) {
	var e *Error
	ok := errors.As(err, &e)
	return e, ok
}

// refusal is an error found before anything was sent.
func refusal(op string, kind Kind, code int, format string, args ...any) *Error {
	return &Error{Op: op, Code: code, Kind: kind, Outcome: NotAccepted, Msg: fmt.Sprintf(format, args...)}
}

// contextCause keeps of err only what says why a context ended.
func contextCause(err error) error {
	switch {
	case errors.Is(err, context.Canceled):
		return context.Canceled
	case errors.Is(err, context.DeadlineExceeded):
		return context.DeadlineExceeded
	}
	return nil
}

// retryAt is the earliest sensible next try after code at now. Daily figures
// are reset at midnight in China; the five minutes after it are for clocks that differ.
func retryAt(code int, now time.Time) time.Time {
	row, ok := lookup(code)
	if !ok {
		return time.Time{}
	}
	if row.pause == nextDay {
		y, m, d := now.In(clock.Shanghai()).Date()
		return time.Date(y, m, d+1, 0, 5, 0, 0, clock.Shanghai()).UTC()
	}
	if row.pause == 0 {
		return time.Time{}
	}
	return now.Add(row.pause)
}
