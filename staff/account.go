package staff

import (
	"regexp"
	"strings"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
)

// State of an account.
type State string

// States.
const (
	Invited  State = "invited"  // has a link and no password yet
	Active   State = "active"   // may sign in
	Disabled State = "disabled" // may not
)

// RoleAt is a role on an organisation and everything under it.
type RoleAt struct {
	Role    string `json:"role"`
	OrgID   ids.ID `json:"orgId"`
	OrgName string `json:"orgName,omitempty"`
	Path    string `json:"-"`
}

// Account is a person who works here. It never holds a secret; Phone is masked
// ("138****5678") unless the reader manages the account.
type Account struct {
	ID           ids.ID    `json:"id"`
	OrgID        ids.ID    `json:"orgId"`
	OrgName      string    `json:"orgName"`
	OrgPath      string    `json:"-"`
	Login        string    `json:"login"`
	Name         string    `json:"name"`
	Phone        string    `json:"phone,omitempty" doc:"masked"`
	State        State     `json:"state" enum:"invited,active,disabled"`
	Roles        []RoleAt  `json:"roles"`
	SecondFactor bool      `json:"totp" doc:"a second factor is bound"`
	PasswordAt   time.Time `json:"-"`
	LastSignIn   time.Time `json:"lastSignIn,omitzero"`
	Version      int64     `json:"version"`
	CreatedAt    time.Time `json:"createdAt"`
	UpdatedAt    time.Time `json:"updatedAt"`
	UpdatedBy    string    `json:"updatedBy"`

	SealedPhone string `json:"-"`
}

// AccountInput is what a person fills in.
type AccountInput struct {
	OrgID ids.ID `json:"orgId"`
	Login string `json:"login" minLength:"3" maxLength:"40"`
	Name  string `json:"name" minLength:"1" maxLength:"30"`
	Phone string `json:"phone,omitempty" maxLength:"20"`
}

func (in *AccountInput) check() error {
	var f errs.Fields
	in.Login = strings.ToLower(strings.TrimSpace(in.Login))
	in.Name, in.Phone = strings.TrimSpace(in.Name), strings.TrimSpace(in.Phone)
	if !regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{2,39}$`).MatchString(in.Login) {
		f.Add("login", "登录名须为 3 到 40 位小写字母、数字、点、下划线或短横线，并以字母或数字开头。")
	}
	if n := len([]rune(in.Name)); n == 0 || n > 30 {
		f.Add("name", "姓名须为 1 到 30 个字。")
	}
	if in.Phone != "" && !regexp.MustCompile(`^\+?[0-9-]{7,20}$`).MatchString(in.Phone) {
		f.Add("phone", "电话号码格式不正确。")
	}
	return f.Err()
}

// maskPhone keeps the first three and the last four figures.
func maskPhone(p string) string {
	if len(p) < 8 {
		return "****"
	}
	return p[:3] + "****" + p[len(p)-4:]
}

// actor is the account as whoever acts, with the rights of its roles.
func (s *Service) actor(a *Account) *authz.Actor {
	act := &authz.Actor{ID: a.ID, Kind: authz.Staff, Name: a.Name}
	for _, r := range a.Roles {
		if role, ok := s.roles[r.Role]; ok {
			act.Grants = append(act.Grants, authz.Grant{Role: r.Role, OrgID: r.OrgID, Path: r.Path, Rights: role.Rights})
		}
	}
	return act
}

// AccountFilter narrows a list; zero fields do not.
type AccountFilter struct {
	Scope authz.Scope // required; by the account's own organisation
	OrgID ids.ID
	State State
	Role  string
	Query string // part of the login or the name
}
