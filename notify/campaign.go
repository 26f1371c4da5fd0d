package notify

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"tongxin/internal/errs"
	"tongxin/internal/ids"
)

// State of a campaign.
type State string

// States: 草稿, 分发收件箱, 发送中, 已暂停, 已完成, 已取消.
const (
	Draft     State = "draft"
	Fanning   State = "fanning" // inbox rows are being written
	Sending   State = "sending" // messages of the platform go out
	Paused    State = "paused"
	Done      State = "done"
	Cancelled State = "cancelled"
)

// Started reports a campaign that reached inboxes, or is about to.
func (s State) Started() bool { return s != Draft }

// Action is what people do to a campaign.
type Action string

// Actions: 发送, 暂停, 继续, 取消, 重试.
const (
	Start  Action = "start"
	Pause  Action = "pause"
	Resume Action = "resume"
	Cancel Action = "cancel"
	Retry  Action = "retry"
)

// After is the state that an action leads to; false when it is not possible.
// What was delivered stays: cancelling ends what is still to come.
func (s State) After(a Action) (State, bool) {
	switch {
	case a == Start && s == Draft:
		return Fanning, true
	case a == Pause && s == Sending:
		return Paused, true
	case a == Resume && s == Paused:
		return Sending, true
	case a == Cancel && (s == Draft || s == Fanning || s == Sending || s == Paused):
		return Cancelled, true
	case a == Retry && (s == Done || s == Sending || s == Paused):
		return Sending, true
	}
	return s, false
}

// Campaign is a notice with its audience and where its sending stands.
type Campaign struct {
	ID         ids.ID    `json:"id"`
	OrgID      ids.ID    `json:"orgId" doc:"who sends it"`
	OrgName    string    `json:"orgName"`
	OrgPath    string    `json:"-"`
	Kind       Kind      `json:"kind" enum:"notice,post,quiz,contest,meeting,system"`
	Title      string    `json:"title"`
	Summary    string    `json:"summary"`
	Body       string    `json:"body,omitempty" doc:"Markdown; not in lists"`
	Ask        *Ask      `json:"ask,omitempty"`
	Link       *Link     `json:"link,omitempty"`
	EventAt    time.Time `json:"eventAt,omitzero" doc:"what the notice is about happens then"`
	Place      string    `json:"place,omitempty"`
	Remark     string    `json:"remark,omitempty"`
	Audience   Audience  `json:"audience"`
	Push       bool      `json:"push" doc:"also through messages of WeChat, where a member can be reached"`
	RemindOf   ids.ID    `json:"remindOf" doc:"the notice that this one reminds of; empty for none"`
	State      State     `json:"state" enum:"draft,fanning,sending,paused,done,cancelled"`
	Problem    string    `json:"problem,omitempty" doc:"why the program paused it, and what to do"`
	Recipients int       `json:"recipients" doc:"people in whose inbox it is"`
	Version    int64     `json:"version"`
	CreatedAt  time.Time `json:"createdAt"`
	CreatedBy  string    `json:"createdBy"`
	UpdatedAt  time.Time `json:"updatedAt"`
	UpdatedBy  string    `json:"updatedBy"`
	StartedAt  time.Time `json:"startedAt,omitzero"`
	DoneAt     time.Time `json:"doneAt,omitzero"`
	Progress   *Progress `json:"progress,omitempty" doc:"only of a single campaign that was started"`

	SentID ids.ID `json:"-"`
	Target Target `json:"-"`
	Dedupe string `json:"-"`
	Fence  int64  `json:"-"`

	Was     State   `json:"-"` // the state that a change starts from
	RetryBy Channel `json:"-"` // refused messages wait again, from this channel on
}

// Input is what a person writes.
type Input struct {
	OrgID    ids.ID    `json:"orgId" doc:"who sends it"`
	Kind     Kind      `json:"kind,omitempty" enum:"notice,post,quiz,contest,meeting" default:"notice"`
	Title    string    `json:"title" maxLength:"64"`
	Summary  string    `json:"summary,omitempty" maxLength:"120" doc:"taken from the body when empty"`
	Body     string    `json:"body" maxLength:"20000" doc:"Markdown"`
	Ask      *Ask      `json:"ask,omitempty"`
	Link     *Link     `json:"link,omitempty"`
	EventAt  time.Time `json:"eventAt,omitzero"`
	Place    string    `json:"place,omitempty" maxLength:"60"`
	Remark   string    `json:"remark,omitempty" maxLength:"60"`
	Audience Audience  `json:"audience"`
	Push     bool      `json:"push,omitempty"`
}

