package notify

import (
	"context"
	"regexp"
	"slices"
	"strings"

	"tongxin/internal/authz"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/internal/trail"
)

// Channel is a way to a person beside the inbox.
type Channel string

// Channels in the order in which they are tried: the mini-program's
// subscription message, the official account's template message, its
// subscription notice.
const (
	Mini      Channel = "mini"
	Official  Channel = "template"
	Subscribe Channel = "subscribe"
)

// Channels lists them in their order.
func Channels() []Channel { return []Channel{Mini, Official, Subscribe} }

// Template is a message template of a platform and what stands in its fields.
type Template struct {
	Channel  Channel `json:"channel" enum:"mini,template,subscribe"`
	AppID    string  `json:"appId" maxLength:"64"`
	ID       string  `json:"id" maxLength:"100" doc:"template id of the platform"`
	Title    string  `json:"title" maxLength:"40"`
	About    string  `json:"about,omitempty" maxLength:"100" doc:"what members read before they allow it"`
	Kinds    []Kind  `json:"kinds,omitempty" doc:"notices it is used for; empty: all"`
	Page     string  `json:"page,omitempty" maxLength:"200" doc:"page of the mini-program; {id} becomes the notice"`
	Standing bool    `json:"standing,omitempty" doc:"a long-term subscription: sending takes nothing"`
	Fields   []Field `json:"fields" minItems:"1" maxItems:"10"`
}

// Field of a template: its key at the platform ("thing1") and what stands in it.
type Field struct {
	Key    string `json:"key" maxLength:"32"`
	Source string `json:"source" enum:"title,summary,time,place,remark,from,kind,text"`
	Text   string `json:"text,omitempty" maxLength:"60" doc:"with source text; otherwise used when there is nothing to show"`
}

// NeedsGrant reports a template of which each message must have been allowed.
func (t Template) NeedsGrant() bool { return t.Channel != Official && !t.Standing }

// Rate of an account.
type Rate struct {
	AppID     string  `json:"appId" maxLength:"64"`
	PerSecond float64 `json:"perSecond" minimum:"0.1" maximum:"2000"`
}

// DefaultRate of an account without a row: messages a second.
const DefaultRate = 50

// Settings of this domain, one for the house.
type Settings struct {
	Templates  []Template `json:"templates" maxItems:"50"`
	Rates      []Rate     `json:"rates" maxItems:"20"`
	PostDrafts []ids.ID   `json:"postDrafts" maxItems:"200" doc:"organisations whose published posts become drafts of notices"`
	Version    int64      `json:"version"`
}

// SettingsStore keeps the settings; version 0 when they were never saved.
type SettingsStore interface {
	Settings(ctx context.Context) (*Settings, error)
	SaveSettings(ctx context.Context, set *Settings, expect int64, e trail.Entry) error
}

func (set *Settings) mini(id string) (Template, bool) {
	for _, t := range set.Templates {
		if t.Channel == Mini && t.ID == id {
			return t, true
		}
	}
	return Template{}, false
}

// rate of an account.
func (set *Settings) rate(app string) float64 {
	for _, r := range set.Rates {
		if r.AppID == app && r.PerSecond > 0 {
			return r.PerSecond
		}
	}
	return DefaultRate
}

// Way is the templates by which a kind of notice goes out, in their order, at
// most one a channel.
type Way []Template

// way picks the templates for a kind of notice.
func (set *Settings) way(k Kind, push bool) Way {
	var out Way
	if !push {
		return nil
	}
	for _, c := range Channels() {
		for _, t := range set.Templates {
			if t.Channel == c && (len(t.Kinds) == 0 || slices.Contains(t.Kinds, k)) {
				out = append(out, t)
				break
			}
		}
	}
	return out
}

// after is the channel that comes after one; "" for none.
func (w Way) after(c Channel) Channel {
	for i, t := range w {
		if t.Channel == c && i+1 < len(w) {
			return w[i+1].Channel
		}
	}
	return ""
}

// Settings are shown to whoever may send.
func (s *Service) Settings(ctx context.Context, actor *authz.Actor) (*Settings, error) {
	if !actor.Has(Send) {
		return nil, errs.New(errs.Forbidden, "您没有发送通知的权限。")
	}
	set, err := s.Store.Settings(ctx)
	if err != nil {
		return nil, err
	}
	set.tidy()
	return set, nil
}

