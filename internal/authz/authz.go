// Package authz says who acts and what they may do where. It knows rights as
// strings and organisations as paths; the meaning of a role is data that the
// staff domain supplies. Every domain method that touches a person or an
// organisation takes an *Actor and asks it.
package authz

import (
	"slices"
	"strings"

	"tongxin/internal/ids"
)

// Right is one permission, "post.write".
type Right string

// Kind of actor.
type Kind string

const (
	Staff  Kind = "staff"
	Member Kind = "member"
	System Kind = "system" // the program itself: queue, sweepers, seeding
)

// Grant gives rights on the subtree under Path. Paths look like "/12/57/":
// ids of the ancestors and of the organisation itself, slashes around each.
type Grant struct {
	Role   string
	OrgID  ids.ID
	Path   string
	Rights []Right
}

// Actor is whoever a request or a job acts for. Immutable once made.
type Actor struct {
	ID     ids.ID
	Kind   Kind
	Name   string
	Grants []Grant
}

// SystemActor acts for the program itself and may do everything.
func SystemActor(name string) *Actor { return &Actor{Kind: System, Name: name} }

// Can reports whether the actor holds right on the organisation at path.
func (a *Actor) Can(right Right, path string) bool {
	if a == nil {
		return false
	}
	if a.Kind == System {
		return true
	}
	for _, g := range a.Grants {
		if g.Path != "" && strings.HasPrefix(path, g.Path) && slices.Contains(g.Rights, right) {
			return true
		}
	}
	return false
}

// Has reports whether the actor holds right anywhere: what a route asks before
// the domain asks where.
func (a *Actor) Has(right Right) bool {
	if a == nil {
		return false
	}
	return a.Kind == System || slices.ContainsFunc(a.Grants, func(g Grant) bool { return slices.Contains(g.Rights, right) })
}

// Within reports whether the actor holds right on an organisation at or under
// path: a thing that belongs to path is meant for everyone below it.
func (a *Actor) Within(right Right, path string) bool {
	if a == nil || path == "" {
		return false
	}
	if a.Kind == System {
		return true
	}
	return slices.ContainsFunc(a.Grants, func(g Grant) bool { return strings.HasPrefix(g.Path, path) && slices.Contains(g.Rights, right) })
}

// Above lists the organisations on which, and above which, the actor holds
// right: whose things are meant for the actor. In no order, without doubles.
func (a *Actor) Above(right Right) []ids.ID {
	var out []ids.ID
	if a == nil {
		return nil
	}
	for _, g := range a.Grants {
		if slices.Contains(g.Rights, right) {
			out = append(out, Ancestors(g.Path)...)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Ancestors reads the ids out of a path, the top first, the last its own.
func Ancestors(path string) []ids.ID {
	var out []ids.ID
	for part := range strings.SplitSeq(strings.Trim(path, "/"), "/") {
		if id, err := ids.Parse(part); err == nil && id != 0 {
			out = append(out, id)
		}
	}
	return out
}

// Scope is where an actor holds a right: everything, or a set of subtrees.
// A query without a scope must not exist for things that belong to someone.
type Scope struct {
	All   bool
	Paths []string // subtree prefixes without overlaps; empty and !All: nothing
}

// Scope returns where the actor holds right.
func (a *Actor) Scope(right Right) Scope {
	if a == nil {
		return Scope{}
	}
	if a.Kind == System {
		return Scope{All: true}
	}
	var paths []string
	for _, g := range a.Grants {
		if g.Path != "" && slices.Contains(g.Rights, right) {
			paths = append(paths, g.Path)
		}
	}
	slices.Sort(paths) // a prefix sorts before what it covers
	var out []string
	for _, p := range paths {
		if len(out) == 0 || !strings.HasPrefix(p, out[len(out)-1]) {
			out = append(out, p)
		}
	}
	return Scope{Paths: out}
}

// Covers reports whether path lies in the scope.
func (s Scope) Covers(path string) bool {
	return s.All || slices.ContainsFunc(s.Paths, func(p string) bool { return strings.HasPrefix(path, p) })
}

// Empty reports a scope that covers nothing.
func (s Scope) Empty() bool { return !s.All && len(s.Paths) == 0 }
