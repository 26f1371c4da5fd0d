// Package analysis says how well the questions of a paper do their work: the
// classical item analysis that Moodle's quiz statistics report shows. It is
// pure arithmetic over counted marks, knows no person, and reads nothing.
//
// Source of the definitions: "Quiz statistics calculations"
// (docs.moodle.org/dev/Quiz_statistics_calculations, after the Open University's
// item analysis) and, where the text leaves a choice, the behaviour of Moodle's
// report. With S attempts, x the mark of one question, T the total of an
// attempt, X = T − x the rest of it, V and C the sample variance and covariance
// (divisor S − 1), and m2 m3 m4 the central moments (divisor S):
//
//	mean, median   of T
//	SD             √V(T)
//	skewness       k3 / k2^(3/2)     k2 = V(T), k3 = S²·m3 / ((S−1)(S−2))
//	kurtosis       k4 / k2²          k4 = S²·((S+1)·m4 − 3(S−1)·m2²) / ((S−1)(S−2)(S−3))
//	alpha          P/(P−1) · (1 − ΣV(x)/V(T)), P questions (Cronbach; Moodle's "internal consistency")
//	standard error SD · √(1 − alpha)
//	facility       mean(x) / max(x)
//	SD of a question            √V(x) / max(x)
//	intended weight             max(x) / max(T)
//	effective weight            √C(x,T) / Σ√C(x,T); none where C(x,T) < 0
//	discrimination index        C(x,X) / √(V(x)·V(X)), the corrected item-total correlation
//	discriminative efficiency   C(x,X) / Cmax, Cmax the covariance of both lists after sorting each
//
// Shares are in percent, as Moodle shows them; mean, median, SD and standard
// error of the test are in points. A figure that is not defined (one attempt, a
// question that all answered alike) is absent and never 0.
//
// Where attempts were given different questions (a drawn paper) a question is
// judged over the attempts that had it; alpha, standard error and effective
// weights are then absent, because they compare sums of the same questions.
package analysis

import (
	"cmp"
	"math"
	"slices"
)

// Count is how many attempts ended with a total, in points.
type Count struct {
	Total float64
	N     int
}

// Cell is how many attempts earned Mark on a question and Total on the paper.
type Cell struct {
	Mark, Total float64
	N           int
}

// Item is one question with its counted marks, in any order.
type Item struct {
	Max   float64  // points it is worth
	Guess *float64 // share that blind guessing earns, 0 to 1; nil: unknown
	Cells []Cell
}

// Paper is what is analysed: totals of all attempts and the marks of each question.
type Paper struct {
	Max    float64 // points of the paper
	Totals []Count
	Items  []Item
}

// Test are the figures of the whole paper.
type Test struct {
	Attempts int      `json:"attempts"`
	Mean     *float64 `json:"mean,omitempty" doc:"points"`
	Median   *float64 `json:"median,omitempty" doc:"points"`
	SD       *float64 `json:"sd,omitempty" doc:"points"`
	Skewness *float64 `json:"skewness,omitempty"`
	Kurtosis *float64 `json:"kurtosis,omitempty" doc:"0 for a normal distribution"`
	Alpha    *float64 `json:"alpha,omitempty" doc:"Cronbach's alpha, percent; absent for drawn papers"`
	Error    *float64 `json:"standardError,omitempty" doc:"points"`
}

// Figures are those of one question, in percent.
type Figures struct {
	Answered       int      `json:"answered" doc:"attempts that had the question"`
	Facility       *float64 `json:"facility,omitempty" doc:"mean mark, percent of the points"`
	SD             *float64 `json:"sd,omitempty" doc:"percent of the points"`
	Guess          *float64 `json:"guess,omitempty" doc:"what blind guessing earns, percent of the points"`
	Intended       *float64 `json:"intendedWeight,omitempty" doc:"percent of the paper's points"`
	Effective      *float64 `json:"effectiveWeight,omitempty" doc:"percent of the spread of the totals"`
	Discrimination *float64 `json:"discrimination,omitempty" doc:"-100 to 100"`
	Efficiency     *float64 `json:"efficiency,omitempty" doc:"at most 100; may lie below -100"`
	Findings       []Reason `json:"findings,omitempty" doc:"what to look at"`
	Dubious        bool     `json:"dubious" doc:"a finding casts doubt on the question itself"`
}

