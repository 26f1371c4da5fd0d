package sandbox

import (
	"bytes"
	"context"
	"crypto/sha1" //nolint:gosec // the platform's signature is SHA-1
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/silenceper/wechat/v2/util"
)

// tries is how often an event is pushed until it is answered.
const tries = 3

// cdata wraps text for the platform's XML.
func cdata(s string) string {
	return "<![CDATA[" + strings.ReplaceAll(s, "]]>", "]]]]><![CDATA[>") + "]]>"
}

// head begins every message. Call with mu held.
func (a *account) head(kind string, at time.Time) string {
	return fmt.Sprintf("<xml><ToUserName>%s</ToUserName><FromUserName>%s</FromUserName><CreateTime>%d</CreateTime><MsgType>%s</MsgType>",
		cdata(a.Settings.OriginalID), cdata(a.openID()), at.Unix(), cdata(kind))
}

// publishEvent is PUBLISHJOBFINISH. Call with mu held.
func publishEvent(a *account, j *job) event {
	var b strings.Builder
	b.WriteString(a.head("event", j.Due))
	fmt.Fprintf(&b, "<Event>%s</Event><PublishEventInfo><publish_id>%s</publish_id><publish_status>%d</publish_status>",
		cdata("PUBLISHJOBFINISH"), j.ID, j.State)
	if m := a.Messages[j.ArticleID]; m != nil && j.State == stateOK {
		fmt.Fprintf(&b, "<article_id>%s</article_id><article_detail><count>%d</count>", cdata(m.ArticleID), len(m.Articles))
		for i, art := range m.Articles {
			fmt.Fprintf(&b, "<item><idx>%d</idx><article_url>%s</article_url></item>", i+1, cdata(art.URL))
		}
		b.WriteString("</article_detail>")
	} else if m != nil {
		fmt.Fprintf(&b, "<article_id>%s</article_id>", cdata(m.ArticleID))
	}
	for _, i := range j.FailIdx {
		fmt.Fprintf(&b, "<fail_idx>%d</fail_idx>", i)
	}
	b.WriteString("</PublishEventInfo></xml>")
	return event{name: "PUBLISHJOBFINISH", note: j.ID, body: b.String()}
}

// massEvent is MASSSENDJOBFINISH. Call with mu held.
func massEvent(a *account, j *job) event {
	sent := 0
	if j.Status == "send success" {
		sent = j.Targets
	}
	var b strings.Builder
	b.WriteString(a.head("event", j.Due))
	fmt.Fprintf(&b, "<Event>%s</Event><MsgID>%s</MsgID><Status>%s</Status>", cdata("MASSSENDJOBFINISH"), j.ID, cdata(j.Status))
	fmt.Fprintf(&b, "<TotalCount>%d</TotalCount><FilterCount>%d</FilterCount><SentCount>%d</SentCount><ErrorCount>%d</ErrorCount>",
		j.Targets, sent, sent, 0)
	b.WriteString("<CopyrightCheckResult><Count>0</Count><ResultList></ResultList><CheckState>1</CheckState></CopyrightCheckResult>")
	if m := a.Messages[j.ArticleID]; m != nil {
		fmt.Fprintf(&b, "<ArticleUrlResult><Count>%d</Count><ResultList>", len(m.Articles))
		for i, art := range m.Articles {
			fmt.Fprintf(&b, "<item><ArticleIdx>%d</ArticleIdx><ArticleUrl>%s</ArticleUrl></item>", i+1, cdata(art.URL))
		}
		b.WriteString("</ResultList></ArticleUrlResult>")
	}
	b.WriteString("</xml>")
	return event{name: "MASSSENDJOBFINISH", note: j.ID, body: b.String()}
}

// event is one message to push.
type event struct {
	name, note, body string
}

// push sends an event as the faults say: not at all, twice, or late.
func (s *Sandbox) push(a *account, ev event) {
	copies, delay := s.faults.event()
	set := a.settings()
	if set.CallbackURL == "" {
		return
	}
	if copies == 0 {
		s.calls.add(Call{At: s.clock.Now(), Dir: "out", AppID: set.AppID, Method: http.MethodPost, Path: ev.name, Fault: "lose_events", Note: ev.note})
	}
	for range copies {
		s.after(delay, func() { s.deliver(set, ev) })
	}
}

// deliver makes up to three tries and returns the answer's body.
func (s *Sandbox) deliver(set Account, ev event) string {
	for n := 1; n <= tries; n++ {
		select {
		case s.pushes <- struct{}{}:
		case <-s.ctx.Done():
			return ""
		}
		answer, ok := s.try(set, ev, n)
		<-s.pushes
		if ok || n == tries || !s.wait(s.cfg.CallbackPause) {
			return answer
		}
	}
	return ""
}

