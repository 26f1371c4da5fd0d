package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestDemo(t *testing.T) {
	p := newPlace(t)
	p.env = p.without("SECRET_KEY", "PUBLIC_URL") // it must need nothing
	first := p.start(t, "demo")
	links := first.links(t)
	for _, want := range []string{p.url + "/console/#/enter?token=", p.url + "/sandbox/", "宣传编辑", "支部书记"} {
		if !strings.Contains(first.out.String(), want) {
			t.Errorf("the welcome lacks %q:\n%s", want, first.out)
		}
	}
	editor := first.as(t, links["王丽"])
	titles := postTitles(editor)
	if len(titles) != len(demoPosts()) {
		t.Errorf("posts %v, want the %d of the demonstration", titles, len(demoPosts()))
	}
	editor.call("GET", "/members", nil).want(403)
	secretary := first.as(t, links["刘芳"])
	if own := secretary.call("GET", "/members?limit=200", nil).want(200).list("items"); len(own) != len(demoNames()[0]) {
		t.Errorf("the secretary sees %d members, want those of one branch", len(own))
	}
	if a := secretary.call("GET", "/members/alarms", nil).want(200); a.text("items", 0, "code") != "probation_overdue" || len(a.list("items")) != 1 {
		t.Errorf("alarms of the demonstration: %s", a.body)
	}
	played := editor.call("GET", "/contests?state=finished", nil).want(200).text("items", 0, "id")
	if out := editor.call("GET", "/contests/"+played+"/results", nil).want(200); len(out.list("places")) < 20 || len(out.list("teams")) != 3 {
		t.Errorf("results of the demonstration's contest: %.300s", out.body)
	}
	if lobby := editor.call("GET", "/contests?state=lobby", nil).want(200); lobby.text("items", 0, "code") == "" {
		t.Errorf("no contest to join: %s", lobby.body)
	}
	demoResults(t, p.url, secretary)
	stranger := &browser{t: t, url: p.url}
	stranger.call("POST", "/session/link", map[string]string{"token": links["王丽"]}).want(401, "已用过")
	for _, person := range demoPeople() {
		for _, guess := range []string{"", person.login, "password", "123456", "admin", "tongxin", person.name} {
			in := stranger.call("POST", "/session", map[string]string{"login": person.login, "password": guess})
			if in.status == 200 {
				t.Fatalf("%s can sign in with %q", person.login, guess)
			}
		}
	}
	wantPage(t, p.url+"/sandbox/", 200, "<html")
	overview := wantPage(t, p.url+"/sandbox/api/overview", 200, demoApps()[0].appID)
	if strings.Contains(overview, demoApps()[0].secret) {
		t.Error("the sandbox shows a key")
	}
	first.stop(t)
	if st, err := os.Stat(filepath.Join(p.dir, "secret.key")); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("the demonstration's secret: %v, %v", st, err)
	}

	second := p.start(t, "demo")
	fresh := second.links(t)
	for name, token := range fresh {
		if links[name] == token {
			t.Errorf("the second start prints %s's first link again", name)
		}
	}
	if again := postTitles(second.as(t, fresh["王丽"])); len(again) != len(titles) {
		t.Errorf("after the second start there are the posts %v, before it %v", again, titles)
	}
	(&browser{t: t, url: p.url}).call("POST", "/session/link", map[string]string{"token": fresh["王丽"]}).want(401)
	second.as(t, links["周正"]).call("GET", "/audit", nil).want(200) // an unused link of the first start still counts, once
	second.stop(t)
	tongxin(t, p.env, "check", "-platforms=false").want(t, 1, "ok   database", "ok   audit", "ok   pictures").lacks(t, "BAD  audit", secretOf(t, p))
}

func postTitles(b *browser) []string {
	b.t.Helper()
	var out []string
	for i := range b.call("GET", "/posts?limit=50", nil).want(200).list("items") {
		out = append(out, b.call("GET", "/posts?limit=50", nil).text("items", i, "title"))
	}
	return out
}

func secretOf(t *testing.T, p *place) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(p.dir, "secret.key"))
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(raw))
}

// demoResults: the exam that is over has places, an analysis and
// certificates that anybody can verify.
func demoResults(t *testing.T, url string, secretary *browser) {
	t.Helper()
	paper := ""
	list := secretary.call("GET", "/results/papers", nil).want(200)
	for i := range list.list("items") {
		if list.text("items", i, "title") == "三会一课知识测试" {
			paper = list.text("items", i, "id")
		}
	}
	if out := secretary.call("GET", "/papers/"+paper+"/results", nil).want(200); len(out.list("items")) < 5 || out.text("items", 0, "name") == "" {
		t.Errorf("results of the demonstration: %.300s", out.body)
	}
	if out := secretary.call("GET", "/papers/"+paper+"/analysis", nil).want(200); len(out.list("items")) < 8 {
		t.Errorf("analysis of the demonstration: %.300s", out.body)
	}
	certificates := secretary.call("GET", "/papers/"+paper+"/certificates", nil).want(200)
	wantPage(t, url+"/c/"+certificates.text("items", 0, "code"), 200, "证书有效")
}
