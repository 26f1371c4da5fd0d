// Package call carries the facts of one request through a context: which
// request, from where, under which idempotency key. Storage writes them beside
// every audit entry; nothing decides a right by them.
package call

import "context"

// Info describes one request or one job run.
type Info struct {
	RequestID      string
	Addr           string // client address after trusted proxies
	UserAgent      string // cut to 200 bytes
	IdempotencyKey string // scoped to the actor; empty: none
	BodyHash       string // hex SHA-256 of the request body, with a key
}

type ctxKey struct{}

// With puts info into ctx.
func With(ctx context.Context, info Info) context.Context {
	return context.WithValue(ctx, ctxKey{}, info)
}

// From takes info out of ctx; the zero Info when there is none.
func From(ctx context.Context) Info {
	info, _ := ctx.Value(ctxKey{}).(Info)
	return info
}
