package httpkit

import (
	"math"
	"reflect"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/internal/page"
)

// ID is an id in a path or a query: `ID httpkit.ID `path:"id"“, then in.ID.V.
// (An ids.ID works in JSON bodies only: huma would read it as a number there
// and document it as a string.)
type ID struct {
	V   ids.ID
	raw string
}

// Receiver implements huma.ParamWrapper.
func (p *ID) Receiver() reflect.Value { return reflect.ValueOf(&p.raw).Elem() }

// OnParamSet implements huma.ParamReactor.
func (p *ID) OnParamSet(isSet bool, _ any) {
	if !isSet {
		return
	}
	v, err := ids.Parse(p.raw)
	if err != nil || v == 0 {
		// Nobody has this id. Zero would mean "none" and could widen a query;
		// what is no number at all is refused by the schema.
		v = math.MaxInt64
	}
	p.V = v
}

// Schema implements huma.SchemaProvider.
func (ID) Schema(huma.Registry) *huma.Schema {
	s := &huma.Schema{Type: huma.TypeString, Pattern: "^[0-9]{1,19}$", Description: "63-bit id in decimal"}
	s.PrecomputeMessages()
	return s
}

// ETag is the strong entity tag of a version.
func ETag(version int64) string { return `"` + strconv.FormatInt(version, 10) + `"` }

// Match is embedded by the inputs of edits. Version is what the client edited.
type Match struct {
	IfMatch string `header:"If-Match" doc:"ETag of the version that was edited; without it the edit is refused"`
	Version int64  `json:"-"`
}

func (m *Match) readMatch() error {
	if m.IfMatch == "" {
		return errs.New(errs.Precondition, "缺少版本信息（If-Match），请刷新页面后重试。")
	}
	s, ok := strings.CutPrefix(m.IfMatch, `"`)
	s, end := strings.CutSuffix(s, `"`)
	v, err := strconv.ParseInt(s, 10, 64)
	if !ok || !end || err != nil || v < 0 {
		return errs.New(errs.Precondition, "版本信息（If-Match）格式不正确，请刷新页面后重试。")
	}
	m.Version = v
	return nil
}

// Paging is embedded by the inputs of lists; Page is what a store takes.
type Paging struct {
	Cursor string       `query:"cursor" maxLength:"64" doc:"next of the page before; absent: the first page"`
	Limit  int          `query:"limit" minimum:"1" maximum:"200" doc:"rows on a page, 30 when absent"`
	Page   page.Request `json:"-"`
}

func (p *Paging) readPage() (err error) {
	p.Page, err = page.Parse(p.Cursor, p.Limit)
	return err
}

// ByID is embedded by the inputs of routes with {id}.
type ByID struct {
	ID ID `path:"id"`
}

// ByVersion is the input of an edit or a removal without a body.
type ByVersion struct {
	ByID
	Match
}