func (set *Settings) tidy() {
	if set.Templates == nil {
		set.Templates = []Template{}
	}
	if set.Rates == nil {
		set.Rates = []Rate{}
	}
	if set.PostDrafts == nil {
		set.PostDrafts = []ids.ID{}
	}
}

// SaveSettings is for those who may send for a top organisation.
func (s *Service) SaveSettings(ctx context.Context, actor *authz.Actor, expect int64, set Settings) (*Settings, error) {
	scope := actor.Scope(Send)
	if !scope.All && !slices.ContainsFunc(scope.Paths, func(p string) bool { return strings.Count(p, "/") == 2 }) {
		return nil, errs.New(errs.Forbidden, "消息模板由上级党组织统一设置，请联系管理员。")
	}
	if err := s.checkSettings(ctx, actor, &set); err != nil {
		return nil, err
	}
	set.tidy()
	e := trail.Entry{Actor: actor, Action: "notify.settings", Object: "settings", Detail: map[string]string{"templates": ids.ID(len(set.Templates)).String()}}
	if err := s.Store.SaveSettings(ctx, &set, expect, e); err != nil {
		return nil, err
	}
	return s.Settings(ctx, actor)
}

func (s *Service) checkSettings(ctx context.Context, actor *authz.Actor, set *Settings) error {
	var f errs.Fields
	seen := map[string]bool{}
	for i := range set.Templates {
		t := &set.Templates[i]
		at := "templates[" + itoa(i) + "]."
		t.ID, t.AppID, t.Title = strings.TrimSpace(t.ID), strings.TrimSpace(t.AppID), strings.TrimSpace(t.Title)
		if !slices.Contains(Channels(), t.Channel) {
			f.Add(at+"channel", "没有这种消息渠道，请重新选择。")
		}
		if !word(t.ID) || !word(t.AppID) {
			f.Add(at+"id", "请填写微信后台给出的 AppID 和模板编号（字母、数字、下划线和短横线）。")
		}
		if t.Title == "" || !printable(t.Title) || !printable(t.About) {
			f.Add(at+"title", "请填写模板名称。")
		}
		if key := string(t.Channel) + " " + t.ID; seen[key] {
			f.Add(at+"id", "模板编号重复了。")
		} else {
			seen[key] = true
		}
		s.checkFields(t, at, &f)
	}
	for i, r := range set.Rates {
		if !word(r.AppID) || r.PerSecond < 0.1 || r.PerSecond > 2000 {
			f.Add("rates["+itoa(i)+"]", "速率须在每秒 0.1～2000 条之间。")
		}
	}
	for _, id := range set.PostDrafts {
		if _, err := s.mine(ctx, actor, id); err != nil {
			f.Add("postDrafts", "有组织不存在，请重新选择。")
		}
	}
	return f.Err()
}

func (s *Service) checkFields(t *Template, at string, f *errs.Fields) {
	keys := map[string]bool{}
	for j, x := range t.Fields {
		at := at + "fields[" + itoa(j) + "]"
		if !regexp.MustCompile(`^[a-z_]{1,24}[0-9]{0,4}$`).MatchString(x.Key) || keys[x.Key] {
			f.Add(at+".key", "字段名不正确或重复，请照抄微信后台模板里的字段名，例如 thing1。")
		}
		keys[x.Key] = true
		if !slices.Contains([]string{"title", "summary", "time", "place", "remark", "from", "kind", "text"}, x.Source) {
			f.Add(at+".source", "请选择这个字段显示什么。")
		}
		if x.Source == "text" && strings.TrimSpace(x.Text) == "" || !printable(x.Text) {
			f.Add(at+".text", "请填写这个字段的固定文字。")
		}
	}
	if n := len(t.Fields); n == 0 || n > 10 {
		f.Add(at+"fields", "请填写 1～10 个字段。")
	}
}

func word(v string) bool { return regexp.MustCompile(`^[A-Za-z0-9_-]{1,100}$`).MatchString(v) }
