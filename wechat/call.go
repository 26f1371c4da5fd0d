package wechat

import (
	"bytes"
	"context"
	"encoding/json"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"net/url"
	"regexp"
	"strings"
	"time"
)

// op is one kind of call.
type op struct {
	path   string // "/cgi-bin/draft/add"
	effect bool   // it changes something at the platform
	upload bool   // takes the longer timeout
}

// name is the path as people know it: "draft/add".
func (o op) name() string { return strings.TrimPrefix(strings.TrimPrefix(o.path, "/cgi-bin/"), "/") }

// post sends in as JSON and decodes the answer into out, which may be nil.
func (a *Account) post(ctx context.Context, o op, in, out any) error {
	body, err := encode(in)
	if err != nil {
		return refusal(o.name(), Permanent, 0, "cannot encode the request")
	}
	return a.call(ctx, o, wire{method: http.MethodPost, contentType: "application/json; charset=utf-8", body: body}, out)
}

// get asks without a body.
func (a *Account) get(ctx context.Context, o op, out any) error {
	return a.call(ctx, o, wire{method: http.MethodGet}, out)
}

// file is one part of an upload.
type file struct {
	name, contentType string
	data              []byte
}

// upload sends a picture as the multipart field "media". The file name is
// neutral: the platform shows it in the material library.
func (a *Account) upload(ctx context.Context, o op, query url.Values, f file, out any) error {
	var buf bytes.Buffer
	form := multipart.NewWriter(&buf)
	head := textproto.MIMEHeader{}
	head.Set("Content-Disposition", `form-data; name="media"; filename="`+f.name+`"`)
	head.Set("Content-Type", f.contentType)
	part, err := form.CreatePart(head)
	if err == nil {
		_, err = part.Write(f.data)
	}
	if err == nil {
		err = form.Close()
	}
	if err != nil {
		return refusal(o.name(), Permanent, 0, "cannot encode the upload")
	}
	return a.call(ctx, o, wire{
		method: http.MethodPost, query: query, contentType: form.FormDataContentType(), body: buf.Bytes(),
	}, out)
}

// call adds the token, makes the attempt, and makes one more when the platform
// refused the token: a refused token means that nothing happened.
func (a *Account) call(ctx context.Context, o op, w wire, out any) error {
	token, err := a.token(ctx, "")
	if err != nil {
		return err
	}
	err = a.attempt(ctx, o, w, token, out)
	if !tokenRefused(err) {
		return err
	}
	fresh, terr := a.token(ctx, token)
	if terr != nil {
		return terr
	}
	return a.attempt(ctx, o, w, fresh, out)
}

func tokenRefused(err error) bool {
	switch CodeOf(err) {
	case 40001, 40014, 42001:
		return true
	}
	return false
}

// attempt is one request with one token, judged.
func (a *Account) attempt(ctx context.Context, o op, w wire, token string, out any) error {
	c := a.client
	w.path, w.timeout = o.path, c.timeout
	if o.upload {
		w.timeout = c.uploadTimeout
	}
	query := url.Values{"access_token": {token}}
	for k, v := range w.query {
		query[k] = v
	}
	w.query = query
	start := time.Now()
	body, left, err := c.send(ctx, w)
	if err == nil {
		err = c.judge(o, body, out, a.creds.Secret, token)
	} else {
		err = c.lost(o, left, err)
	}
	c.log.Debug("wechat call", "app", a.creds.AppID, "op", o.name(), "took", time.Since(start), "err", err)
	return err
}

// lost makes the error of an attempt without a readable answer.
func (c *Client) lost(o op, left bool, err error) *Error {
	e := &Error{Op: o.name(), Kind: Transient, Outcome: NotAccepted, Msg: reason(err), cause: contextCause(err)}
	if e.Msg == "host refused" {
		e.Kind = Permanent
	}
	if left && o.effect {
		e.Kind, e.Outcome = Unknown, MayBeAccepted
	}
	return e
}

// judge reads an answer. An errcode other than 0 is an *Error; out is filled
// even then, because 45065 carries the ids of the first send.
func (c *Client) judge(o op, body []byte, out any, hide ...string) error {
	var head struct {
		Code json.Number `json:"errcode"`
		Msg  string      `json:"errmsg"`
	}
	garbage := &Error{Op: o.name(), Kind: Unknown, Outcome: NotAccepted, Msg: "unreadable answer"}
	if o.effect {
		garbage.Outcome = MayBeAccepted
	}
	if err := json.Unmarshal(body, &head); err != nil {
		return garbage
	}
	if out != nil {
		if err := json.Unmarshal(body, out); err != nil && (head.Code == "" || head.Code == "0") {
			return garbage
		}
	}
	if head.Code == "" || head.Code == "0" {
		return nil
	}
	code, err := head.Code.Int64()
	if err != nil {
		return garbage
	}
	return c.codeError(o, int(code), head.Msg, hide)
}

// codeError makes the error of an errcode.
func (c *Client) codeError(o op, code int, errmsg string, hide []string) *Error {
	msg, rid := splitRID(errmsg)
	for _, h := range hide {
		if h != "" {
			msg = strings.ReplaceAll(msg, h, "***")
		}
	}
	e := &Error{
		Op: o.name(), Code: code, RID: rid, Msg: clip(msg, 160), Kind: Unknown,
		Outcome: NotAccepted, RetryAt: retryAt(code, c.clock.Now()),
	}
	if row, ok := lookup(code); ok {
		e.Kind = row.kind
	}
	// -1 says "busy" before or after the effect. 45066 says that the same
	// clientmsgid is under way already.
	if o.effect && (code == -1 || code == 45066) {
		e.Outcome = MayBeAccepted
	}
	if code == 40164 {
		e.IP = addressIn(msg)
	}
	if code == 47003 {
		e.Field = fieldIn(msg)
	}
	return e
}

// splitRID takes "invalid ip … rid: 6543-21" apart.
func splitRID(msg string) (text, rid string) {
	text, rid, _ = strings.Cut(msg, "rid:")
	return strings.TrimSpace(text), clip(strings.TrimSpace(rid), 40)
}

// addressIn finds the refused address in the errmsg of 40164:
// "invalid ip 1.2.3.4 ipv6 ::ffff:1.2.3.4, not in whitelist".
func addressIn(msg string) string {
	m := regexp.MustCompile(`invalid ip ([0-9A-Fa-f.:]{3,45})`).FindStringSubmatch(msg)
	if m == nil {
		return ""
	}
	return m[1]
}

// clip cuts s to n runes.
func clip(s string, n int) string {
	r := []rune(s)
	if len(r) <= n {
		return s
	}
	return string(r[:n]) + "…"
}
