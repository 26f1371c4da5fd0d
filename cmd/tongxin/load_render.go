package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"tongxin/publish/lint"
	"tongxin/publish/render"
)

// loadRender renders and lints an article of about 5,000 characters with
// tables, pictures, links and code, one at a time.
func loadRender(_ context.Context, c *cli, args []string) error {
	f := c.flags("load render")
	rounds := f.Int("n", 300, "how often")
	if err := f.Parse(args); err != nil {
		return err
	}
	rules, err := lint.DefaultRules()
	if err != nil {
		return err
	}
	seed, err := lint.SeedWords()
	if err != nil {
		return err
	}
	words := lint.NewWords(seed)
	text := longArticle()
	var times []time.Duration
	var res render.Result
	findings := 0
	for range *rounds {
		began := time.Now()
		res, err = render.Render(render.Source{Format: render.Markdown, Text: text}, render.Options{
			Theme:   "red",
			Picture: func(ref string) (string, string, bool) { return "https://mmbiz.qpic.cn/" + ref[6:], "照片", true },
		})
		if err != nil {
			return err
		}
		findings = len(lint.Check(lint.Post{Words: words, Articles: []lint.Article{{
			Title: "长文", Author: "同心", Digest: "摘要",
			Rendered: res, Cover: lint.Cover{Present: true},
		}}}, rules))
		times = append(times, time.Since(began))
	}
	return printFigures(c, map[string]any{
		"bench": "render", "rounds": *rounds, "chars": res.Chars, "html_bytes": res.Bytes,
		"pictures": len(res.Pictures), "findings": findings, "ms": percentiles(times),
	})
}

// longArticle is 5,000 characters of Chinese with everything an article has.
func longArticle() string {
	sentence := "幸福社区第一党支部坚持把学习同解决群众急难愁盼问题结合起来，党员主动认领服务岗位，上门为行动不便的老人检修水电、讲解手机使用，得到居民的好评。"
	var b strings.Builder
	for s := range 10 {
		fmt.Fprintf(&b, "## 第%d部分\n\n", s+1)
		for range 6 {
			b.WriteString(sentence + "**要把实事办好**，详见[通知](https://www.example.com/notice/" + fmt.Sprint(s) + ")。\n\n")
		}
		fmt.Fprintf(&b, "![活动照片%d](asset:%064x)\n\n", s, s+1)
		if s%3 == 0 {
			b.WriteString("| 项目 | 人数 | 情况 |\n|---|---|---|\n| 水电检修 | 6 | 已完成 |\n| 手机课堂 | 8 | 已完成 |\n| 意见收集 | 4 | 办理中 |\n\n> 群众的事没有小事。\n\n- 一是走访\n- 二是登记\n- 三是回访\n\n")
		}
	}
	return b.String()
}
