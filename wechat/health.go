package wechat

import (
	"context"
	"fmt"
	"time"
)

// CheckState is the result of one check.
type CheckState string

const (
	CheckOK      CheckState = "ok"
	CheckBad     CheckState = "bad"
	CheckUnknown CheckState = "unknown" // could not be asked
)

// Check is one line of a health report. Why is a Chinese sentence for people.
type Check struct {
	Key   string // "credentials", "ip", "draft", "publish"
	State CheckState
	Why   string
	Code  int // errcode, 0 when there is none
}

// QuotaLine is one call's figures with the name people know it by.
type QuotaLine struct {
	QuotaLeft
	Name  string // Chinese
	State CheckState
	Why   string
}

// Health is what one look at an account found.
type Health struct {
	At        time.Time
	Checks    []Check
	Quotas    []QuotaLine
	RefusedIP string // with a bad "ip" check: the address to add to the list
}

// OK reports whether every check and quota is fine.
func (h Health) OK() bool {
	for _, c := range h.Checks {
		if c.State != CheckOK {
			return false
		}
	}
	for _, q := range h.Quotas {
		if q.State != CheckOK {
			return false
		}
	}
	return true
}

// Check finds one check by key; its State is CheckUnknown when absent.
func (h Health) Check(key string) Check {
	for _, c := range h.Checks {
		if c.Key == key {
			return c
		}
	}
	return Check{Key: key, State: CheckUnknown}
}

// CanPublish reports whether the account may publish by itself; when it is
// unknown the answer is no.
func (h Health) CanPublish() bool { return h.Check("publish").State == CheckOK }

// keyCalls are the calls whose daily figures decide about publishing.
func keyCalls() []QuotaLine {
	line := func(path, name string) QuotaLine { return QuotaLine{QuotaLeft: QuotaLeft{Path: path}, Name: name} }
	return []QuotaLine{
		line("/cgi-bin/draft/add", "新建草稿"),
		line("/cgi-bin/freepublish/submit", "发布"),
		line("/cgi-bin/freepublish/get", "查询发布状态"),
		line("/cgi-bin/freepublish/batchget", "读取已发布列表"),
		line("/cgi-bin/message/mass/sendall", "群发"),
		line("/cgi-bin/media/uploadimg", "上传正文图片"),
		line("/cgi-bin/material/add_material", "上传封面"),
	}
}

// CheckHealth looks at keys, IP list, rights and quotas. It costs one token
// call, one draft/count, one freepublish/batchget (100 a day on a new account,
// so keep the report for some minutes) and seven quota calls.
func (a *Account) CheckHealth(ctx context.Context) Health {
	h := Health{At: a.client.clock.Now()}
	a.forget()
	_, err := a.token(ctx, "")
	if err == nil { // a cached token says nothing about today: use it
		_, err = a.CallbackIPs(ctx)
	}
	h.keys(err)
	if err != nil {
		h.add("draft", CheckUnknown, "密钥和 IP 白名单通过后才能检查。", 0)
		h.add("publish", CheckUnknown, "密钥和 IP 白名单通过后才能检查。", 0)
		return h
	}
	_, err = a.CountDraft(ctx)
	h.right("draft", "可以写入草稿箱。", err)
	_, err = a.ListPublished(ctx, 0, 1, true)
	h.right("publish", "可以自动发布。", err)
	for _, q := range keyCalls() {
		h.Quotas = append(h.Quotas, a.quotaLine(ctx, q))
	}
	return h
}

func (h *Health) add(key string, s CheckState, why string, code int) {
	h.Checks = append(h.Checks, Check{Key: key, State: s, Why: why, Code: code})
}

// keys turns the first answers into the checks of keys and IP list: a refused
// address says that the platform got past the AppID, not that the secret is right.
func (h *Health) keys(err error) {
	code := CodeOf(err)
	switch {
	case err == nil:
		h.add("credentials", CheckOK, "AppID 和 AppSecret 正确。", 0)
		h.add("ip", CheckOK, "本服务器在 IP 白名单里。", 0)
	case code == 40164:
		if e, ok := asError(err); ok {
			h.RefusedIP = e.IP
		}
		h.add("credentials", CheckUnknown, "IP 白名单通过后才能检查。", 0)
		h.add("ip", CheckBad, Sentence(err), code)
	case KindOf(err) == Auth:
		h.add("credentials", CheckBad, Sentence(err), code)
		h.add("ip", CheckUnknown, "密钥通过后才能检查。", 0)
	default:
		h.add("credentials", CheckUnknown, Sentence(err), code)
		h.add("ip", CheckUnknown, Sentence(err), code)
	}
}

// right judges a harmless call that needs a right. Used-up figures say nothing
// about the right.
func (h *Health) right(key, fine string, err error) {
	switch {
	case err == nil:
		h.add(key, CheckOK, fine, 0)
	case KindOf(err) == Auth:
		h.add(key, CheckBad, Sentence(err), CodeOf(err))
	default:
		h.add(key, CheckUnknown, Sentence(err), CodeOf(err))
	}
}

func (a *Account) quotaLine(ctx context.Context, q QuotaLine) QuotaLine {
	left, err := a.GetQuota(ctx, q.Path)
	if err != nil {
		q.State, q.Why = CheckUnknown, Sentence(err)
		return q
	}
	q.QuotaLeft = left
	q.State, q.Why = CheckOK, fmt.Sprintf("今天还能调用 %d 次（共 %d 次）。", left.Left, left.Limit)
	if left.Left <= 0 {
		q.State, q.Why = CheckBad, fmt.Sprintf("今天的 %d 次已用完，明天零点后恢复。", left.Limit)
	}
	return q
}