// Analyse computes all figures. The order of cells, counts and attempts plays
// no part, not even in the last bit.
func Analyse(p Paper, rules *Rules) (Test, []Figures) {
	totals := sortedCounts(p.Totals)
	test := testFigures(totals)
	out := make([]Figures, len(p.Items))
	parts := make([]moments, len(p.Items))
	whole := len(p.Items) > 0 // every attempt had every question
	for i, it := range p.Items {
		parts[i] = momentsOf(it)
		out[i] = parts[i].figures(it, p.Max)
		whole = whole && parts[i].n == test.Attempts
	}
	if whole {
		consistency(&test, totals, parts)
		effective(out, parts)
	}
	for i := range out {
		out[i].Findings, out[i].Dubious = rules.judge(&out[i], p.Items[i].Max > 0)
	}
	return test, out
}

func sortedCounts(list []Count) []Count {
	out := slices.Clone(list)
	slices.SortFunc(out, func(a, b Count) int { return cmp.Or(cmp.Compare(a.Total, b.Total), cmp.Compare(a.N, b.N)) })
	return out
}

func testFigures(totals []Count) (t Test) {
	var sum float64
	for _, c := range totals {
		t.Attempts += c.N
		sum += c.Total * float64(c.N)
	}
	if t.Attempts == 0 {
		return t
	}
	n := float64(t.Attempts)
	mean := sum / n
	t.Mean, t.Median = &mean, median(totals, t.Attempts)
	var m2, m3, m4 float64
	for _, c := range totals {
		d, w := c.Total-mean, float64(c.N)/n
		m2, m3, m4 = m2+w*d*d, m3+w*d*d*d, m4+w*d*d*d*d
	}
	if n < 2 {
		return t
	}
	k2 := m2 * n / (n - 1)
	sd := math.Sqrt(k2)
	t.SD = &sd
	if flat(k2, mean) {
		return t
	}
	if n >= 3 {
		k3 := n * n * m3 / ((n - 1) * (n - 2))
		t.Skewness = ptr(k3 / (k2 * sd))
	}
	if n >= 4 {
		k4 := n * n * ((n+1)*m4 - 3*(n-1)*m2*m2) / ((n - 1) * (n - 2) * (n - 3))
		t.Kurtosis = ptr(k4 / (k2 * k2))
	}
	return t
}

// median of sorted counts; the mean of the two in the middle when n is even.
func median(totals []Count, n int) *float64 {
	at := func(k int) float64 {
		for _, c := range totals {
			if k -= c.N; k < 0 {
				return c.Total
			}
		}
		return 0
	}
	return ptr((at((n-1)/2) + at(n/2)) / 2)
}

// flat reports a variance that is only the rounding of sums: the marks were all alike.
func flat(variance, mean float64) bool { return variance <= 1e-18*(1+mean*mean) }

// moments of one question: x its mark, r the rest of the total.
type moments struct {
	n          int
	mean       float64
	vx, vr, cx float64 // V(x), V(X), C(x,X)
	most       float64 // Cmax
	level      bool    // all marks alike
}

