package publish

import (
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"tongxin/internal/errs"
	"tongxin/internal/ids"
)

// Kinds of account.
const (
	Subscription = "subscription" // 订阅号
	ServiceKind  = "service"      // 服务号
	FeedKind     = "feed"
)

// AccountInput is what a person may set. OrgID, Platform and AppID are set once:
// what was uploaded and published belongs to them.
type AccountInput struct {
	OrgID    ids.ID
	Platform string
	Name     string
	Kind     string
	Mode     Mode
	AppID    string
	Secrets  SecretsInput
	Limits   *AccountLimit // nil keeps what there is, or the defaults
}

// SecretsInput is write-only: nil keeps what is stored, empty clears it.
type SecretsInput struct {
	AppSecret *string
	Token     *string
	AESKey    *string
}

// sameIdentity refuses to turn an account into another one. What is absent in
// the input stays.
func (in AccountInput) sameIdentity(a *Account) error {
	var f errs.Fields
	if in.OrgID != 0 && in.OrgID != a.OrgID {
		f.Add("orgId", "账号所属组织不能修改，请在新的组织重新添加。")
	}
	if in.Platform != "" && in.Platform != a.Platform {
		f.Add("platform", "账号的平台不能修改，请重新添加。")
	}
	if id := strings.TrimSpace(in.AppID); id != "" && id != a.AppID {
		f.Add("appId", "AppID 不能修改：已上传的图片和发布记录属于原来的公众号。请重新添加账号。")
	}
	return f.Err()
}

func (in AccountInput) apply(a *Account) {
	a.Name, a.Kind, a.Mode = strings.TrimSpace(in.Name), in.Kind, in.Mode
	if a.Platform == Feed {
		a.Kind, a.Mode = FeedKind, ModePublish
	}
	set := func(have *string, want *string) {
		if want != nil {
			*have = strings.TrimSpace(*want)
		}
	}
	set(&a.Secrets.AppSecret, in.Secrets.AppSecret)
	set(&a.Secrets.Token, in.Secrets.Token)
	set(&a.Secrets.AESKey, in.Secrets.AESKey)
	a.HasKeys = a.Secrets.AppSecret != ""
	if in.Limits != nil {
		a.Limits = *in.Limits
	}
}

// checkAccount holds the forms that the platform documents: app id "wx" and 16
// hex digits, token 3–32 letters and digits, EncodingAESKey 43 of them.
// Source: the platform's developer settings page, 2025.
func (s *Service) checkAccount(a *Account) error {
	var f errs.Fields
	if _, ok := s.Platforms[a.Platform]; !ok {
		f.Add("platform", "系统没有启用这个平台。")
	}
	if n := utf8.RuneCountInString(a.Name); n == 0 || n > 40 {
		f.Add("name", "请填写账号名称，最多 40 个字。")
	}
	if a.Platform == WeChat {
		a.checkWeChat(&f)
	} else if a.AppID != "" || a.Secrets != (Secrets{}) {
		f.Add("secrets", "订阅源账号不需要 AppID 和密钥；推送地址的签名密钥在添加时生成。")
	}
	l := a.Limits
	if l.PublishPerDay < 1 || l.MassPerDay < 0 || l.PollsPerDay < 1 || l.ReadsPerDay < 1 ||
		max(l.PublishPerDay, l.PollsPerDay, l.ReadsPerDay) > 100000 || l.MassPerDay > 1000 {
		f.Add("limits", "每日次数超出允许范围，请核对公众平台的接口额度。")
	}
	return f.Err()
}

func (a *Account) checkWeChat(f *errs.Fields) {
	match := func(pattern, s string) bool { return regexp.MustCompile(pattern).MatchString(s) }
	if !match(`^wx[0-9a-f]{16}$`, a.AppID) {
		f.Add("appId", "AppID 应为 wx 开头加 16 位小写字母 a–f 或数字，请从公众平台复制。")
	}
	if a.Kind != Subscription && a.Kind != ServiceKind {
		f.Add("kind", "请选择订阅号或服务号。")
	}
	if a.Mode != ModePublish && a.Mode != ModeMass && a.Mode != ModeDraft {
		f.Add("mode", "请选择发布、群发或仅存草稿。")
	}
	if !match(`^[0-9A-Za-z]{16,64}$`, a.Secrets.AppSecret) {
		f.Add("secrets.appSecret", "请填写 AppSecret：一串字母和数字，从公众平台复制。")
	}
	if a.Secrets.Token != "" && !match(`^[0-9A-Za-z]{3,32}$`, a.Secrets.Token) {
		f.Add("secrets.token", "令牌（Token）应为 3–32 位字母或数字。")
	}
	if a.Secrets.AESKey != "" && !match(`^[0-9A-Za-z]{43}$`, a.Secrets.AESKey) {
		f.Add("secrets.aesKey", "消息加解密密钥（EncodingAESKey）应为 43 位字母或数字。")
	}
	if a.Secrets.AESKey != "" && a.Secrets.Token == "" {
		f.Add("secrets.token", "填写了消息加解密密钥，还需要填写令牌（Token）。")
	}
}

// accountChanges names what changed; of secrets only that they did.
func accountChanges(before, after Account) map[string]string {
	out := map[string]string{}
	note := func(name, b, a string) {
		if b != a {
			out[name] = b + " → " + a
		}
	}
	note("renamed", before.Name, after.Name)
	note("kind", before.Kind, after.Kind)
	note("mode", string(before.Mode), string(after.Mode))
	note("publishPerDay", itoa(before.Limits.PublishPerDay), itoa(after.Limits.PublishPerDay))
	note("massPerDay", itoa(before.Limits.MassPerDay), itoa(after.Limits.MassPerDay))
	note("pollsPerDay", itoa(before.Limits.PollsPerDay), itoa(after.Limits.PollsPerDay))
	note("readsPerDay", itoa(before.Limits.ReadsPerDay), itoa(after.Limits.ReadsPerDay))
	if before.Secrets != after.Secrets {
		out["secrets"] = "changed"
	}
	return out
}

// ModeHints are sentences about what the account's mode means, for the form.
func (a Account) ModeHints() []string {
	out := []string{}
	denied := slices.ContainsFunc(a.Health.Checks, func(c Check) bool { return c.Name == "publish" && !c.OK })
	switch {
	case a.Platform == Feed:
		out = append(out, "发布后立即公开，任何人都可以订阅；撤回后页面不再显示，但阅读器可能保留副本。")
	case a.Mode == ModePublish:
		out = append(out, "“发布”不会通知关注者，文章会出现在公众号主页和搜索中。")
		if denied {
			out = append(out, "这个账号目前没有发布接口的权限（个人或未认证账号自 2025 年 7 月起不再提供），请改为“仅存草稿”。")
		}
	case a.Mode == ModeMass && a.Kind == ServiceKind:
		out = append(out, "“群发”会通知关注者。服务号每位关注者每月最多收到 4 次。")
	case a.Mode == ModeMass:
		out = append(out, "“群发”会通知关注者。订阅号每天只能群发 1 次。")
	case a.Mode == ModeDraft:
		out = append(out, "系统只把草稿存入公众号后台，到时间会提醒您手动发布，并请您回来确认。")
	}
	return out
}
