package analysis

import (
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// paper counts a matrix: a row for each attempt, a column for each question.
func paper(points []float64, rows ...[]float64) Paper {
	p := Paper{Items: make([]Item, len(points))}
	for i, m := range points {
		p.Items[i].Max = m
		p.Max += m
	}
	for _, row := range rows {
		total := 0.0
		for _, x := range row {
			total += x
		}
		p.Totals = append(p.Totals, Count{total, 1})
		for i, x := range row {
			p.Items[i].Cells = append(p.Items[i].Cells, Cell{x, total, 1})
		}
	}
	return p
}

func rules(t interface{ Fatal(...any) }) *Rules {
	r, err := BuiltIn()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

const none = -12345 // stands for a figure that must be absent

func same(t *testing.T, what string, got *float64, want float64) {
	t.Helper()
	switch {
	case want == none && got != nil:
		t.Errorf("%s = %v, want none", what, *got)
	case want == none:
	case got == nil:
		t.Errorf("%s is missing, want %v", what, want)
	case math.Abs(*got-want) > 1e-3:
		t.Errorf("%s = %v, want %v", what, *got, want)
	}
}

type wantItem struct{ facility, sd, intended, effective, discrimination, efficiency float64 }

func check(t *testing.T, p Paper, mean, median, sd, skew, kurt, alpha, se float64, items ...wantItem) {
	t.Helper()
	test, figures := Analyse(p, rules(t))
	same(t, "mean", test.Mean, mean)
	same(t, "median", test.Median, median)
	same(t, "sd", test.SD, sd)
	same(t, "skewness", test.Skewness, skew)
	same(t, "kurtosis", test.Kurtosis, kurt)
	same(t, "alpha", test.Alpha, alpha)
	same(t, "standard error", test.Error, se)
	for i, w := range items {
		f := figures[i]
		n := string(rune('A' + i))
		same(t, n+" facility", f.Facility, w.facility)
		same(t, n+" sd", f.SD, w.sd)
		same(t, n+" intended", f.Intended, w.intended)
		same(t, n+" effective", f.Effective, w.effective)
		same(t, n+" discrimination", f.Discrimination, w.discrimination)
		same(t, n+" efficiency", f.Efficiency, w.efficiency)
	}
}

// The first vector: a perfect scale (Guttman), one point each.
//
//	     A B C   T     T: mean 6/4 = 1.5, V = (2·2.25 + 2·0.25)/3 = 5/3, SD = 1.290994
//	s1   1 1 1   3     m2 = 1.25, m3 = 0, m4 = (2·5.0625 + 2·0.0625)/4 = 2.5625
//	s2   1 1 0   2     k3 = 0; k4 = 16/6·(5·2.5625 − 9·1.5625) = −10/3; kurtosis = −10/3 / (25/9) = −1.2
//	s3   1 0 0   1     ΣV(x) = 1/4 + 1/3 + 1/4 = 5/6; alpha = 3/2·(1 − (5/6)/(5/3)) = 0.75
//	s4   0 0 0   0     SE = 1.290994·√0.25 = 0.645497
//
//	A: x = 1 1 1 0, mean 3/4, V = 1/4. X = 2 1 0 0, mean 3/4, V = 2.75/3 = 0.916667.
//	   C = (0.25·1.25 + 0.25·0.25 − 0.25·0.75 + 0.75·0.75)/3 = 0.25; r = 0.25/√(0.25·0.916667) = 0.522233.
//	   both sorted 0 1 1 1 and 0 0 1 2: the same sum, so the efficiency is 100 %.
//	B: x = 1 1 0 0, V = 1/3. X = 2 1 1 0, V = 2/3. C = 1/3, r = 0.707107, efficiency 100 %.
//	C: x = 1 0 0 0, V = 1/4. X = 2 2 1 0, V = 2.75/3. C = 0.25, r = 0.522233, efficiency 100 %.
//	effective: C(x,T) = C(x,X) + V(x) = 1/2, 2/3, 1/2; roots 0.707107 0.816497 0.707107; sum 2.230711.
func TestPerfectScale(t *testing.T) {
	p := paper([]float64{1, 1, 1}, []float64{1, 1, 1}, []float64{1, 1, 0}, []float64{1, 0, 0}, []float64{0, 0, 0})
	third := 100.0 / 3
	check(t, p, 1.5, 1.5, 1.290994, 0, -1.2, 75, 0.645497,
		wantItem{75, 50, third, 31.69873, 52.22330, 100},
		wantItem{50, 57.73503, third, 36.60254, 70.71068, 100},
		wantItem{25, 50, third, 31.69873, 52.22330, 100})
}

// The second vector: a question that the better ones get wrong.
//
//	     A(5) B(10)  T   T: mean 28/3, V = (5.444444 + 0.444444 + 2.777778)/2 = 4.333333, SD = 2.081666
//	s1    5    2     7   m3 = (−12.703704 + 0.296296 + 4.629630)/3 = −2.592593; k3 = 9/2·m3 = −11.666667
//	s2    0   10    10   skewness = −11.666667/4.333333^1.5 = −1.293343; three attempts have no kurtosis
//	s3    5    6    11   ΣV(x) = 8.333333 + 16; alpha = 2·(1 − 24.333333/4.333333) = −9.230769
//	                     SE = √(4.333333·10.230769) = 6.658328
//
//	A: mean 10/3, V = 25/3; X = 2 10 6, mean 6, V = 16; C = (1.666667·(−4) − 3.333333·4)/2 = −10;
//	   r = −10/√(8.333333·16) = −0.866025; sorted 0 5 5 with 2 6 10: (13.333333 + 0 + 6.666667)/2 = 10: −100 %.
//	   C(x,T) = −10 + 8.333333 < 0: no effective weight.
//	B: V = 16, X = 5 0 5, C = −10, r = −0.866025; sorted 2 6 10 with 0 5 5: 10: −100 %. C(x,T) = 6: all the weight.
func TestReversedQuestion(t *testing.T) {
	p := paper([]float64{5, 10}, []float64{5, 2}, []float64{0, 10}, []float64{5, 6})
	check(t, p, 9.333333, 10, 2.081666, -1.293343, none, -923.0769, 6.658328,
		wantItem{66.66667, 57.73503, 33.33333, none, -86.60254, -100},
		wantItem{60, 40, 66.66667, 100, -86.60254, -100})
}

// The third vector: partial marks and a question that everybody got right.
//
//	     A(2) B C D  T   T: mean 2.8, V = 8.8/4 = 2.2, SD = 1.483240; m2 = 1.76
//	s1    2   1 1 1  5   m3 = (10.648 + 0.008 + 0.008 − 0.512 − 5.832)/5 = 0.864; k3 = 25/12·m3 = 1.8
//	s2    1   1 1 0  3   skewness = 1.8/2.2^1.5 = 0.551618
//	s3    1   0 1 1  3   m4 = 34.336/5 = 6.8672; k4 = 25/24·(6·6.8672 − 12·3.0976) = 4.2; kurtosis = 4.2/4.84 = 0.867769
//	s4    0   1 1 0  2   ΣV(x) = 0.7 + 0.3 + 0 + 0.3; alpha = 4/3·(1 − 1.3/2.2) = 0.545455
//	s5    0   0 1 0  1   SE = √(2.2·0.454545) = 1
//
//	A: mean 0.8, V = 0.7; X = 3 2 2 2 1, V = 0.5; C = (1.2 + 0.8)/4 = 0.5; r = 0.5/√0.35 = 0.845154; sorted: the same, 100 %.
//	B: mean 0.6, V = 0.3; X = 4 2 3 1 1, mean 2.2, V = 1.7; C = 0.4/4 = 0.1; r = 0.1/√0.51 = 0.140028;
//	   sorted 0 0 1 1 1 with 1 1 2 3 4: (1.44 + 0.96)/4 = 0.6: 16.666667 %.
//	C: V = 0: neither index nor efficiency; weight 0.
//	D: mean 0.4, V = 0.3; X = 4 3 2 2 1, mean 2.4, V = 1.3; C = 1.2/4 = 0.3; r = 0.3/√0.39 = 0.480384;
//	   sorted 0 0 0 1 1 with 1 2 2 3 4: (0.88 + 1.32)/4 = 0.55: 54.545455 %.
//	effective: C(x,T) = 1.2 0.4 0 0.6; roots 1.095445 0.632456 0 0.774597, sum 2.502498.
func TestPartialMarksAndALevelQuestion(t *testing.T) {
	p := paper([]float64{2, 1, 1, 1}, []float64{2, 1, 1, 1}, []float64{1, 1, 1, 0}, []float64{1, 0, 1, 1}, []float64{0, 1, 1, 0}, []float64{0, 0, 1, 0})
	check(t, p, 2.8, 3, 1.483240, 0.551618, 0.867769, 54.54545, 1,
		wantItem{40, 41.83300, 40, 43.77408, 84.51543, 100},
		wantItem{60, 54.77226, 20, 25.27298, 14.00280, 16.66667},
		wantItem{100, 0, 20, 0, none, none},
		wantItem{40, 54.77226, 20, 30.95295, 48.03845, 54.54545})
}

func TestFiguresThatAreNotDefined(t *testing.T) {
	t.Run("nobody", func(t *testing.T) {
		check(t, Paper{Max: 1, Items: []Item{{Max: 1}}}, none, none, none, none, none, none, none, wantItem{none, none, 100, none, none, none})
	})
	t.Run("no questions", func(t *testing.T) { check(t, Paper{}, none, none, none, none, none, none, none) })
	t.Run("one attempt", func(t *testing.T) {
		check(t, paper([]float64{1, 1}, []float64{1, 0}), 1, 1, none, none, none, none, none,
			wantItem{100, none, 50, none, none, none}, wantItem{0, none, 50, none, none, none})
	})
	t.Run("all right", func(t *testing.T) {
		row := []float64{0.1, 0.7} // sums that binary fractions only approach
		check(t, paper([]float64{0.1, 0.7}, row, row, row), 0.8, 0.8, 0, none, none, none, none,
			wantItem{100, 0, 12.5, none, none, none}, wantItem{100, 0, 87.5, none, none, none})
	})
	t.Run("one question: there is no rest to compare with", func(t *testing.T) {
		check(t, paper([]float64{1}, []float64{1}, []float64{0}), 0.5, 0.5, 0.707107, none, none, none, none,
			wantItem{50, 70.71068, 100, 100, none, none})
	})
	t.Run("drawn paper: only some had the second question", func(t *testing.T) {
		p := paper([]float64{1, 1}, []float64{1, 0}, []float64{0, 1}, []float64{1, 1})
		p.Items[1].Cells = p.Items[1].Cells[:2]
		test, figures := Analyse(p, rules(t))
		if test.Alpha != nil || test.Error != nil || figures[0].Effective != nil || figures[1].Answered != 2 || *figures[1].Facility != 50 {
			t.Errorf("%+v %+v", test, figures[1])
		}
	})
	t.Run("a question without points", func(t *testing.T) {
		_, figures := Analyse(paper([]float64{0, 1}, []float64{0, 1}, []float64{0, 0}), rules(t))
		if f := figures[0]; f.Facility != nil || f.SD != nil || f.Intended != nil {
			t.Errorf("%+v", f)
		}
	})
}

func codes(f Figures) (out []string) {
	for _, r := range f.Findings {
		out = append(out, r.Code)
	}
	return out
}

func TestFindings(t *testing.T) {
	count := func(guess float64, cells ...Cell) (Figures, string) {
		p := Paper{Max: 2, Items: []Item{{Max: 1, Guess: &guess, Cells: cells}}}
		for _, c := range cells {
			p.Totals = append(p.Totals, Count{c.Total, c.N})
		}
		_, f := Analyse(p, rules(t))
		return f[0], strings.Join(codes(f[0]), " ")
	}
	for name, c := range map[string]struct {
		guess   float64
		cells   []Cell
		want    string
		dubious bool
	}{
		"well":                    {0.25, []Cell{{1, 2, 30}, {0, 0, 20}}, "", false},
		"too few to judge":        {0.25, []Cell{{1, 1, 4}, {0, 1, 4}}, "few", false},
		"the key is wrong":        {0.25, []Cell{{1, 1, 15}, {0, 1, 25}}, "reversed", true},
		"no better than guessing": {0.5, []Cell{{1, 2, 20}, {0, 0, 30}}, "guessed", true},
		"hardly tells apart":      {0.25, []Cell{{1, 2, 20}, {1, 1, 20}, {0, 1, 10}, {0, 0, 10}}, "inefficient", true},
		"everybody right":         {0.25, []Cell{{1, 2, 30}, {1, 1, 20}}, "level", false},
		"nearly everybody right":  {0.25, []Cell{{1, 2, 98}, {0, 0, 2}}, "easy", false},
		"nobody right":            {0, []Cell{{0, 1, 30}, {0, 0, 20}}, "hard level", true},
		"doubt on few":            {0.5, []Cell{{1, 2, 5}, {0, 0, 10}}, "guessed few", true},
	} {
		f, got := count(c.guess, c.cells...)
		if got != c.want || f.Dubious != c.dubious {
			t.Errorf("%s: %q dubious %v, want %q %v (%+v)", name, got, f.Dubious, c.want, c.dubious, f.Findings)
		}
	}
}

func drawPaper(t *rapid.T) (Paper, [][]float64) {
	items := rapid.IntRange(1, 6).Draw(t, "items")
	points := rapid.SliceOfN(rapid.SampledFrom([]float64{0.5, 1, 2, 3, 5, 10}), items, items).Draw(t, "max")
	rows := rapid.IntRange(0, 12).Draw(t, "rows")
	matrix := make([][]float64, rows)
	for i := range matrix {
		matrix[i] = make([]float64, items)
		for j := range points {
			matrix[i][j] = points[j] * float64(rapid.IntRange(0, 3).Draw(t, "third")) / 3
		}
	}
	return paper(points, matrix...), matrix
}

func TestOrderPlaysNoPart(t *testing.T) {
	r := rules(t)
	rapid.Check(t, func(t *rapid.T) {
		p, _ := drawPaper(t)
		test, figures := Analyse(p, r)
		q := Paper{Max: p.Max, Totals: rapid.Permutation(p.Totals).Draw(t, "totals")}
		for _, it := range p.Items {
			q.Items = append(q.Items, Item{Max: it.Max, Guess: it.Guess, Cells: rapid.Permutation(it.Cells).Draw(t, "cells")})
		}
		test2, figures2 := Analyse(q, r)
		if !reflect.DeepEqual(test, test2) || !reflect.DeepEqual(figures, figures2) {
			t.Fatalf("%+v\n%+v\n%+v\n%+v", test, test2, figures, figures2)
		}
	})
}

func TestRanges(t *testing.T) {
	r := rules(t)
	rapid.Check(t, func(t *rapid.T) {
		p, _ := drawPaper(t)
		test, figures := Analyse(p, r)
		between := func(what string, v *float64, low, high float64) {
			if v != nil && !(*v >= low-1e-9 && *v <= high+1e-9) {
				t.Fatalf("%s = %v", what, *v)
			}
		}
		between("alpha", test.Alpha, math.Inf(-1), 100)
		between("mean", test.Mean, 0, p.Max)
		between("standard error", test.Error, 0, math.MaxFloat64)
		sum, weighed := 0.0, false
		for _, f := range figures {
			between("facility", f.Facility, 0, 100)
			between("sd", f.SD, 0, 100)
			between("discrimination", f.Discrimination, -100, 100)
			between("efficiency", f.Efficiency, -math.MaxFloat64, 100)
			between("effective", f.Effective, 0, 100)
			if f.Effective != nil {
				sum, weighed = sum+*f.Effective, true
			}
			if f.Discrimination != nil && f.Efficiency != nil && (*f.Discrimination > 1e-9) != (*f.Efficiency > 1e-9) {
				t.Fatalf("signs differ: %v %v", *f.Discrimination, *f.Efficiency)
			}
		}
		if weighed && math.Abs(sum-100) > 1e-6 {
			t.Fatalf("effective weights sum to %v", sum)
		}
	})
}

// Counting equal attempts together, and doubling the points, change nothing.
func TestCountsAndScale(t *testing.T) {
	r := rules(t)
	rapid.Check(t, func(t *rapid.T) {
		p, matrix := drawPaper(t)
		if len(matrix) < 2 {
			return
		}
		_, once := Analyse(p, r)
		q := Paper{Max: 2 * p.Max}
		for _, c := range p.Totals {
			q.Totals = append(q.Totals, Count{2 * c.Total, c.N})
		}
		for _, it := range p.Items {
			i := Item{Max: 2 * it.Max}
			for _, c := range it.Cells {
				c.Mark, c.Total = 2*c.Mark, 2*c.Total
				if at := slices.IndexFunc(i.Cells, func(d Cell) bool { return d.Mark == c.Mark && d.Total == c.Total }); at >= 0 {
					i.Cells[at].N++
					continue
				}
				i.Cells = append(i.Cells, c)
			}
			q.Items = append(q.Items, i)
		}
		_, twice := Analyse(q, r)
		for i := range once {
			for _, pair := range [][2]*float64{
				{once[i].Facility, twice[i].Facility},
				{once[i].SD, twice[i].SD},
				{once[i].Discrimination, twice[i].Discrimination},
				{once[i].Efficiency, twice[i].Efficiency},
			} {
				if (pair[0] == nil) != (pair[1] == nil) || pair[0] != nil && math.Abs(*pair[0]-*pair[1]) > 1e-6 {
					t.Fatalf("question %d: %+v, %+v", i, once[i], twice[i])
				}
			}
		}
	})
}
