// Package page is cursor paging: an opaque cursor that holds the last id seen.
package page

import (
	"encoding/base64"

	"tongxin/internal/errs"
	"tongxin/internal/ids"
)

// Limits of a page.
const (
	Default = 30
	Max     = 200
)

// Request asks for the rows after a cursor.
type Request struct {
	After ids.ID // last id of the page before; none: from the start
	Limit int
}

// Parse checks what a client sent.
func Parse(cursor string, limit int) (Request, error) {
	r := Request{Limit: limit}
	if limit <= 0 {
		r.Limit = Default
	}
	if r.Limit > Max {
		r.Limit = Max
	}
	if cursor == "" {
		return r, nil
	}
	b, err := base64.RawURLEncoding.DecodeString(cursor)
	if err == nil {
		r.After, err = ids.Parse(string(b))
	}
	if err != nil {
		return r, errs.Bad("cursor", "翻页位置无效，请回到第一页重新查看。")
	}
	return r, nil
}

// Result is one page. Next is empty on the last.
type Result[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next,omitempty" doc:"cursor of the next page; absent on the last"`
}

// Of cuts rows (fetched with Limit+1) into a page.
func Of[T any](rows []T, limit int, id func(T) ids.ID) Result[T] {
	if rows == nil {
		rows = []T{}
	}
	if len(rows) <= limit {
		return Result[T]{Items: rows}
	}
	rows = rows[:limit]
	last := id(rows[limit-1]).String()
	return Result[T]{Items: rows, Next: base64.RawURLEncoding.EncodeToString([]byte(last))}
}
