package main

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"tongxin/publish"
	"tongxin/wechat"
	"tongxin/wechat/sandbox"
)

// office is a running demonstration with the sandbox outside of it, so that the
// test can look into the sandbox and act there as a person in the console.
type office struct {
	t        *testing.T
	run      *running
	box      *sandbox.Sandbox
	accounts []wechat.Credentials
	wechat   *wechat.Client
	links    map[string]string
	who      map[string]*browser
	org      string
	account  []string // ids: publishing, draft only
}

func openOffice(t *testing.T) *office {
	t.Helper()
	p := newPlace(t)
	o := &office{t: t, who: map[string]*browser{}}
	cfg := sandbox.Config{PublishDelay: 20 * time.Millisecond, CallbackPause: 50 * time.Millisecond, VisibleText: true}
	for i, app := range demoApps() {
		a := sandbox.Account{AppID: app.appID, Secret: app.secret, Token: app.token, AESKey: app.aesKey, Name: app.name, Mode: "aes", CallbackURL: p.url + "/wechat/" + app.appID}
		if i == 1 {
			a.Deny = []string{"publish", "mass"}
		}
		cfg.Accounts = append(cfg.Accounts, a)
		o.accounts = append(o.accounts, wechat.Credentials{AppID: app.appID, Secret: app.secret})
	}
	var err error
	if o.box, err = sandbox.New(cfg); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(o.box.Handler())
	t.Cleanup(func() {
		server.CloseClientConnections()
		if err := o.box.Close(); err != nil {
			t.Error(err)
		}
		server.Close()
	})
	if o.wechat, err = wechat.New(wechat.Config{Base: server.URL}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(o.wechat.Close)
	p.env = append(p.env, "TONGXIN_WECHAT_BASE="+server.URL)
	o.run = p.start(t, "demo") // stopped first
	o.links = o.run.links(t)
	o.org = o.as("李建国").call("GET", "/orgs", nil).want(200).text("items", 0, "id")
	list := o.as("李建国").call("GET", "/accounts", nil).want(200)
	for _, app := range demoApps() {
		for i := range list.list("items") {
			if list.text("items", i, "appId") == app.appID {
				o.account = append(o.account, list.text("items", i, "id"))
			}
		}
	}
	if o.org == "" || len(o.account) != 2 {
		t.Fatalf("organisation %q, accounts %v of %s", o.org, o.account, list.body)
	}
	return o
}

// as signs a person in, once.
func (o *office) as(name string) *browser {
	o.t.Helper()
	if o.who[name] == nil {
		o.who[name] = o.run.as(o.t, o.links[name])
	}
	return o.who[name]
}

// threeLevels sets the full chain for the whole organisation.
func (o *office) threeLevels() {
	o.t.Helper()
	path := "/orgs/" + o.org + "/settings"
	set := o.as("李建国").call("GET", path, nil).want(200)
	o.as("李建国").call("PUT", path, map[string]any{"reviewLevels": 3}, "If-Match", `"`+set.text("version")+`"`).want(200, `"reviewLevels":3`)
}

// write makes a post with two pictures and asks for its review.
func (o *office) write(title string) *reply {
	o.t.Helper()
	editor := o.as("王丽")
	one, two := editor.upload(o.org, "检修现场", demoPicture(1)), editor.upload(o.org, "手机课堂", demoPicture(2))
	body := "## " + title + "\n\n志愿者走进楼院。\n\n![检修现场](asset:" + one + ")\n\n老人学会了手机挂号。\n\n![手机课堂](asset:" + two + ")\n"
	post := editor.call("POST", "/posts", map[string]any{"orgId": o.org, "content": map[string]any{"articles": []any{map[string]any{
		"kind": "news", "title": title, "author": "城关先锋", "digest": "走进楼院。", "format": "markdown", "body": body, "cover": map[string]any{"asset": one},
	}}}}, "Idempotency-Key", "write-"+strconv.Itoa(len(title))+"-key").want(201)
	return editor.call("POST", "/posts/"+post.text("id")+"/submit", nil, "If-Match", post.etag).want(200, `"in_review"`)
}

// pass lets a person decide on the level that is due.
func (o *office) pass(name string, post *reply) *reply {
	o.t.Helper()
	return o.as(name).call("POST", "/posts/"+post.text("id")+"/review", map[string]any{"level": post.at("level"), "decision": "pass", "hash": post.text("hash")})
}

// approved writes a post and brings it through all three levels.
func (o *office) approved(title string) *reply {
	o.t.Helper()
	post := o.write(title)
	for _, name := range []string{"张卫东", "赵敏", "陈志强"} {
		post = o.pass(name, post).want(200)
	}
	return post
}

func (o *office) schedule(post *reply, account int, mode string, due time.Time) string {
	o.t.Helper()
	target := map[string]any{"accountId": o.account[account]}
	if mode != "" {
		target["mode"] = mode
	}
	body := map[string]any{"targets": []any{target}}
	if !due.IsZero() {
		body["dueAt"] = due
	}
	detail := o.as("王丽").call("POST", "/posts/"+post.text("id")+"/schedule", body, "If-Match", `"`+post.text("version")+`"`).want(200)
	return detail.text("deliveries", 0, "id")
}

// becomes waits for a delivery's state.
func (o *office) becomes(delivery string, want publish.DeliveryState) *reply {
	o.t.Helper()
	var d *reply
	until(o.t, "delivery "+string(want), func() bool {
		d = o.as("王丽").call("GET", "/deliveries/"+delivery, nil).want(200)
		if state := d.text("state"); state == string(publish.Failed) && want != publish.Failed {
			o.t.Fatalf("failed: %s", d.body)
		}
		return d.text("state") == string(want)
	})
	return d
}

// accepted lists what the platform accepted under a title.
func (o *office) accepted(title string) []sandbox.Accepted {
	return slices.DeleteFunc(o.box.Ledger(""), func(a sandbox.Accepted) bool { return a.Title != title })
}

func TestFromDraftToReaders(t *testing.T) {
	o := openOffice(t)
	o.threeLevels()
	const title = "志愿者走进楼院"
	post := o.write(title)

	o.pass("王丽", post).want(403)  // the author
	o.pass("陈志强", post).want(403) // the wrong level
	post = o.pass("张卫东", post).want(200)
	o.pass("张卫东", post).want(403) // one person, one level
	post = o.pass("赵敏", post).want(200)
	o.as("王丽").call("POST", "/posts/"+post.text("id")+"/schedule", map[string]any{"targets": []any{map[string]any{"accountId": o.account[0]}}},
		"If-Match", `"`+post.text("version")+`"`).want(409, "还没有通过审核")
	post = o.pass("陈志强", post).want(200, `"approved"`)

	due := time.Now().Add(2 * time.Second).Truncate(time.Millisecond)
	delivery := o.schedule(post, 0, "", due)
	d := o.becomes(delivery, publish.Published)
	rows := o.accepted(title)
	if len(rows) != 1 || rows[0].Kind != "publish" || rows[0].At.Before(due) || rows[0].At.After(due.Add(5*time.Second)) {
		t.Errorf("due %v, accepted %+v", due, rows)
	}
	account := o.wechat.Account(o.accounts[0])
	shown, err := account.GetPublished(t.Context(), d.text("articleId"))
	if err != nil || len(shown) != 1 {
		t.Fatalf("%+v %v", shown, err)
	}
	if html := shown[0].Content; strings.Count(html, "mmbiz.qpic.cn") != 2 || strings.Contains(html, "asset:") || strings.Contains(html, o.run.url) {
		t.Errorf("readers see %s", html)
	}
	if d.text("urls", 0) != shown[0].URL || shown[0].Author != "城关先锋" || shown[0].Digest != "走进楼院。" {
		t.Errorf("the delivery names %s, the platform shows %+v", d.text("urls", 0), shown[0])
	}
	if got := o.as("王丽").call("GET", "/posts/"+post.text("id"), nil).want(200); got.text("state") != string(publish.Finished) {
		t.Errorf("the post is %s", got.text("state"))
	}
	o.retracts(delivery, title, d.text("articleId"))
}

// retracts takes a published message back: the right person, the title, a reason.
func (o *office) retracts(delivery, title, article string) {
	t, path := o.t, "/deliveries/"+delivery+"/retract"
	t.Helper()
	o.as("王丽").call("POST", path, map[string]any{"confirm": title, "reason": "有误"}).want(403)
	o.as("李建国").call("POST", path, map[string]any{"confirm": "别的标题", "reason": "有误"}).want(422, "完整输入图文标题")
	o.as("李建国").call("POST", path, map[string]any{"confirm": title, "reason": "数字有误"}).want(200, `"retracted"`)
	o.as("李建国").call("POST", path, map[string]any{"confirm": title, "reason": "再来"}).want(409)
	list, err := o.wechat.Account(o.accounts[0]).ListPublished(t.Context(), 0, 20, true)
	if err != nil || slices.ContainsFunc(list.Messages, func(m wechat.PublishedMessage) bool { return m.ArticleID == article }) {
		t.Errorf("still in the list: %+v (%v)", list, err)
	}
	o.as("周正").call("GET", "/audit?action=delivery.retract", nil).want(200, "数字有误", "李建国")
	o.as("周正").call("GET", "/audit/verify", nil).want(200)
	o.as("周正").call("GET", "/posts", nil).want(403)
	o.as("王丽").call("GET", "/audit", nil).want(403)
}

func TestDraftOnlyAccount(t *testing.T) {
	o := openOffice(t)
	o.threeLevels()
	const title = "由人手工发布"
	post := o.approved(title)
	delivery := o.schedule(post, 1, "", time.Time{})
	d := o.becomes(delivery, publish.ByHand)
	if len(o.accepted(title)) != 0 || !strings.Contains(d.text("note"), "手动发布") {
		t.Errorf("submitted %+v, note %q", o.accepted(title), d.text("note"))
	}
	editor, path := o.as("王丽"), "/deliveries/"+delivery+"/by-hand"
	editor.call("POST", path, map[string]any{}).want(502, "文章链接") // the account may not even list
	editor.call("POST", path, map[string]any{"articleUrl": "https://example.cn/x"}).want(422)

	// Somebody publishes the draft in the platform's console.
	app := demoApps()[1]
	if err := o.box.PutAccount(sandbox.Account{AppID: app.appID, Secret: app.secret, Token: app.token, AESKey: app.aesKey, Mode: "aes"}); err != nil {
		t.Fatal(err)
	}
	account := o.wechat.Account(o.accounts[1])
	editor.call("POST", path, map[string]any{}).want(409, "没有在公众号已发布列表中找到")
	if _, err := account.SubmitPublish(t.Context(), d.text("draftId")); err != nil {
		t.Fatal(err)
	}
	until(t, "the platform publishes", func() bool {
		list, err := account.ListPublished(t.Context(), 0, 1, true)
		return err == nil && list.Total == 1
	})
	done := editor.call("POST", path, map[string]any{}).want(200, `"published"`)
	if done.text("articleId") == "" || !strings.HasPrefix(done.text("urls", 0), "http://mp.weixin.qq.com/") || !strings.Contains(done.text("note"), "王丽") {
		t.Errorf("confirmed as %s", done.body)
	}
	editor.call("POST", path, map[string]any{}).want(409)
	if len(o.accepted(title)) != 1 {
		t.Errorf("accepted %+v: only the person's own submit may be there", o.accepted(title))
	}
}

func TestMassSend(t *testing.T) {
	o := openOffice(t)
	o.threeLevels()
	const title = "群发给关注者"
	delivery := o.schedule(o.approved(title), 0, "mass", time.Time{})
	d := o.becomes(delivery, publish.Published)
	rows := o.accepted(title)
	if len(rows) != 1 || rows[0].Kind != "mass" || rows[0].ClientMsgID == "" || d.text("receipt", "msgId") != rows[0].ID || d.text("urls", 0) == "" {
		t.Errorf("accepted %+v, delivery %s", rows, d.body)
	}
	o.as("李建国").call("POST", "/deliveries/"+delivery+"/retract", map[string]any{"confirm": title, "reason": "发错了"}).want(200, `"retracted"`)
	if status, err := o.wechat.Account(o.accounts[0]).MassStatus(t.Context(), rows[0].ID); err != nil || status != "DELETE" {
		t.Errorf("after the retraction the platform says %q (%v)", status, err)
	}
	// The day's send is used up: a second one waits for the next day and says so.
	second := o.schedule(o.approved("第二次群发给关注者"), 0, "mass", time.Time{})
	until(t, "the second send is put off", func() bool {
		d := o.as("王丽").call("GET", "/deliveries/"+second, nil).want(200)
		return d.text("state") == string(publish.Waiting) && d.text("errKind") == string(publish.KindQuota) && d.text("note") != ""
	})
	if len(o.accepted("第二次群发给关注者")) != 0 {
		t.Error("sent although the account has no send left")
	}
}

// Forged callbacks, and those of unknown accounts, are refused alike and
// without a word about why.
func TestForgedCallbacks(t *testing.T) {
	o := openOffice(t)
	client := &browser{t: t, url: o.run.url}
	var said []string
	for _, path := range []string{"/wechat/" + demoApps()[0].appID, "/wechat/wx0000000000000000"} {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			r := client.send(method, path+"?signature=0&msg_signature=0&timestamp="+strconv.FormatInt(time.Now().Unix(), 10)+"&nonce=1&echostr=hello",
				strings.NewReader("<xml><Encrypt>x</Encrypt></xml>")).want(403)
			if strings.Contains(r.body, "hello") || strings.Contains(r.body, "signature") {
				t.Errorf("%s %s says %s", method, path, r.body)
			}
			said = append(said, r.text("detail"))
		}
	}
	if len(slices.Compact(said)) != 1 {
		t.Errorf("the answers tell accounts apart: %q", said)
	}
	if err := o.box.VerifyCallback(t.Context(), demoApps()[0].appID); err != nil {
		t.Errorf("the true handshake: %v", err)
	}
}
