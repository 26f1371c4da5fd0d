package wechat_test

import (
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/silenceper/wechat/v2/util"

	"tongxin/internal/clock"
	"tongxin/wechat"
)

const (
	appID     = "wx0123456789abcdef"
	publishOK = `<xml><ToUserName><![CDATA[gh_4d00ed8d6399]]></ToUserName><FromUserName><![CDATA[oV5CrjpxgaGXNHIQigzNlgLTnwic]]></FromUserName><CreateTime>1772416800</CreateTime><MsgType><![CDATA[event]]></MsgType><Event><![CDATA[PUBLISHJOBFINISH]]></Event><PublishEventInfo><publish_id>2247503051</publish_id><publish_status>0</publish_status><article_id><![CDATA[b5O2OUs25HBxRceL7hfReg]]></article_id><article_detail><count>2</count><item><idx>1</idx><article_url><![CDATA[https://mp.weixin.qq.com/s?a=1&b=2]]></article_url></item><item><idx>2</idx><article_url><![CDATA[https://mp.weixin.qq.com/s?a=2]]></article_url></item></article_detail></PublishEventInfo></xml>`
	publishNo = `<xml><ToUserName>gh</ToUserName><FromUserName>o</FromUserName><CreateTime>1772416800</CreateTime><MsgType>event</MsgType><Event>PUBLISHJOBFINISH</Event><PublishEventInfo><publish_id><![CDATA[A-100]]></publish_id><publish_status>2</publish_status><fail_idx>1</fail_idx><fail_idx>3</fail_idx></PublishEventInfo></xml>`
	massOK    = `<xml><ToUserName>gh</ToUserName><FromUserName>o</FromUserName><CreateTime>1772416800</CreateTime><MsgType>event</MsgType><Event>MASSSENDJOBFINISH</Event><MsgID>1000001625</MsgID><Status><![CDATA[err(30003)]]></Status><TotalCount>10</TotalCount><FilterCount>8</FilterCount><SentCount>7</SentCount><ErrorCount>1</ErrorCount><CopyrightCheckResult><Count>1</Count><ResultList><item><ArticleIdx>1</ArticleIdx><UserDeclareState>0</UserDeclareState><AuditState>2</AuditState><OriginalArticleUrl><![CDATA[Url_1]]></OriginalArticleUrl><OriginalArticleType>1</OriginalArticleType><CanReprint>1</CanReprint></item></ResultList><CheckState>2</CheckState></CopyrightCheckResult><ArticleUrlResult><Count>1</Count><ResultList><item><ArticleIdx>1</ArticleIdx><ArticleUrl><![CDATA[Url]]></ArticleUrl></item></ResultList></ArticleUrlResult></xml>`
	text      = `<xml><ToUserName>gh</ToUserName><FromUserName>oPerson</FromUserName><CreateTime>1772416800</CreateTime><MsgType>text</MsgType><Content><![CDATA[你好]]></Content><MsgId>1234567890123456</MsgId></xml>`
	subscribe = `<xml><ToUserName>gh</ToUserName><FromUserName>oPerson</FromUserName><CreateTime>1772416800</CreateTime><MsgType>event</MsgType><Event>subscribe</Event></xml>`
)

func now() time.Time { return time.Unix(1772416800, 0) }

func sign(parts ...string) string {
	slices.Sort(parts)
	sum := sha1.Sum([]byte(strings.Join(parts, "")))
	return hex.EncodeToString(sum[:])
}

func keys(aes bool) wechat.Credentials {
	c := wechat.Credentials{AppID: appID, Secret: "s", Token: "tok"}
	if aes {
		c.AESKey = aesKey
	}
	return c
}

func parser() wechat.CallbackParser { return wechat.CallbackParser{Clock: clock.NewManual(now())} }

// plain signs a plain push at t.
func plain(t time.Time) url.Values {
	stamp := strconv.FormatInt(t.Unix(), 10)
	return url.Values{"timestamp": {stamp}, "nonce": {"n1"}, "signature": {sign("tok", stamp, "n1")}}
}

// sealed encrypts body with the SDK and signs it at t.
func sealed(tb testing.TB, t time.Time, body, app string) (url.Values, []byte) {
	tb.Helper()
	enc, err := util.EncryptMsg([]byte("0123456789abcdef"), []byte(body), app, aesKey)
	if err != nil {
		tb.Fatal(err)
	}
	q := plain(t)
	q.Set("encrypt_type", "aes")
	q.Set("msg_signature", sign("tok", q.Get("timestamp"), "n1", string(enc)))
	return q, []byte("<xml><ToUserName><![CDATA[gh]]></ToUserName><Encrypt><![CDATA[" + string(enc) + "]]></Encrypt></xml>")
}

