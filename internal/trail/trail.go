// Package trail is the audit entry that every write carries. A domain fills it,
// storage stores it in the same transaction as the change and chains it; the
// audit domain reads and proves it.
package trail

import (
	"tongxin/internal/authz"
	"tongxin/internal/ids"
)

// Result of what was tried.
type Result string

const (
	OK     Result = "ok"
	Denied Result = "denied"
	Failed Result = "failed"
)

// Entry says what was done to what. Who, when and from where come from Actor,
// the transaction's time and call.From(ctx).
type Entry struct {
	Actor   *authz.Actor
	Action  string // "post.submit", "signin.password"
	Object  string // kind of object, "post"
	ID      ids.ID // which object; may be none
	OrgID   ids.ID // organisation the object belongs to; none for the whole house
	OrgPath string // its path, for the auditor's scope
	Result  Result // empty means OK
	// Detail is short structured text for a person: what changed, never a
	// secret, a phone or an ID number. Values are cut to 500 bytes when stored.
	Detail map[string]string
}
