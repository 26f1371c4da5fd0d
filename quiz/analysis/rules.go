package analysis

import (
	_ "embed"
	"encoding/json"
	"fmt"

	"tongxin/internal/errs"
)

//go:embed rules.json
var builtIn []byte

// Rules are the limits at which a figure becomes a finding: data with a version
// and a source, because they are customs and not mathematics.
type Rules struct {
	Version string `json:"version"`
	Source  string `json:"source"`
	// Few: below that many attempts nothing is judged. Firm: below that many a
	// judgement comes with a warning.
	Few  int `json:"few"`
	Firm int `json:"firm"`
	// EfficiencyBelow marks a question as dubious, as Moodle's report does.
	EfficiencyBelow float64 `json:"efficiencyBelow"`
	// DiscriminationWeak is where Moodle's table calls a question very weak.
	DiscriminationWeak float64 `json:"discriminationWeak"`
	FacilityLow        float64 `json:"facilityLow"`
	FacilityHigh       float64 `json:"facilityHigh"`
}

// BuiltIn are the rules that come with the program.
func BuiltIn() (*Rules, error) {
	r := new(Rules)
	if err := json.Unmarshal(builtIn, r); err != nil {
		return nil, errs.Wrap(err, errs.Internal, "题目分析规则无法读取。")
	}
	return r, nil
}

// Reason is one finding about a question.
type Reason struct {
	Code    string `json:"code" enum:"few,reversed,inefficient,guessed,hard,easy,level,weak"`
	Text    string `json:"text"`
	Dubious bool   `json:"dubious"`
}

// judge turns figures into findings. Doubt is cast by what points to a wrong
// key or an unclear text; that a question is easy is worth knowing and no fault.
func (r *Rules) judge(f *Figures, graded bool) (out []Reason, dubious bool) {
	add := func(code string, doubt bool, format string, args ...any) {
		out = append(out, Reason{Code: code, Text: fmt.Sprintf(format, args...), Dubious: doubt})
		dubious = dubious || doubt
	}
	if !graded || f.Facility == nil {
		return nil, false
	}
	if f.Answered < r.Few {
		add("few", false, "只有 %d 人作答，不足 %d 人，暂不评价。", f.Answered, r.Few)
		return out, false
	}
	fac := *f.Facility
	if d := f.Discrimination; d != nil && *d < 0 {
		add("reversed", true, "总分高的人反而更容易做错（区分度 %.0f%%）：请先核对答案，再看题干是否有歧义。", *d)
	}
	if e := f.Efficiency; e != nil && *e < r.EfficiencyBelow && *e >= 0 {
		add("inefficient", true, "区分效率只有 %.0f%%，低于 %.0f%%：这道题几乎分不出掌握程度，请检查题干和选项。", *e, r.EfficiencyBelow)
	} else if d := f.Discrimination; d != nil && *d >= 0 && *d < r.DiscriminationWeak {
		add("weak", false, "区分度偏低（%.0f%%）：对区分掌握程度帮助不大。", *d)
	}
	if g := f.Guess; g != nil && *g > 0 && fac <= *g {
		add("guessed", true, "得分率 %.0f%%，不高于随机猜测的 %.0f%%：可能答案有误，或大家都没有掌握。", fac, *g)
	} else if fac <= r.FacilityLow {
		add("hard", true, "得分率只有 %.0f%%：极难，或题目本身有问题。", fac)
	}
	switch {
	case f.SD != nil && *f.SD == 0:
		add("level", false, "所有人得分相同，这道题没有起到区分作用。")
	case fac >= r.FacilityHigh:
		add("easy", false, "得分率 %.0f%%：几乎人人答对，可作为送分题或巩固题。", fac)
	}
	if len(out) > 0 && f.Answered < r.Firm {
		add("few", false, "作答人数不足 %d 人，以上结论仅供参考。", r.Firm)
	}
	return out, dubious
}