func TestEventsInBothModes(t *testing.T) {
	check := map[string]func(*testing.T, *wechat.Event){
		publishOK: func(t *testing.T, e *wechat.Event) {
			p := e.Publish
			if e.Kind != wechat.EventPublish || p.PublishID != "2247503051" || p.State != wechat.PublishOK || p.ArticleID != "b5O2OUs25HBxRceL7hfReg" || len(p.URLs) != 2 || p.URLs[0].URL != "https://mp.weixin.qq.com/s?a=1&b=2" || p.URLs[1].Index != 2 {
				t.Errorf("%+v", p)
			}
		},
		publishNo: func(t *testing.T, e *wechat.Event) {
			if p := e.Publish; p.PublishID != "A-100" || p.State != wechat.PublishOriginal || !slices.Equal(p.FailIdx, []int{1, 3}) || p.URLs != nil {
				t.Errorf("%+v", p)
			}
		},
		massOK: func(t *testing.T, e *wechat.Event) {
			m := e.Mass
			if e.Kind != wechat.EventMass || m.MsgID != "1000001625" || m.OK() || m.Total != 10 || m.Filtered != 8 || m.Sent != 7 || m.Errors != 1 || m.Check != 2 {
				t.Errorf("%+v", m)
			}
			if len(m.URLs) != 1 || m.URLs[0].URL != "Url" || len(m.Copyright) != 1 || m.Copyright[0].Original != "Url_1" || !m.Copyright[0].CanReprint || m.Copyright[0].AuditState != 2 {
				t.Errorf("%+v", m)
			}
		},
		text: func(t *testing.T, e *wechat.Event) {
			if e.Kind != wechat.EventMessage || e.Content != "你好" || e.From != "oPerson" || e.DedupeKey() != "msg:1234567890123456" {
				t.Errorf("%+v %s", e, e.DedupeKey())
			}
		},
		subscribe: func(t *testing.T, e *wechat.Event) {
			if e.Kind != wechat.EventSubscribe || !e.Created.Equal(now()) || e.Publish != nil || e.Mass != nil {
				t.Errorf("%+v", e)
			}
		},
	}
	for body, f := range check {
		cb, err := parser().Parse(keys(false), http.MethodPost, plain(now()), []byte(body))
		if err != nil {
			t.Fatal(err)
		}
		f(t, cb.Event)
		q, enc := sealed(t, now(), body, appID)
		cb, err = parser().Parse(keys(true), http.MethodPost, q, enc)
		if err != nil {
			t.Fatal(err)
		}
		f(t, cb.Event)
		// Compatible mode: the plain half says something else and is ignored.
		both := []byte("<xml><MsgType>text</MsgType><CreateTime>1</CreateTime>" + strings.TrimPrefix(string(enc), "<xml>"))
		if cb, err = parser().Parse(keys(true), http.MethodPost, q, both); err != nil {
			t.Fatal(err)
		}
		f(t, cb.Event)
	}
}

