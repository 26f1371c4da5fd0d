package httpkit

import (
	"regexp"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"tongxin/internal/errs"
)

// translator is huma's messages as patterns with their Chinese sentences.
type translator []struct {
	re *regexp.Regexp
	zh string
}

func newTranslator() translator {
	var t translator
	for _, s := range sentences() {
		t = append(t, struct {
			re *regexp.Regexp
			zh string
		}{regexp.MustCompile(s.en), s.zh})
	}
	return t
}

// transform is a huma transformer of one API: it replaces huma's own error
// model by a Problem with Chinese sentences. huma.NewError, a package variable,
// stays as it is, so two kits in one process cannot disturb each other.
func (t translator) transform(ctx huma.Context, _ string, v any) (any, error) {
	m, ok := v.(*huma.ErrorModel)
	if !ok {
		return v, nil
	}
	err, id := t.foreign(m), ""
	if rq := requestOf(ctx.Context()); rq != nil {
		rq.err, id = err, rq.info.RequestID
	}
	p := ProblemOf(err, id)
	p.Status = m.Status
	ctx.SetHeader("Content-Type", ProblemType)
	ctx.SetHeader("Cache-Control", "no-store")
	return p, nil
}

// maxWrong is how many wrong inputs an answer names, maxName how many bytes of
// a name. A body of a megabyte can hold a hundred thousand.
const (
	maxWrong = 50
	maxName  = 100
)

// foreign turns what huma found wrong into an error of ours. The value that
// was sent is never echoed: it may be a password.
func (t translator) foreign(m *huma.ErrorModel) error {
	if m.Status >= 500 {
		return errs.New(errs.Internal, neutral)
	}
	if m.Status == 413 {
		return errs.New(errs.TooLarge, "提交的内容超过大小限制，请压缩或分开后再试。")
	}
	if m.Status == 415 {
		return errs.New(errs.Unsupported, "提交的内容须为 JSON 格式。")
	}
	var f errs.Fields
	for _, d := range m.Errors[:min(len(m.Errors), maxWrong)] {
		name, msg := fieldName(d.Location), t.inChinese(d.Message)
		if prop, ok := requiredProperty(d.Message); ok {
			name = strings.TrimPrefix(name+"."+prop, ".")
		}
		f.Add(strings.ToValidUTF8(name[:min(len(name), maxName)], ""), "%s", msg)
	}
	if err := f.Err(); err != nil {
		return err
	}
	return errs.New(errs.Invalid, "请求内容为空或格式不正确。")
}

// fieldName is huma's location without the part of the request it was in.
func fieldName(location string) string {
	for _, p := range []string{"body.", "query.", "path.", "header."} {
		if rest, ok := strings.CutPrefix(location, p); ok {
			return rest
		}
	}
	if location == "body" {
		return ""
	}
	return location
}

func requiredProperty(msg string) (string, bool) {
	rest, ok := strings.CutPrefix(msg, "expected required property ")
	if !ok {
		return "", false
	}
	return strings.CutSuffix(rest, " to be present")
}

// sentence is one of huma's messages (package huma/validation) in Chinese.
type sentence struct{ en, zh string }

func sentences() []sentence {
	return []sentence{
		{`^expected required property .* to be present$`, "此项必填。"},
		{`^required (path|query|header|form|cookie) parameter is missing$`, "缺少此参数。"},
		{`^request body is required$`, "请填写内容后再提交。"},
		{`^expected length >= 1$`, "此项不能为空。"},
		{`^expected length >= (\d+)$`, "至少需要 $1 个字。"},
		{`^expected length <= (\d+)$`, "最多 $1 个字。"},
		{`^expected array length >= (\d+)$`, "至少需要 $1 项。"},
		{`^expected array length <= (\d+)$`, "最多 $1 项。"},
		{`^expected number >= (\S+)$`, "不能小于 $1。"},
		{`^expected number > (\S+)$`, "须大于 $1。"},
		{`^expected number <= (\S+)$`, "不能大于 $1。"},
		{`^expected number < (\S+)$`, "须小于 $1。"},
		{`^expected value to be one of "(.*)"$`, "只能是以下之一：$1。"},
		{`^(unexpected property|unknown query parameter)$`, "不认识的字段，请去掉。"},
		{`^(expected string to match pattern|expected string to be) .*$`, "格式不正确。"},
		{`^expected array items to be unique$`, "有重复的项。"},
		{`^(expected|invalid) boolean$`, "须为“是”或“否”。"},
		{`^(expected|invalid) integer$`, "须为整数。"},
		{`^(expected number|invalid float(ing value)?)$`, "须为数字。"},
		{`^expected string$`, "须为文字。"},
		{`^expected array$`, "须为列表。"},
		{`^expected object$`, "须为对象。"},
		{`^(invalid date/time|expected duration).*$`, "时间格式不正确。"},
	}
}

func (t translator) inChinese(msg string) string {
	for _, s := range t {
		if s.re.MatchString(msg) {
			return s.re.ReplaceAllString(msg, s.zh)
		}
	}
	return "格式不正确。"
}