// Bounds of a notice, in characters.
const (
	maxTitle, maxSummary, maxBody = 64, 120, 20_000
	maxOption, maxPlace           = 20, 60
)

// fill checks what a person wrote and puts it into c.
func (s *Service) fill(c *Campaign, in Input) error {
	var f errs.Fields
	text := func(name, v string, limit int) string {
		out, err := plainText(name, v, limit)
		if err != nil {
			f.Add(name, "%s", err.(*errs.Error).Msg) //nolint:errorlint // plainText makes it
		}
		return out
	}
	c.Kind, c.Title, c.Summary = in.Kind, text("title", in.Title, maxTitle), text("summary", in.Summary, maxSummary)
	if c.Kind == "" {
		c.Kind = Notice
	}
	if !slices.Contains([]Kind{Notice, Post, Quiz, Contest, Meeting, System}, c.Kind) {
		f.Add("kind", "没有这种通知，请重新选择。")
	}
	if c.Title == "" {
		f.Add("title", "请填写标题。")
	}
	if utf8.RuneCountInString(in.Body) > maxBody || !utf8.ValidString(in.Body) {
		f.Add("body", "正文最多 %d 个字，请删减。", maxBody)
	}
	c.Body, c.Ask, c.Link, c.EventAt = in.Body, in.Ask, in.Link, in.EventAt.UTC().Truncate(time.Millisecond)
	c.Place, c.Remark, c.Push = text("place", in.Place, maxPlace), text("remark", in.Remark, maxPlace), in.Push
	if c.Ask != nil {
		c.Ask = checkAsk(*c.Ask, &f)
	}
	if c.Link != nil && (c.Link.ID == 0 || !slices.Contains([]string{"notice", "post", "quiz", "contest", "meeting"}, c.Link.Kind)) {
		f.Add("link", "链接的内容不正确，请重新选择。")
	}
	if !in.EventAt.IsZero() && (in.EventAt.Year() < 2000 || in.EventAt.Year() > 2100) {
		f.Add("eventAt", "时间不正确，请重新选择。")
	}
	c.Audience = in.Audience
	c.Audience.check(&f)
	if err := f.Err(); err != nil {
		return err
	}
	_, plain, err := s.Render(c.Body)
	if err != nil {
		return err
	}
	if c.Summary == "" {
		c.Summary = cut(strings.Join(strings.Fields(plain), " "), maxSummary)
	}
	if c.Summary == "" {
		c.Summary = c.Title
	}
	return nil
}

func checkAsk(a Ask, f *errs.Fields) *Ask {
	out := Ask{Options: make([]string, 0, len(a.Options))}
	for i, o := range a.Options {
		o = strings.TrimSpace(o)
		if n := utf8.RuneCountInString(o); n == 0 || n > maxOption || !printable(o) {
			f.Add("ask.options", "第 %d 个选项须为 1～%d 个字。", i+1, maxOption)
		}
		if slices.Contains(out.Options, o) {
			f.Add("ask.options", "选项“%s”重复了。", o)
		}
		out.Options = append(out.Options, o)
	}
	if n := len(out.Options); n < 2 || n > 4 {
		f.Add("ask.options", "请给出 2～4 个选项。")
	}
	return &out
}

// plainText trims and checks one line of text.
func plainText(name, v string, limit int) (string, error) {
	v = strings.TrimSpace(v)
	if utf8.RuneCountInString(v) > limit {
		return "", errs.Bad(name, "最多 %d 个字，请缩短。", limit)
	}
	if !printable(v) {
		return "", errs.Bad(name, "含有无法显示的字符或换行，请删除后重试。")
	}
	return v, nil
}

func printable(v string) bool {
	return utf8.ValidString(v) && !strings.ContainsFunc(v, func(r rune) bool { return r < 0x20 || r == 0x7f || r == 0xfeff })
}

// cut shortens v to n characters; the last becomes "…" when something is lost.
func cut(v string, n int) string {
	r := []rune(v)
	if len(r) <= n {
		return v
	}
	return string(r[:n-1]) + "…"
}