// A mini-program's push comes as XML or as JSON, encrypted or not.
func TestEventsOfAMiniProgram(t *testing.T) {
	const head = `<xml><ToUserName>gh</ToUserName><FromUserName>oPerson</FromUserName><CreateTime>1772416800</CreateTime><MsgType>event</MsgType>`
	const jsonHead = `{"ToUserName":"gh","FromUserName":"oPerson","MsgType":"event",`
	choices := func(t *testing.T, e *wechat.Event) {
		t.Helper()
		want := []wechat.TemplateChoice{{TemplateID: "T1", Accepted: true}, {TemplateID: "T2"}}
		if e.Kind != wechat.EventTemplateChoice || e.From != "oPerson" || !slices.Equal(e.Choices, want) || !e.Created.Equal(now()) {
			t.Errorf("%+v", e)
		}
	}
	sent := func(t *testing.T, e *wechat.Event) {
		t.Helper()
		want := []wechat.TemplateSent{{TemplateID: "T1", MsgID: "1864323726461255680", Code: 43101, Status: "user refuse to accept the message"}}
		if e.Kind != wechat.EventTemplateSent || !slices.Equal(e.Sent, want) {
			t.Errorf("%+v", e)
		}
	}
	check := func(t *testing.T, e *wechat.Event) {
		t.Helper()
		if e.Kind != wechat.EventMediaCheck || e.Check.TraceID != "tr" || e.Check.Suggest != wechat.CheckRisky || e.Check.Label != 20002 {
			t.Errorf("%+v", e)
		}
	}
	for body, f := range map[string]func(*testing.T, *wechat.Event){
		head + `<Event>subscribe_msg_popup_event</Event><SubscribeMsgPopupEvent><List><TemplateId>T1</TemplateId><SubscribeStatusString>accept</SubscribeStatusString><PopupScene>0</PopupScene></List><List><TemplateId>T2</TemplateId><SubscribeStatusString>reject</SubscribeStatusString><PopupScene>2</PopupScene></List></SubscribeMsgPopupEvent></xml>`: choices,
		jsonHead + `"CreateTime":"1772416800","Event":"subscribe_msg_popup_event","List":[{"TemplateId":"T1","SubscribeStatusString":"accept","PopupScene":"0"},{"TemplateId":"T2","SubscribeStatusString":"reject","PopupScene":2}]}`:                                                                                                                         choices,
		head + `<Event>subscribe_msg_change_event</Event><SubscribeMsgChangeEvent><List><TemplateId>T1</TemplateId><SubscribeStatusString>accept</SubscribeStatusString></List><List><TemplateId>T2</TemplateId><SubscribeStatusString>reject</SubscribeStatusString></List></SubscribeMsgChangeEvent></xml>`:                                                  choices,
		head + `<Event>subscribe_msg_sent_event</Event><SubscribeMsgSentEvent><List><TemplateId>T1</TemplateId><MsgID>1864323726461255680</MsgID><ErrorCode>43101</ErrorCode><ErrorStatus>user refuse to accept the message</ErrorStatus></List></SubscribeMsgSentEvent></xml>`:                                                                                sent,
		jsonHead + `"CreateTime":1772416800,"Event":"subscribe_msg_sent_event","List":{"TemplateId":"T1","MsgID":1864323726461255680,"ErrorCode":"43101","ErrorStatus":"user refuse to accept the message"}}`:                                                                                                                                                  sent,
		jsonHead + `"CreateTime":1772416800,"Event":"wxa_media_check","trace_id":"tr","version":2,"errcode":0,"errmsg":"ok","result":{"suggest":"risky","label":20002}}`:                                                                                                                                                                                       check,
	} {
		cb, err := parser().Parse(keys(false), http.MethodPost, plain(now()), []byte(body))
		if err != nil {
			t.Fatalf("%v: %s", err, body)
		}
		f(t, cb.Event)
		q, enc := sealed(t, now(), body, appID)
		if cb, err = parser().Parse(keys(true), http.MethodPost, q, enc); err != nil {
			t.Fatalf("%v: %s", err, body)
		}
		f(t, cb.Event)
		if body[0] != '{' {
			continue
		}
		_, packet, _ := strings.Cut(string(enc), "<Encrypt>")
		packet, _, _ = strings.Cut(strings.NewReplacer("<![CDATA[", "", "]]>", "").Replace(packet), "</Encrypt>")
		if cb, err = parser().Parse(keys(true), http.MethodPost, q, []byte(` {"ToUserName":"gh","Encrypt":"`+packet+`"}`)); err != nil {
			t.Fatalf("%v: %s", err, body)
		}
		f(t, cb.Event)
	}
	for _, body := range []string{
		`{`, `{}`, `{"MsgType":"event"}`, jsonHead + `"CreateTime":"x","Event":"e"}`, jsonHead + `"CreateTime":1772416800,"Event":"wxa_media_check"}`,
		jsonHead + `"CreateTime":1772416800,"Event":"subscribe_msg_sent_event"}`, jsonHead + `"CreateTime":1772416800,"Event":"subscribe_msg_popup_event","List":[{}]}`,
		head + `<Event>subscribe_msg_popup_event</Event></xml>`,
	} {
		if cb, err := parser().Parse(keys(false), http.MethodPost, plain(now()), []byte(body)); !errors.Is(err, wechat.ErrMalformed) || cb.Event != nil {
			t.Errorf("%s: %v %+v", body, err, cb.Event)
		}
	}
	q, _ := sealed(t, now(), text, appID)
	if _, err := parser().Parse(keys(true), http.MethodPost, q, []byte(jsonHead+`"CreateTime":1772416800,"Event":"x"}`)); !errors.Is(err, wechat.ErrPlain) {
		t.Errorf("a plain JSON body passed for an account with a key: %v", err)
	}
}