func momentsOf(it Item) (m moments) {
	cells := slices.Clone(it.Cells)
	slices.SortFunc(cells, func(a, b Cell) int {
		return cmp.Or(cmp.Compare(a.Mark, b.Mark), cmp.Compare(a.Total, b.Total), cmp.Compare(a.N, b.N))
	})
	var sumX, sumR float64
	for _, c := range cells {
		m.n += c.N
		sumX += c.Mark * float64(c.N)
		sumR += (c.Total - c.Mark) * float64(c.N)
	}
	if m.n == 0 {
		return m
	}
	n := float64(m.n)
	m.mean = sumX / n
	restMean := sumR / n
	if m.n < 2 {
		m.level = true
		return m
	}
	for _, c := range cells {
		dx, dr, w := c.Mark-m.mean, c.Total-c.Mark-restMean, float64(c.N)/(n-1)
		m.vx, m.vr, m.cx = m.vx+w*dx*dx, m.vr+w*dr*dr, m.cx+w*dx*dr
	}
	m.level = flat(m.vx, m.mean)
	m.most = mostCovariance(cells, m.mean, restMean) / (n - 1)
	if flat(m.vr, restMean) {
		m.vr = 0
	}
	return m
}

// mostCovariance is Σ(x−x̄)(r−r̄) after sorting both lists: how far the question
// could have told people apart with these marks and these rests.
func mostCovariance(cells []Cell, meanX, meanR float64) (sum float64) {
	rest := make([]Count, len(cells))
	for i, c := range cells {
		rest[i] = Count{c.Total - c.Mark, c.N}
	}
	rest = sortedCounts(rest)
	at, left := 0, 0
	if len(rest) > 0 {
		left = rest[0].N
	}
	for _, c := range cells { // sorted by mark
		for need := c.N; need > 0 && at < len(rest); {
			take := min(need, left)
			sum += float64(take) * (c.Mark - meanX) * (rest[at].Total - meanR)
			need, left = need-take, left-take
			if left == 0 {
				if at++; at < len(rest) {
					left = rest[at].N
				}
			}
		}
	}
	return sum
}

func (m moments) figures(it Item, paperMax float64) (f Figures) {
	f.Answered = m.n
	if it.Guess != nil {
		f.Guess = ptr(100 * *it.Guess)
	}
	if it.Max > 0 && paperMax > 0 {
		f.Intended = ptr(100 * it.Max / paperMax)
	}
	if m.n == 0 || it.Max <= 0 {
		return f
	}
	f.Facility = ptr(100 * m.mean / it.Max)
	if m.n < 2 {
		return f
	}
	if m.level {
		f.SD = ptr(0)
		return f
	}
	f.SD = ptr(100 * math.Sqrt(m.vx) / it.Max)
	if m.vr > 0 {
		f.Discrimination = ptr(100 * within(m.cx/math.Sqrt(m.vx*m.vr)))
	}
	if m.vr > 0 && m.most > 0 {
		f.Efficiency = ptr(100 * within(m.cx/m.most))
	}
	return f
}

// within cuts what rounding carries beyond 1. By the rearrangement inequality
// an efficiency may lie below -1; Moodle shows it so, and so do we.
func within(v float64) float64 { return min(v, 1) }

func consistency(t *Test, totals []Count, list []moments) {
	if len(list) < 2 || t.SD == nil || flat(*t.SD**t.SD, *t.Mean) {
		return
	}
	var parts float64
	for _, m := range list {
		parts += m.vx
	}
	p := float64(len(list))
	alpha := min(1, p/(p-1)*(1-parts/(*t.SD**t.SD)))
	t.Alpha, t.Error = ptr(100*alpha), ptr(*t.SD*math.Sqrt(1-alpha))
}

func effective(out []Figures, list []moments) {
	var sum float64
	roots := make([]float64, len(list))
	for i, m := range list {
		with := m.cx + m.vx // C(x,T) = C(x,X) + V(x)
		if m.level || math.Abs(with) <= 1e-12*(m.vx+m.vr) {
			with = 0
		}
		roots[i] = math.Sqrt(with) // NaN when negative
		if with > 0 {
			sum += roots[i]
		}
	}
	for i, r := range roots {
		if sum > 0 && !math.IsNaN(r) {
			out[i].Effective = ptr(100 * r / sum)
		}
	}
}

func ptr(v float64) *float64 { return &v }
