package quiz

import (
	"fmt"
	"math"
	"strings"
	"time"
	"unicode/utf8"

	"tongxin/internal/errs"
	"tongxin/internal/ids"
)

// MaxQuestions is how many questions one attempt may ask.
const MaxQuestions = 200

// check reports what is wrong with an input, also of a draft: what is given
// must make sense, what is missing is asked for when the paper is published.
func (in *PaperInput) check() error {
	var f errs.Fields
	in.Title = strings.TrimSpace(in.Title)
	text(&f, "title", "名称", in.Title, 100, true)
	text(&f, "about", "说明", in.About, 2000, false)
	if in.Kind != ExamPaper && in.Kind != PracticePaper {
		f.Add("kind", "请选择考试或练习。")
	}
	seen := map[ids.ID]bool{}
	for i, it := range in.Items {
		if seen[it.ID] {
			f.Add(fmt.Sprintf("items[%d].id", i), "第 %d 题与前面的题重复，请删除一道。", i+1)
		}
		seen[it.ID] = true
		checkPoints(&f, fmt.Sprintf("items[%d].points", i), it.Points)
	}
	for i, d := range in.Draws {
		checkPoints(&f, fmt.Sprintf("draws[%d].points", i), d.Points)
		if d.Count < 1 || d.Count > MaxQuestions {
			f.Add(fmt.Sprintf("draws[%d].count", i), "抽题数量请填 1 到 %d。", MaxQuestions)
		}
		if utf8.RuneCountInString(d.Topic) > MaxTopic {
			f.Add(fmt.Sprintf("draws[%d].topic", i), "知识点太长：最多 %d 个字。", MaxTopic)
		}
	}
	questions, points := total(in.Items, in.Draws)
	if questions > MaxQuestions {
		f.Add("items", "一份试卷最多 %d 道题，现在有 %d 道。", MaxQuestions, questions)
	}
	in.Rules.check(&f, in.Kind, points)
	return f.Err()
}

func checkPoints(f *errs.Fields, field string, p float64) {
	if !finite(p) || p < 0.5 || p > 100 || math.Mod(p*2, 1) != 0 {
		f.Add(field, "分值请填 0.5 到 100，以 0.5 为一档。")
	}
}

func (r *PaperRules) check(f *errs.Fields, kind PaperKind, points float64) {
	if !r.ClosesAt.IsZero() && !r.OpensAt.IsZero() && !r.ClosesAt.After(r.OpensAt) {
		f.Add("rules.closesAt", "结束时间要晚于开始时间。")
	}
	if r.DurationSec != 0 && (r.DurationSec < 60 || r.DurationSec > 24*3600) {
		f.Add("rules.durationSec", "作答时长请填 1 分钟到 24 小时，或填 0 表示到结束时间为止。")
	}
	if r.Attempts < 0 || r.Attempts > 100 {
		f.Add("rules.attempts", "作答次数请填 1 到 100，或填 0 表示不限。")
	}
	if !finite(r.PassPoints) || r.PassPoints < 0 || r.PassPoints > points && points > 0 {
		f.Add("rules.passPoints", "及格分要在 0 和总分 %g 之间。", points)
	}
	r.checkCertificate(f)
	if kind == PracticePaper {
		return
	}
	if r.ShowScore == AtOnce || r.ShowKey == AtOnce {
		f.Add("rules.showKey", "“答一题公布一题”只适用于练习，考试请选择交卷后、结束后或不公布。")
	}
	if r.ShowKey == AfterSubmit && r.Attempts != 1 {
		f.Add("rules.showKey", "可以作答多次时，交卷后公布答案会影响下一次作答，请改为结束后公布，或把次数改为 1。")
	}
}

// ready asks for what a published paper needs.
func (p *Paper) ready(now time.Time) error {
	var f errs.Fields
	if p.Questions == 0 {
		f.Add("items", "试卷还没有题目，请选题或设置抽题规则。")
	}
	if p.Kind == ExamPaper && p.Rules.ClosesAt.IsZero() {
		f.Add("rules.closesAt", "请填写考试的结束时间。")
	}
	if !p.Rules.ClosesAt.IsZero() && !p.Rules.ClosesAt.After(now) {
		f.Add("rules.closesAt", "结束时间已经过去，请改到将来。")
	}
	if p.Kind == PracticePaper && p.Rules.ShowKey == AfterClose && p.Rules.ClosesAt.IsZero() {
		f.Add("rules.closesAt", "选择“结束后公布”时，请填写结束时间。")
	}
	if p.Rules.PassPoints > p.Points {
		f.Add("rules.passPoints", "及格分不能超过总分 %g。", p.Points)
	}
	return f.Err()
}

// checkCertificate: a certificate tells that somebody passed, so passing must
// mean something and may not be a secret.
func (r *PaperRules) checkCertificate(f *errs.Fields) {
	r.Certificate = strings.TrimSpace(r.Certificate)
	text(f, "rules.certificate", "证书名称", r.Certificate, 20, false)
	if r.Certificate == "" {
		return
	}
	if r.PassPoints <= 0 {
		f.Add("rules.passPoints", "颁发证书的试卷请填写及格分。")
	}
	if r.ShowScore == Never {
		f.Add("rules.showScore", "颁发证书的试卷请选择公布成绩。")
	}
}