// try pushes once, with a fresh signature.
func (s *Sandbox) try(set Account, ev event, n int) (answer string, ok bool) {
	row := Call{At: s.clock.Now(), Dir: "out", AppID: set.AppID, Method: http.MethodPost, Path: ev.name, Note: fmt.Sprintf("%s 第 %d 次", ev.note, n)}
	start := time.Now()
	defer func() {
		row.MS = time.Since(start).Milliseconds()
		s.calls.add(row)
	}()
	target, body, err := s.sign(set, ev.body)
	if err != nil {
		row.Note += " " + err.Error()
		return "", true // no try can succeed
	}
	ctx, cancel := context.WithTimeout(s.ctx, s.cfg.CallbackTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, target, bytes.NewReader(body))
	if err != nil {
		row.Note += " bad callback address"
		return "", true
	}
	req.Header.Set("Content-Type", "text/xml")
	req.Header.Set("User-Agent", "Mozilla/4.0")
	resp, err := s.client.Do(req)
	if err != nil {
		row.Fault = "no answer"
		return "", false
	}
	text, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	if cerr := resp.Body.Close(); err != nil || cerr != nil {
		row.Fault = "no answer"
		return "", false
	}
	row.Status = resp.StatusCode
	return string(text), resp.StatusCode == http.StatusOK
}

// sign makes the address and body of a push in the account's mode.
func (s *Sandbox) sign(set Account, plain string) (target string, body []byte, err error) {
	u, err := url.Parse(set.CallbackURL)
	if err != nil || u.Host == "" {
		return "", nil, fmt.Errorf("bad callback address")
	}
	stamp := strconv.FormatInt(s.clock.Now().Unix(), 10)
	s.calls.mu.Lock()
	s.calls.rids++
	nonce := strconv.FormatUint(uint64(s.calls.rids), 10)
	s.calls.mu.Unlock()
	q := u.Query()
	q.Set("timestamp", stamp)
	q.Set("nonce", nonce)
	q.Set("signature", signature(set.Token, stamp, nonce))
	body = []byte(plain)
	if set.Mode != "plain" {
		random := []byte(digest("random", nonce, stamp)[:16])
		sealed, err := util.EncryptMsg(random, []byte(plain), set.AppID, set.AESKey)
		if err != nil {
			return "", nil, fmt.Errorf("cannot encrypt with this aeskey")
		}
		q.Set("encrypt_type", "aes")
		q.Set("msg_signature", signature(set.Token, stamp, nonce, string(sealed)))
		envelope := "<ToUserName>" + cdata(set.OriginalID) + "</ToUserName><Encrypt>" + cdata(string(sealed)) + "</Encrypt></xml>"
		body = []byte("<xml>" + envelope)
		if set.Mode == "compat" {
			body = []byte(strings.TrimSuffix(plain, "</xml>") + strings.TrimPrefix(envelope, "<ToUserName>"+cdata(set.OriginalID)+"</ToUserName>"))
		}
	}
	u.RawQuery = q.Encode()
	return u.String(), body, nil
}

// signature is the platform's: SHA-1 over the sorted parts.
func signature(parts ...string) string {
	slices.Sort(parts)
	sum := sha1.Sum([]byte(strings.Join(parts, ""))) //nolint:gosec // as above
	return hex.EncodeToString(sum[:])
}

// VerifyCallback does the echostr handshake with the account's callback
// address, as saving the settings in the platform's console does.
func (s *Sandbox) VerifyCallback(ctx context.Context, appid string) error {
	a := s.account(appid)
	if a == nil {
		return fmt.Errorf("sandbox: no account %q", appid)
	}
	set := a.settings()
	set.Mode = "plain" // the handshake of an official account is never encrypted
	target, _, err := s.sign(set, "")
	if err != nil {
		return err
	}
	echo := digest("echo", target)[:19]
	ctx, cancel := context.WithTimeout(ctx, s.cfg.CallbackTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, target+"&echostr="+echo, nil)
	if err != nil {
		return err
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return fmt.Errorf("sandbox: the callback address does not answer")
	}
	text, err := io.ReadAll(io.LimitReader(resp.Body, 1<<10))
	if cerr := resp.Body.Close(); err != nil || cerr != nil {
		return fmt.Errorf("sandbox: the callback address does not answer")
	}
	if resp.StatusCode != http.StatusOK || string(text) != echo {
		return fmt.Errorf("sandbox: the callback address did not echo (HTTP %d)", resp.StatusCode)
	}
	return nil
}
