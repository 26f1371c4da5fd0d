// Package feed is the second platform behind publish.Platform: a public feed
// per account (RSS 2.0, Atom, JSON Feed 1.1), clean pages of its items, and
// signed webhooks.
//
// It owns what is public and who is told. It knows neither HTTP servers nor
// SQL: handlers serve what it returns, storage implements Store. Of the
// publishing domain it uses the types only.
//
// Publishing is exactly once by the client id that the queue gives: Store has a
// unique key on it, so a repeated Submit returns the first message. Webhooks
// are at least once: the job is stored in the same transaction as the message,
// and the receiver tells repetitions by the webhook-id header.
package feed
