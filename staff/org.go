package staff

import (
	"cmp"
	"strings"
	"time"

	"tongxin/internal/errs"
	"tongxin/internal/ids"
)

// MaxDepth is how deep the tree may grow: a path must fit 255 bytes.
const MaxDepth = 12

// Kind of organisation.
type Kind string

// Kinds, from top to bottom. Words: 党委, 党总支, 党支部, 党小组.
const (
	Committee     Kind = "committee"
	GeneralBranch Kind = "general_branch"
	Branch        Kind = "branch"
	Group         Kind = "group"
)

func (k Kind) rank() int {
	switch k {
	case Committee:
		return 1
	case GeneralBranch:
		return 2
	case Branch:
		return 3
	case Group:
		return 4
	}
	return 0
}

// Org is one organisation. Path is "/id/id/", from the root down to itself.
type Org struct {
	ID         ids.ID    `json:"id"`
	ParentID   ids.ID    `json:"parentId" doc:"empty for a root"`
	Path       string    `json:"path"`
	Kind       Kind      `json:"kind" enum:"committee,general_branch,branch,group"`
	Name       string    `json:"name"`
	ShortName  string    `json:"shortName"`
	Overrides  Overrides `json:"settings" doc:"what is set here; the rest comes from above"`
	ArchivedAt time.Time `json:"archivedAt,omitzero"`
	Version    int64     `json:"version"`
	CreatedAt  time.Time `json:"createdAt"`
	UpdatedAt  time.Time `json:"updatedAt"`
	UpdatedBy  string    `json:"updatedBy"`
}

// Overrides are the settings an organisation sets itself; nil: as above it.
type Overrides struct {
	ReviewLevels *int `json:"reviewLevels,omitempty" minimum:"0" maximum:"3" doc:"levels of review before publishing"`
	ReviewHours  *int `json:"reviewHours,omitempty" minimum:"1" maximum:"720" doc:"hours a review may take at one level"`
}

// Settings are what counts for an organisation after inheritance.
type Settings struct {
	ReviewLevels int `json:"reviewLevels"`
	ReviewHours  int `json:"reviewHours"`
}

// DefaultSettings count where nobody set anything: the full 三审三校 within a day.
func DefaultSettings() Settings {
	return Settings{ReviewLevels: 3, ReviewHours: 24}
}

// apply lays o over s.
func (s Settings) apply(o Overrides) Settings {
	set(&s.ReviewLevels, o.ReviewLevels)
	set(&s.ReviewHours, o.ReviewHours)
	return s
}

func set[T any](dst, src *T) {
	if src != nil {
		*dst = *src
	}
}

func (o Overrides) check(f *errs.Fields) {
	if n := o.ReviewLevels; n != nil && (*n < 0 || *n > 3) {
		f.Add("settings.reviewLevels", "审核级数须在 0 到 3 之间。")
	}
	if n := o.ReviewHours; n != nil && (*n < 1 || *n > 720) {
		f.Add("settings.reviewHours", "审核时限须在 1 到 720 小时之间。")
	}
}

// OrgInput is what a person fills in.
type OrgInput struct {
	ParentID  ids.ID    `json:"parentId,omitempty"`
	Kind      Kind      `json:"kind" enum:"committee,general_branch,branch,group"`
	Name      string    `json:"name" minLength:"1" maxLength:"50"`
	ShortName string    `json:"shortName,omitempty" maxLength:"20"`
	Settings  Overrides `json:"settings,omitempty"`
}

func (in *OrgInput) check() error {
	var f errs.Fields
	in.Name, in.ShortName = strings.TrimSpace(in.Name), strings.TrimSpace(in.ShortName)
	if n := len([]rune(in.Name)); n == 0 || n > 50 {
		f.Add("name", "组织名称须为 1 到 50 个字。")
	}
	if len([]rune(in.ShortName)) > 20 {
		f.Add("shortName", "简称最多 20 个字。")
	}
	if in.Kind.rank() == 0 {
		f.Add("kind", "请选择组织类型。")
	}
	in.Settings.check(&f)
	in.ShortName = cmp.Or(in.ShortName, clip(in.Name, 20))
	return f.Err()
}

func clip(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n])
	}
	return s
}

// childPath is the path of id under parent ("" for a root).
func childPath(parent string, id ids.ID) string {
	if parent == "" {
		parent = "/"
	}
	return parent + id.String() + "/"
}

func depth(path string) int { return strings.Count(path, "/") - 1 }

// fits reports whether a child of kind k may stand under parent: never above
// its own level. A committee may stand under a committee, a branch under any of
// the upper three.
func (k Kind) fits(parent Kind) bool {
	if k == Committee {
		return parent == Committee
	}
	return parent.rank() < k.rank()
}
