package errs

import "fmt"

// Fields collects wrong inputs, so that a form shows all of them at once.
// The zero value is ready.
type Fields struct{ list []Field }

// Add notes one wrong field.
func (f *Fields) Add(name, format string, args ...any) {
	f.list = append(f.list, Field{Name: name, Msg: fmt.Sprintf(format, args...)})
}

// Err is nil when nothing was added.
func (f *Fields) Err() error {
	if len(f.list) == 0 {
		return nil
	}
	msg := "有内容需要修改：" + f.list[0].Msg
	if n := len(f.list); n > 1 {
		msg = fmt.Sprintf("有 %d 处内容需要修改，第一处：%s", n, f.list[0].Msg)
	}
	return &Error{Code: Invalid, Msg: msg, Fields: f.list}
}
