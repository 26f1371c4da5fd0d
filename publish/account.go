package publish

import (
	"time"

	"tongxin/internal/ids"
)

// Kinds of platform. Each has one Platform in Config.Platforms.
const (
	WeChat = "wechat"
	Feed   = "feed"
)

// Account is one official account or one feed that posts are brought to.
type Account struct {
	ID       ids.ID       `json:"id"`
	OrgID    ids.ID       `json:"orgId"`
	OrgPath  string       `json:"-"`
	OrgName  string       `json:"orgName"`
	Platform string       `json:"platform" enum:"wechat,feed"`
	Name     string       `json:"name"`
	Kind     string       `json:"kind" enum:"subscription,service,feed" doc:"subscription 订阅号, service 服务号"`
	Mode     Mode         `json:"mode" enum:"publish,mass,draft" doc:"how posts reach readers unless a schedule says otherwise"`
	AppID    string       `json:"appId,omitempty"`
	Secrets  Secrets      `json:"-"`
	HasKeys  bool         `json:"hasKeys" doc:"a secret is stored; it is never shown"`
	Paused   bool         `json:"paused"`
	Note     string       `json:"note,omitempty" doc:"why it is paused or unwell"`
	Limits   AccountLimit `json:"limits"`
	Health   Health       `json:"health"`
	Version  int64        `json:"version"`
	Created  time.Time    `json:"createdAt"`
}

// Secrets of an account. Storage holds them sealed.
type Secrets struct {
	AppSecret string `json:"appSecret"`
	Token     string `json:"token"`  // callback token
	AESKey    string `json:"aesKey"` // EncodingAESKey, 43 characters, empty for plain mode
}

// AccountLimit are the account's own daily budgets. Source: the platform's
// quota page of a new account, read 2025 (freepublish submit 100, status poll
// 100, batchget 100 a day); an administrator raises them when the platform does.
type AccountLimit struct {
	PublishPerDay int `json:"publishPerDay" minimum:"1" maximum:"100000" default:"100"`
	MassPerDay    int `json:"massPerDay" minimum:"0" maximum:"1000" default:"1"`
	PollsPerDay   int `json:"pollsPerDay" minimum:"1" maximum:"100000" default:"90"`
	ReadsPerDay   int `json:"readsPerDay" minimum:"1" maximum:"100000" default:"90"`
}

// DefaultLimits of a new account.
func DefaultLimits() AccountLimit {
	return AccountLimit{PublishPerDay: 100, MassPerDay: 1, PollsPerDay: 90, ReadsPerDay: 90}
}

// Health is the last look at an account.
type Health struct {
	At          time.Time `json:"at,omitzero"`
	OK          bool      `json:"ok"`
	Checks      []Check   `json:"checks,omitempty"`
	LastSuccess time.Time `json:"lastSuccess,omitzero" doc:"when a post was last published; read from the deliveries, not stored"`
}

// Check is one line of a health report.
type Check struct {
	Name string `json:"name" doc:"credentials, ip_list, draft, publish, quota, callback"`
	OK   bool   `json:"ok"`
	Note string `json:"note" doc:"what it means and what to do"`
	Used int    `json:"used,omitempty"`
	Left int    `json:"left,omitempty"`
}
