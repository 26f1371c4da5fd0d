package sandbox

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"
)

// maxBody bounds a request: the largest picture and its form.
const maxBody = 12 << 20

// route is one API call.
type route struct {
	path    string
	get     bool   // wants GET; otherwise POST
	open    bool   // needs no token: the token calls
	upload  bool   // has a picture, so no JSON rules
	sns     bool   // has the app's keys and a code in its address instead of a token
	right   string // "draft", "publish", "mass", "stats", "oauth"; "mini": mini-programs only
	quota   Quota
	private bool // its body holds a secret
	do      func(*callCtx) result
}

// callCtx is one call under way.
type callCtx struct {
	acc   *account
	set   Account // settings at the start
	body  []byte
	query url.Values
	form  string // content type, for uploads
	token tokenRequest
}

// table lists every call with its right and the quotas of a new account.
// Source: "接口调用频次" and community reports; the figures are configurable.
func (s *Sandbox) table() map[string]route {
	day := func(n int) Quota { return Quota{Day: n} }
	rows := []route{
		{path: "/cgi-bin/token", get: true, open: true, private: true, quota: day(2000), do: s.classicToken},
		{path: "/cgi-bin/stable_token", open: true, private: true, quota: day(2000), do: s.stableToken},
		{path: "/cgi-bin/getcallbackip", get: true, quota: day(10000), do: s.callbackIP},
		{path: "/cgi-bin/get_api_domain_ip", get: true, quota: day(10000), do: s.callbackIP},
		{path: "/cgi-bin/openapi/quota/get", quota: day(10000), do: s.quotaGet},
		{path: "/cgi-bin/media/uploadimg", upload: true, quota: day(1000), do: s.uploadImg},
		{path: "/cgi-bin/material/add_material", upload: true, quota: day(1000), do: s.addMaterial},
		{path: "/cgi-bin/material/del_material", quota: day(1000), do: s.delMaterial},
		{path: "/cgi-bin/material/get_materialcount", get: true, quota: day(5000), do: s.countMaterial},
		{path: "/cgi-bin/draft/add", right: "draft", quota: day(1000), do: s.draftAdd},
		{path: "/cgi-bin/draft/get", right: "draft", quota: day(500), do: s.draftGet},
		{path: "/cgi-bin/draft/update", right: "draft", quota: day(1000), do: s.draftUpdate},
		{path: "/cgi-bin/draft/delete", right: "draft", quota: day(1000), do: s.draftDelete},
		{path: "/cgi-bin/draft/count", get: true, right: "draft", quota: day(1000), do: s.draftCount},
		{path: "/cgi-bin/draft/batchget", right: "draft", quota: day(1000), do: s.draftList},
		{path: "/cgi-bin/freepublish/submit", right: "publish", quota: day(100), do: s.publishSubmit},
		{path: "/cgi-bin/freepublish/get", right: "publish", quota: day(100), do: s.publishGet},
		{path: "/cgi-bin/freepublish/batchget", right: "publish", quota: day(100), do: s.publishList},
		{path: "/cgi-bin/freepublish/getarticle", right: "publish", quota: day(100), do: s.publishArticle},
		{path: "/cgi-bin/freepublish/delete", right: "publish", quota: day(10), do: s.publishDelete},
		{path: "/cgi-bin/message/mass/sendall", right: "mass", quota: Quota{Day: 100, Minute: 60}, do: s.massSendAll},
		{path: "/cgi-bin/message/mass/send", right: "mass", quota: Quota{Day: 100, Minute: 60}, do: s.massSend},
		{path: "/cgi-bin/message/mass/preview", right: "mass", quota: day(100), do: s.massPreview},
		{path: "/cgi-bin/message/mass/get", right: "mass", quota: day(100), do: s.massGet},
		{path: "/cgi-bin/message/mass/delete", right: "mass", quota: day(10), do: s.massDelete},
		{path: "/wxa/msg_sec_check", right: "mini", quota: Quota{Day: 2_000_000, Minute: 4000}, do: s.msgSecCheck},
		{path: "/wxa/media_check_async", right: "mini", quota: Quota{Day: 200_000, Minute: 2000}, do: s.mediaCheck},
		{path: "/cgi-bin/message/subscribe/send", right: "message", do: s.sendMessage("mini")},
		{path: "/cgi-bin/message/template/send", right: "message", quota: day(100000), do: s.sendMessage("template")},
		{path: "/cgi-bin/message/subscribe/bizsend", right: "message", do: s.sendMessage("subscribe")},
		{path: "/sns/jscode2session", get: true, sns: true, right: "mini", do: s.jscode2session},
		{path: "/sns/oauth2/access_token", get: true, sns: true, right: "oauth", do: s.webToken},
		{path: "/wxa/business/getuserphonenumber", right: "mini", quota: day(100_000), private: true, do: s.phoneNumber},
		{path: "/datacube/getarticlesummary", right: "stats", quota: day(100), do: s.articleSummary},
		{path: "/datacube/getarticletotal", right: "stats", quota: day(100), do: s.articleTotal},
	}
	m := make(map[string]route, len(rows))
	for _, r := range rows {
		m[r.path] = r
	}
	return m
}

