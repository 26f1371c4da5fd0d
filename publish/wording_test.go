package publish

import (
	"strings"
	"testing"
)

// What the platform lists is recognised although it rewrote the pictures'
// attributes, and nothing else is taken for it.
func TestArticleWithPicturesIsRecognised(t *testing.T) {
	hash, cover := strings.Repeat("a", 64), strings.Repeat("b", 64)
	c := Content{Articles: []Article{{
		Kind: News, Title: "检修", Format: "markdown", Cover: Cover{Asset: cover},
		Body: "## 第 7 篇\n\n志愿者为第 55 户老人检修水电。\n\n![检修现场](asset:" + hash + ")\n",
	}}}
	refs := map[string]string{contentKey + hash: "http://mmbiz.qpic.cn/x/0", coverKey + cover: "cover-1"}
	sent, err := new(Service).platformArticles(c, refs, false)
	if err != nil {
		t.Fatal(err)
	}
	listed := strings.ReplaceAll(sent[0].HTML, ` src="`, ` data-ratio="0.4" data-src="`)
	if listed = strings.ReplaceAll(listed, ` alt="检修现场"`, ""); listed == sent[0].HTML {
		t.Fatal("the article has no picture")
	}
	found := Found{Titles: []string{" 检修 "}, CoverIDs: []string{"cover-1"}, Texts: []string{listed}}
	if newListed(found).Texts != nil || found.Texts == nil {
		t.Fatal("the reading that is kept holds the texts")
	}
	if !sameArticles(c, refs, false, newListed(found)) {
		t.Fatal("an article with a picture was not recognised")
	}
	for name, change := range map[string]func(*Found){
		"title": func(f *Found) { f.Titles = []string{"检修二"} },
		"cover": func(f *Found) { f.CoverIDs = []string{"cover-2"} },
		"text": func(f *Found) {
			f.Texts = []string{strings.ReplaceAll(listed, "志愿者为第 55 户老人检修水电。", "今天下午三点在社区活动室开会，请大家准时参加，带好学习笔记。")}
		},
		"count": func(f *Found) { f.Titles = append([]string{"检修"}, f.Titles...) },
	} {
		other := found
		change(&other)
		if sameArticles(c, refs, false, newListed(other)) {
			t.Errorf("an article with another %s was taken for this one", name)
		}
	}
}
