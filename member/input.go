package member

import (
	"slices"
	"strings"

	"tongxin/internal/errs"
	"tongxin/internal/ids"
)

// Input is what a person fills in. Lists never show a number whole, so a form
// cannot send it back: an empty number keeps the one that is there, "-" removes it.
type Input struct {
	OrgID      ids.ID   `json:"orgId"`
	GroupID    ids.ID   `json:"groupId,omitempty"`
	Name       string   `json:"name" minLength:"1" maxLength:"30"`
	Kind       Kind     `json:"kind" enum:"full,probationary"`
	Posts      []string `json:"posts,omitempty" maxItems:"12"`
	Gender     string   `json:"gender,omitempty" maxLength:"10" doc:"male, female or empty"`
	BirthDate  Date     `json:"birthDate,omitempty" maxLength:"10"`
	JoinedAt   Date     `json:"joinedAt,omitempty" maxLength:"10"`
	FullAt     Date     `json:"fullAt,omitempty" maxLength:"10"`
	ExtendedTo Date     `json:"extendedTo,omitempty" maxLength:"10"`
	Phone      string   `json:"phone,omitempty" maxLength:"20" doc:"empty keeps the number, - removes it"`
	IDNumber   string   `json:"idNumber,omitempty" maxLength:"20" doc:"empty keeps the number, - removes it"`
	StaffID    ids.ID   `json:"staffId,omitempty"`
	Note       string   `json:"note,omitempty" maxLength:"200"`
}

// remove is what a form or a cell says to take a value away.
const remove = "-"

// check cleans the input and finds everything that is wrong with it.
func (in *Input) check(rules *Rules, today Date) error {
	var f errs.Fields
	in.Name, in.Note = strings.TrimSpace(in.Name), strings.TrimSpace(in.Note)
	if n := len([]rune(in.Name)); n == 0 || n > 30 {
		f.Add("name", "姓名须为 1 到 30 个字。")
	}
	if strings.ContainsFunc(in.Name, func(r rune) bool { return r < ' ' || r >= '0' && r <= '9' }) {
		f.Add("name", "姓名里不能有数字或换行。")
	}
	if len([]rune(in.Note)) > 200 {
		f.Add("note", "备注最多 200 个字。")
	}
	if tellsNumber(in.Note) {
		f.Add("note", "备注不加密，请不要在备注里写手机号或身份证号。")
	}
	if in.Kind != Full && in.Kind != Probationary {
		f.Add("kind", "请选择正式党员或预备党员。")
	}
	if in.Gender != "" && in.Gender != "male" && in.Gender != "female" {
		f.Add("gender", "性别请选择男或女，也可不填。")
	}
	in.checkPosts(&f, rules)
	in.checkNumbers(&f, today)
	in.checkDates(&f, rules, today)
	return f.Err()
}

func (in *Input) checkPosts(f *errs.Fields, rules *Rules) {
	out := []string{}
	for _, name := range in.Posts {
		p, ok := rules.post(strings.TrimSpace(name))
		if !ok {
			f.Add("posts", "没有这个职务，请从列表中选择。")
			return
		}
		if !slices.Contains(out, p.Code) {
			out = append(out, p.Code)
		}
	}
	in.Posts = out
}

func (in *Input) checkNumbers(f *errs.Fields, today Date) {
	if in.Phone = strings.TrimSpace(in.Phone); in.Phone != "" && in.Phone != remove {
		p, ok := phoneOf(in.Phone)
		if !ok {
			f.Add("phone", "手机号应为 11 位数字，请核对。")
		}
		in.Phone = p
	}
	if in.IDNumber = strings.TrimSpace(in.IDNumber); in.IDNumber == "" || in.IDNumber == remove {
		return
	}
	n, ok := idNumberOf(in.IDNumber, today)
	if !ok {
		f.Add("idNumber", "身份证号不正确，应为 18 位，且出生日期和最后一位校验码相符，请对照证件核对。")
		in.IDNumber = ""
		return
	}
	in.IDNumber = n
	if in.Gender == "" {
		in.Gender = genderOf(n)
	}
	switch born := birthOf(n); {
	case in.BirthDate == "":
		in.BirthDate = born
	case in.BirthDate != born:
		f.Add("birthDate", "出生日期与身份证号不一致，请核对；不填则按身份证号填写。")
	}
}

func (in *Input) checkDates(f *errs.Fields, rules *Rules, today Date) {
	for _, d := range []struct {
		name, label string
		date        Date
	}{
		{"birthDate", "出生日期", in.BirthDate},
		{"joinedAt", "入党日期", in.JoinedAt},
		{"fullAt", "转正日期", in.FullAt},
		{"extendedTo", "延长预备期至", in.ExtendedTo},
	} {
		if !d.date.valid() {
			f.Add(d.name, "%s不正确，请按 2024-07-01 的样子填写。", d.label)
			return
		}
		if d.date > today && d.name != "extendedTo" {
			f.Add(d.name, "%s不能晚于今天。", d.label)
		}
	}
	if in.BirthDate != "" && in.JoinedAt != "" && in.JoinedAt < in.BirthDate.plus(18, 0) {
		f.Add("joinedAt", "入党时须年满 18 周岁，请核对出生日期和入党日期。")
	}
	if in.FullAt != "" && in.FullAt < in.JoinedAt {
		f.Add("fullAt", "转正日期不能早于入党日期。")
	}
	if in.Kind == Probationary {
		in.checkProbation(f, rules)
	} else {
		in.ExtendedTo = "" // belongs to a probation that has ended
	}
}

func (in *Input) checkProbation(f *errs.Fields, rules *Rules) {
	if in.JoinedAt == "" {
		f.Add("joinedAt", "预备党员须填写入党日期，用来推算预备期何时届满。")
		return
	}
	if in.FullAt != "" {
		f.Add("fullAt", "预备党员还没有转正日期；如已转正，请把党员类别改为正式党员。")
	}
	if in.ExtendedTo == "" {
		return
	}
	due := in.JoinedAt.plus(rules.alarm(ProbationOverdue).Value, 0)
	if in.ExtendedTo <= due || in.ExtendedTo > due.plus(rules.Extension.Value, 0) {
		f.Add("extendedTo", "延长预备期应晚于 %s，且不能超过一年。", due)
	}
}

// put writes the input into m; numbers and links are put by who may seal and look up.
func (in *Input) put(m *Member) {
	m.Name, m.Kind, m.Posts, m.Gender, m.BirthDate = in.Name, in.Kind, in.Posts, in.Gender, in.BirthDate
	m.JoinedAt, m.FullAt, m.ExtendedTo, m.Note = in.JoinedAt, in.FullAt, in.ExtendedTo, in.Note
}
