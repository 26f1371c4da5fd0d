package analysis

import (
	"math"

	"tongxin/quiz"
)

// Guess is the share of the points that blind guessing earns on average, 0 to
// 1; nil where it cannot be said (a short answer is graded by people).
//
// Who guesses picks among all valid answers alike: one option; any set of
// options but the empty one; any order; for a matching, different right sides.
// A fill-in cannot be guessed.
func Guess(c *quiz.Content, partial bool) *float64 {
	switch c.Kind {
	case quiz.Single:
		return ptr(1 / float64(max(1, len(c.Options))))
	case quiz.TrueFalse:
		return ptr(0.5)
	case quiz.Multiple:
		return ptr(guessMultiple(c.Options, partial))
	case quiz.Fill:
		return ptr(0)
	case quiz.Order:
		return ptr(guessOrder(len(c.Items), partial))
	case quiz.Match:
		return ptr(guessMatch(len(c.Pairs), len(c.Extra), partial))
	case quiz.Short:
	}
	return nil
}

func guessMultiple(options []quiz.Option, partial bool) float64 {
	rights := 0
	for _, o := range options {
		if o.Right {
			rights++
		}
	}
	wrongs := len(options) - rights
	sets := math.Pow(2, float64(len(options))) - 1
	if rights == 0 || sets < 1 {
		return 0
	}
	if !partial {
		return 1 / sets
	}
	// quiz.Content.Grade: right/rights − wrong/min(rights, wrongs), never below 0.
	var sum float64
	for r := range rights + 1 {
		for w := range wrongs + 1 {
			share := float64(r) / float64(rights)
			if w > 0 {
				share = max(0, share-float64(w)/float64(min(rights, wrongs)))
			}
			sum += share * choose(rights, r) * choose(wrongs, w)
		}
	}
	return sum / sets
}

func choose(n, k int) float64 {
	out := 1.0
	for i := range k {
		out = out * float64(n-i) / float64(i+1)
	}
	return math.Round(out)
}

func factorial(n int) float64 {
	out := 1.0
	for i := 2; i <= n; i++ {
		out *= float64(i)
	}
	return out
}

func guessMatch(pairs, extra int, partial bool) float64 {
	if pairs == 0 {
		return 0
	}
	if partial { // each left side meets its own among all right sides
		return 1 / float64(pairs+extra)
	}
	return factorial(extra) / factorial(pairs+extra)
}

// guessOrder is the mean of (longest rising run − 1)/(n − 1) over all orders. By
// the Robinson–Schensted correspondence the run is the first row of a Young
// diagram λ, which belongs to f(λ)² orders; f by the hook length formula.
func guessOrder(n int, partial bool) float64 {
	if n < 2 {
		return 0
	}
	if !partial {
		return 1 / factorial(n)
	}
	var sum float64
	var walk func(left, most int, rows []int)
	walk = func(left, most int, rows []int) {
		if left == 0 {
			f := factorial(n) / hooks(rows)
			sum += float64(rows[0]-1) * f * f
			return
		}
		for row := min(left, most); row > 0; row-- {
			walk(left-row, row, append(rows, row))
		}
	}
	walk(n, n, nil)
	return sum / factorial(n) / float64(n-1)
}

// hooks is the product of all hook lengths of a diagram.
func hooks(rows []int) float64 {
	out := 1.0
	for i, row := range rows {
		for j := range row {
			below := 0
			for _, r := range rows[i+1:] {
				if r > j {
					below++
				}
			}
			out *= float64(row - j + below)
		}
	}
	return out
}
