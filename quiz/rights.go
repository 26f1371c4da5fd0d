package quiz

import (
	"tongxin/internal/authz"
	"tongxin/internal/ids"
)

// Rights. Take is what members hold on their branch; the others are of staff.
const (
	Read    authz.Right = "quiz.read"
	Manage  authz.Right = "quiz.manage"  // bank and papers
	Grade   authz.Right = "quiz.grade"   // short answers
	Results authz.Right = "quiz.results" // of people
	Take    authz.Right = "quiz.take"
)

// Org is what this domain knows of an organisation.
type Org struct {
	ID   ids.ID
	Path string
	Name string
}