// serveAPI runs one call: latency, faults, token, address, quota, right, effect.
func (s *Sandbox) serveAPI(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	// An adaptor may reuse the request's memory: keep copies only.
	entry := Call{At: s.clock.Now(), Dir: "in", Method: strings.Clone(r.Method), Path: strings.Clone(r.URL.Path)}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	rt, known := s.routes[entry.Path]
	rule, latency, hang := s.faults.pick(entry.Path)
	entry.Fault = rule.Kind
	if !s.wait(latency) {
		s.drop(w)
		return
	}
	var res result
	switch {
	case len(body) > maxBody:
		res = fail(45001)
	case !known:
		res = fail(40066)
	case rule.Kind == ErrCode:
		res = result{code: code(rule.Code)}
	case strings.HasSuffix(rule.Kind, "_before"):
		res = fail(-1)
	default:
		res = s.run(rt, r, body, &entry)
	}
	if known && !rt.private && !rt.upload {
		entry.Request = s.calls.excerpt(body)
	}
	if res.code != 0 && strings.HasSuffix(rule.Kind, "_after") {
		rule.Kind, entry.Fault = "", "" // the call was refused, so there is nothing to hide
	}
	rid := s.calls.rid(entry.At)
	entry.Code, entry.RID, entry.Note = int(res.code), rid, res.note
	s.answer(w, &entry, rule.Kind, hang, res, rid)
	entry.MS = time.Since(start).Milliseconds()
	s.calls.add(entry)
}

// run does what is the same for every call, then the call.
func (s *Sandbox) run(rt route, r *http.Request, body []byte, entry *Call) result {
	if rt.get && r.Method != http.MethodGet && r.Method != http.MethodPost {
		return fail(43001)
	}
	if !rt.get && r.Method != http.MethodPost {
		return fail(43002)
	}
	c := &callCtx{body: body, query: r.URL.Query(), form: r.Header.Get("Content-Type")}
	switch {
	case rt.sns:
		if res := s.snsKeys(rt, c, r.RemoteAddr, entry); res.code != 0 {
			return res
		}
	case !rt.open:
		acc, bad := s.authorize(c.query.Get("access_token"))
		if bad != 0 {
			return fail(bad)
		}
		c.acc = acc
		c.set = acc.settings()
		entry.AppID = c.set.AppID
		if res := s.admit(c.set, r.RemoteAddr); res.code != 0 {
			return res
		}
		if !c.set.may(rt.right) {
			return fail(48001)
		}
		if bad := s.charge(acc, rt); bad != 0 {
			return fail(bad)
		}
	default:
		if res := s.identify(rt, c, r.RemoteAddr, entry); res.code != 0 {
			return res
		}
	}
	if !rt.get && !rt.upload {
		if len(body) == 0 {
			return fail(44002)
		}
		if hasUnicodeEscape(body) {
			return fail(40033)
		}
	}
	return rt.do(c)
}

// admit checks the caller's address against the list.
func (s *Sandbox) admit(set Account, remote string) result {
	host, _, err := net.SplitHostPort(remote)
	if err != nil {
		host = remote
	}
	ip := host
	if a, err := netip.ParseAddr(host); err == nil {
		ip = a.Unmap().String()
	}
	if !s.faults.wrongIP() && (len(set.Whitelist) == 0 || slices.Contains(set.Whitelist, ip)) {
		return result{}
	}
	return result{code: 40164, detail: fmt.Sprintf("invalid ip %s ipv6 ::ffff:%s, not in whitelist", ip, ip)}
}

// answer writes the result, or fails as the rule says.
func (s *Sandbox) answer(w http.ResponseWriter, entry *Call, kind string, hang time.Duration, res result, rid string) {
	entry.Status = http.StatusOK
	switch kind {
	case CloseBefore, CloseAfter:
		entry.Status = 0
		s.drop(w)
		return
	case HangBefore, HangAfter:
		entry.Status = 0
		s.wait(hang)
		s.drop(w)
		return
	case GatewayBefore, GatewayAfter:
		entry.Status = http.StatusBadGateway
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(http.StatusBadGateway)
		s.write(w, []byte("<html><body>502 Bad Gateway</body></html>"))
		return
	case GarbageAfter:
		s.write(w, []byte("<!doctype html><p>"))
		return
	case BusyAfter:
		entry.Code = -1
		res.code, res.fields, res.detail = -1, nil, ""
	default:
		if res.ledger != nil {
			res.ledger()
		}
	}
	out := fields{}
	for k, v := range res.fields {
		out[k] = v
	}
	if res.code != 0 {
		out["errcode"], out["errmsg"] = int(res.code), cmp.Or(res.detail, res.code.text())+" rid: "+rid
	}
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(out); err != nil {
		s.log.Error("sandbox: encode", "err", err)
	}
	w.Header().Set("Content-Type", "application/json; encoding=utf-8")
	s.write(w, buf.Bytes())
}

func (s *Sandbox) write(w http.ResponseWriter, b []byte) {
	if _, err := w.Write(b); err != nil {
		s.log.Debug("sandbox: write", "err", err)
	}
}

// drop closes the connection without an answer. Where a server does not let go
// of its connection the answer is an empty 502: as unclear to the caller.
func (s *Sandbox) drop(w http.ResponseWriter) {
	if h, ok := w.(http.Hijacker); ok {
		if conn, _, err := h.Hijack(); err == nil {
			if err := conn.Close(); err != nil {
				s.log.Debug("sandbox: close", "err", err)
			}
			return
		}
	}
	w.WriteHeader(http.StatusBadGateway)
}

// hasUnicodeEscape finds \uXXXX in JSON, which the platform refuses. A
// backslash that is itself escaped begins nothing.
func hasUnicodeEscape(b []byte) bool {
	for i := 0; i+1 < len(b); i++ {
		if b[i] != '\\' {
			continue
		}
		if b[i+1] == 'u' {
			return true
		}
		i++
	}
	return false
}

// decode reads a JSON body.
func decode(body []byte, into any) code {
	if err := json.Unmarshal(body, into); err != nil {
		return 47001
	}
	return 0
}