func TestDedupeKeyIsOfTheEventNotOfTheDelivery(t *testing.T) {
	seen := map[string]string{}
	for _, body := range []string{publishOK, strings.Replace(publishOK, "2247503051", "2247503052", 1), strings.Replace(publishOK, "status>0", "status>5", 1), publishNo, massOK, text, subscribe, strings.Replace(subscribe, "1772416800", "1772416801", 1)} {
		a, err := parser().Parse(keys(false), http.MethodPost, plain(now()), []byte(body))
		if err != nil {
			t.Fatal(err)
		}
		b, err := parser().Parse(keys(false), http.MethodPost, plain(now().Add(time.Minute)), []byte(body))
		if err != nil || a.Event.DedupeKey() != b.Event.DedupeKey() {
			t.Errorf("two deliveries: %q, %q, %v", a.Event.DedupeKey(), b.Event.DedupeKey(), err)
		}
		if other, ok := seen[a.Event.DedupeKey()]; ok {
			t.Errorf("one key for\n%s\n%s", body, other)
		}
		seen[a.Event.DedupeKey()] = body
	}
}

func TestRefusedCallbacks(t *testing.T) {
	good, enc := sealed(t, now(), text, appID)
	foreign, foreignBody := sealed(t, now(), text, "wxsomebodyelse00")
	change := func(q url.Values, k, v string) url.Values {
		c := url.Values{}
		for key := range q {
			c.Set(key, q.Get(key))
		}
		c.Set(k, v)
		return c
	}
	without := func(q url.Values, k string) url.Values { c := change(q, k, ""); c.Del(k); return c }
	deep := "<xml>" + strings.Repeat("<a>", 20) + strings.Repeat("</a>", 20) + "</xml>"
	for name, c := range map[string]struct {
		aes    bool
		method string
		query  url.Values
		body   string
		want   error
	}{
		"method":              {false, "PUT", plain(now()), text, wechat.ErrMethod},
		"no signature":        {false, "POST", without(plain(now()), "signature"), text, wechat.ErrSignature},
		"wrong signature":     {false, "POST", change(plain(now()), "signature", sign("tik", "1")), text, wechat.ErrSignature},
		"upper case":          {false, "POST", change(plain(now()), "signature", strings.ToUpper(plain(now()).Get("signature"))), text, wechat.ErrSignature},
		"old":                 {false, "POST", plain(now().Add(-11 * time.Minute)), text, wechat.ErrReplay},
		"from the future":     {false, "POST", plain(now().Add(11 * time.Minute)), text, wechat.ErrReplay},
		"too large":           {false, "POST", plain(now()), "<xml>" + strings.Repeat(" ", wechat.MaxCallback), wechat.ErrTooLarge},
		"plain though keyed":  {true, "POST", plain(now()), text, wechat.ErrPlain},
		"no Encrypt":          {true, "POST", good, text, wechat.ErrPlain},
		"sealed without key":  {false, "POST", good, string(enc), wechat.ErrNoKey},
		"altered ciphertext":  {true, "POST", good, strings.Replace(string(enc), "]]></Encrypt>", "A]]></Encrypt>", 1), wechat.ErrSignature},
		"msg_signature wrong": {true, "POST", change(good, "msg_signature", "0"), string(enc), wechat.ErrSignature},
		"another app":         {true, "POST", foreign, string(foreignBody), wechat.ErrDecrypt},
		"doctype":             {false, "POST", plain(now()), `<!DOCTYPE xml [<!ENTITY a "b">]>` + text, wechat.ErrMalformed},
		"entity":              {false, "POST", plain(now()), strings.Replace(text, "<![CDATA[你好]]>", "&a;", 1), wechat.ErrMalformed},
		"instruction":         {false, "POST", plain(now()), `<?php x?>` + text, wechat.ErrMalformed},
		"two roots":           {false, "POST", plain(now()), text + text, wechat.ErrMalformed},
		"deep":                {false, "POST", plain(now()), deep, wechat.ErrMalformed},
		"json":                {false, "POST", plain(now()), `{"MsgType":"text"}`, wechat.ErrMalformed},
		"empty":               {false, "POST", plain(now()), "", wechat.ErrMalformed},
		"no publish status":   {false, "POST", plain(now()), strings.Replace(publishOK, "<publish_status>0</publish_status>", "", 1), wechat.ErrMalformed},
		"no publish id":       {false, "POST", plain(now()), strings.Replace(publishOK, "2247503051", " ", 1), wechat.ErrMalformed},
		"echo unsigned":       {false, "GET", url.Values{"echostr": {"x"}}, "", wechat.ErrSignature},
		"echo without string": {false, "GET", plain(now()), "", wechat.ErrMalformed},
	} {
		cb, err := parser().Parse(keys(c.aes), c.method, c.query, []byte(c.body))
		if !errors.Is(err, c.want) || cb.Event != nil || cb.Echo != "" {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	if _, err := parser().Parse(wechat.Credentials{AppID: appID}, "GET", url.Values{}, nil); !errors.Is(err, wechat.ErrSignature) {
		t.Errorf("an account without a token takes nothing: %v", err)
	}
}

func TestEchoInEveryMode(t *testing.T) {
	q := plain(now())
	q.Set("echostr", "4375120948345356249")
	for _, aes := range []bool{false, true} {
		cb, err := parser().Parse(keys(aes), http.MethodGet, q, nil)
		if err != nil || cb.Echo != "4375120948345356249" || cb.Event != nil {
			t.Errorf("%+v %v", cb, err)
		}
	}
	enc, err := util.EncryptMsg([]byte("0123456789abcdef"), []byte("echo-me"), appID, aesKey)
	if err != nil {
		t.Fatal(err)
	}
	q.Del("signature")
	q.Set("echostr", string(enc))
	q.Set("msg_signature", sign("tok", q.Get("timestamp"), "n1", string(enc)))
	cb, err := parser().Parse(keys(true), http.MethodGet, q, nil)
	if err != nil || cb.Echo != "echo-me" {
		t.Errorf("%+v %v", cb, err)
	}
}

func FuzzCallback(f *testing.F) {
	for _, s := range []string{
		publishOK, publishNo, massOK, text, subscribe, "", "<xml/>", "<xml><MsgType>event</MsgType>", "{}",
		`{"FromUserName":"o","CreateTime":"1772416800","MsgType":"event","Event":"subscribe_msg_popup_event","List":{"TemplateId":"T"}}`,
		`{"FromUserName":"o","CreateTime":1772416800,"MsgType":"event","Event":"subscribe_msg_sent_event","List":[{"TemplateId":"T","MsgID":1}]}`,
	} {
		f.Add([]byte(s), true)
		f.Add([]byte(s), false)
	}
	_, enc := sealed(f, now(), text, appID)
	f.Add(enc, true)
	f.Fuzz(func(t *testing.T, body []byte, aes bool) {
		q := plain(now())
		if aes { // a body that came out of the cipher
			if len(body) > 32<<10 {
				return
			}
			q, body = sealed(t, now(), string(body), appID)
		}
		cb, err := parser().Parse(keys(aes), http.MethodPost, q, body)
		if err != nil {
			var ce wechat.CallbackError
			if !errors.As(err, &ce) || cb.Event != nil {
				t.Fatalf("%v %+v", err, cb)
			}
			return
		}
		e := cb.Event
		if e == nil || e.MsgType == "" || e.DedupeKey() == "" || e.Created.Unix() <= 0 {
			t.Fatalf("%+v", e)
		}
		if (e.Kind == wechat.EventMediaCheck) != (e.Check != nil) || (e.Kind == wechat.EventTemplateChoice) != (len(e.Choices) > 0) || (e.Kind == wechat.EventTemplateSent) != (len(e.Sent) > 0) {
			t.Fatalf("%+v", e)
		}
		if (e.Kind == wechat.EventPublish) != (e.Publish != nil) || (e.Kind == wechat.EventMass) != (e.Mass != nil) {
			t.Fatalf("%+v", e)
		}
	})
}

// FuzzEnvelope feeds unsigned input: nothing of it may be taken.
func FuzzEnvelope(f *testing.F) {
	q, enc := sealed(f, now(), text, appID)
	f.Add(q.Encode(), enc)
	f.Add("signature=x&timestamp=1", []byte(text))
	f.Fuzz(func(t *testing.T, query string, body []byte) {
		values, err := url.ParseQuery(query)
		if err != nil {
			return
		}
		creds := keys(true)
		creds.Token = "a token that no input knows"
		if cb, err := parser().Parse(creds, http.MethodPost, values, body); err == nil {
			t.Fatalf("taken: %+v", cb)
		}
	})
}
