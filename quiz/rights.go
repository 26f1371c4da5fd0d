package quiz

import (
	"tongxin/internal/authz"
)

// Rights. Take is what members hold on their branch; the others are of staff.
const (
	Grade   authz.Right = "quiz.grade"   // short answers
	Results authz.Right = "quiz.results" // of people
	Take    authz.Right = "quiz.take"
)
