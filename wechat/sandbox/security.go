package sandbox

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Rules of the content check, version 2. Source: msgSecCheck, mediaCheckAsync.
// The platform's pages do not say which code a wrong scene, version or length
// gets; those here are a reading.
const (
	activeFor    = 2 * time.Hour // 61010 after it
	maxCheckText = 2500
	maxPicture   = 10 << 20
	nothingFound = 100
)

// CheckWord is a word that the simulator's content check knows.
type CheckWord struct {
	Text    string `json:"text"`
	Suggest string `json:"suggest"` // "review" or "risky"
	Label   int    `json:"label"`
}

// checkWords is the list while Config.CheckWords is empty: short, and made of
// words that show what is being simulated.
func checkWords() []CheckWord {
	return []CheckWord{
		{"违禁内容", "risky", 20006},
		{"加微信领红包", "risky", 10001},
		{"代开发票", "risky", 20008},
		{"骂人的话", "risky", 20003},
		{"需要复核", "review", 20001},
		{"低价转让", "review", 10001},
	}
}

// verdict of a text: the worst word counts.
func (s *Sandbox) verdict(text string) CheckWord {
	worst := CheckWord{Suggest: "pass", Label: nothingFound}
	words := s.cfg.CheckWords
	if len(words) == 0 {
		words = checkWords()
	}
	plain := strings.ToLower(strings.Join(strings.Fields(text), ""))
	for _, w := range words {
		if strings.Contains(plain, strings.ToLower(w.Text)) && (worst.Suggest == "pass" || w.Suggest == "risky" && worst.Suggest == "review") {
			worst = w
		}
	}
	return worst
}

type checkRequest struct {
	Version   int    `json:"version"`
	OpenID    string `json:"openid"`
	Scene     int    `json:"scene"`
	Content   string `json:"content"`
	MediaURL  string `json:"media_url"`
	MediaType int    `json:"media_type"`
}

// asker checks what both calls share. A person counts as known once they opened
// the mini-program, and as active for two hours after that.
func (s *Sandbox) asker(c *callCtx, in checkRequest) code {
	if in.Version != 2 || in.Scene < 1 || in.Scene > 4 {
		return 40097
	}
	c.acc.mu.Lock()
	seen, known := c.acc.Visits[in.OpenID]
	c.acc.mu.Unlock()
	switch {
	case !known:
		return 40003
	case s.clock.Now().Sub(seen) > activeFor:
		return 61010
	}
	return 0
}

// msgSecCheck judges a text. Its errcode is 0 whatever the verdict.
func (s *Sandbox) msgSecCheck(c *callCtx) result {
	var in checkRequest
	if bad := decode(c.body, &in); bad != 0 {
		return fail(bad)
	}
	if bad := s.asker(c, in); bad != 0 {
		return fail(bad)
	}
	switch n := utf8.RuneCountInString(in.Content); {
	case n == 0:
		return fail(44004)
	case n > maxCheckText:
		return fail(45002)
	}
	v := s.verdict(in.Content)
	detail := []fields{{"strategy": "content_model", "errcode": 0, "suggest": v.Suggest, "label": v.Label, "prob": 90}}
	if v.Text != "" {
		detail = append(detail, fields{"strategy": "keyword", "errcode": 0, "suggest": v.Suggest, "label": v.Label, "keyword": v.Text})
	}
	out := accepted(fields{"result": fields{"suggest": v.Suggest, "label": v.Label}, "detail": detail, "trace_id": s.trace(c.acc)})
	return done(out, v.Suggest)
}

// mediaCheck accepts a picture; the verdict is pushed later.
func (s *Sandbox) mediaCheck(c *callCtx) result {
	var in checkRequest
	if bad := decode(c.body, &in); bad != 0 {
		return fail(bad)
	}
	if bad := s.asker(c, in); bad != 0 {
		return fail(bad)
	}
	u, err := url.Parse(in.MediaURL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || in.MediaType != 1 && in.MediaType != 2 {
		return fail(40097)
	}
	trace, a := s.trace(c.acc), c.acc
	s.after(s.publishDelay(), func() { s.push(a, s.mediaEvent(a, in, trace)) })
	return done(accepted(fields{"trace_id": trace}), trace)
}

// mediaEvent downloads the picture, as the platform does, and judges it as the
// switch says.
func (s *Sandbox) mediaEvent(a *account, in checkRequest, trace string) event {
	suggest, label, bad := s.faults.get().CheckPicture, 20002, 0
	if suggest == "" {
		suggest = "pass"
	}
	if suggest == "pass" {
		label = nothingFound
	}
	if err := s.download(in.MediaURL); err != nil {
		bad = -1008
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	var b strings.Builder
	b.WriteString(strings.Replace(a.head("event", s.clock.Now()), a.openID(), in.OpenID, 1))
	fmt.Fprintf(&b, "<Event>%s</Event><appid>%s</appid><trace_id>%s</trace_id><version>2</version><errcode>%d</errcode>",
		cdata("wxa_media_check"), cdata(a.Settings.AppID), cdata(trace), bad)
	if bad == 0 {
		fmt.Fprintf(&b, "<errmsg>%s</errmsg><result><suggest>%s</suggest><label>%d</label></result>", cdata("ok"), cdata(suggest), label)
		fmt.Fprintf(&b, "<detail><strategy>%s</strategy><errcode>0</errcode><suggest>%s</suggest><label>%d</label><prob>90</prob></detail>",
			cdata("content_model"), cdata(suggest), label)
	} else {
		fmt.Fprintf(&b, "<errmsg>%s</errmsg>", cdata("download error"))
	}
	b.WriteString("</xml>")
	return event{name: "wxa_media_check", note: trace, body: b.String()}
}

func (s *Sandbox) download(address string) error {
	ctx, cancel := context.WithTimeout(s.ctx, s.cfg.CallbackTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return err
	}
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxPicture+1))
	if cerr := resp.Body.Close(); err == nil {
		err = cerr
	}
	if err == nil && (resp.StatusCode != http.StatusOK || len(data) > maxPicture || typeOf(data) == "") {
		err = fmt.Errorf("sandbox: no picture at the address")
	}
	return err
}

// trace makes a trace id of the platform's form.
func (s *Sandbox) trace(a *account) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	d := digest("trace", a.Settings.AppID, fmt.Sprint(a.serial()))
	return d[:8] + "-" + d[8:16] + "-" + d[16:24]
}

// Visit notes that a person has the mini-program open now: the content check
// takes them for active for two hours.
func (s *Sandbox) Visit(appid, openID string) error {
	a, err := s.must(appid)
	if err != nil {
		return err
	}
	a.visited(openID, s.clock.Now())
	s.changed()
	return nil
}

// visited is Visit for the calls that show a person in the mini-program.
func (a *account) visited(openID string, now time.Time) {
	a.mu.Lock()
	a.Visits[openID] = now
	a.mu.Unlock()
}

func (s *Sandbox) visit(r *http.Request) (any, error) {
	var in struct {
		AppID  string `json:"appid"`
		OpenID string `json:"openid"`
	}
	if err := input(r, &in); err != nil {
		return nil, err
	}
	if in.OpenID == "" {
		return nil, fmt.Errorf("sandbox: a visit needs an openid")
	}
	return fields{"ok": true}, s.Visit(in.AppID, in.OpenID)
}

func validSuggest(v string) bool { return slices.Contains([]string{"", "pass", "review", "risky"}, v) }
