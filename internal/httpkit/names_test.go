package httpkit

import (
	"reflect"
	"testing"

	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/internal/page"
	"tongxin/internal/trail"
)

func TestSchemaNames(t *testing.T) {
	name := schemaNamer()
	for want, v := range map[string]any{
		"Thing":       thing{},
		"ResultThing": page.Result[thing]{},
		"ResultEntry": page.Result[trail.Entry]{},
		"ID":          new(ids.ID),
		"Field":       errs.Field{},
		"SaveRequest": struct{ A int }{},
	} {
		if got := name(reflect.TypeOf(v), "SaveRequest"); got != want {
			t.Errorf("%T: %s, want %s", v, got, want)
		}
	}
	if got := prefixed("tongxin/staff", "Account"); got != "StaffAccount" {
		t.Error(got)
	}
	if got := prefixed("tongxin/handlers", "meView"); got != "MeView" {
		t.Error(got)
	}
}
