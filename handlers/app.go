// Package handlers is the staff surface: the route table with the right on each
// line, thin handlers, sign-in cookies and the built front ends. It calls
// domains and knows neither a database nor a platform.
package handlers

import (
	"embed"
	"io/fs"
	"net/http"
	"time"

	"tongxin/audit"
	"tongxin/internal/clock"
	"tongxin/internal/httpkit"
	"tongxin/internal/limit"
	"tongxin/internal/signed"
	"tongxin/live"
	"tongxin/live/sfu"
	"tongxin/member"
	"tongxin/member/signin"
	"tongxin/moderate"
	"tongxin/notify"
	"tongxin/publish"
	"tongxin/publish/feed"
	"tongxin/quiz"
	"tongxin/quiz/contest"
	"tongxin/quiz/results"
	"tongxin/staff"
)

// dist is where the front ends are built to. It may be empty.
//
//go:embed all:dist
var dist embed.FS

// Deps are the services behind the routes. All are required but Sandbox.
type Deps struct {
	Clock   clock.Clock
	Staff   *staff.Service
	Members *member.Service
	SignIn  *signin.Service // of members
	Audit   *audit.Service
	Publish *publish.Service
	Feed    *feed.Service
	// Moderate is the content check of what members write.
	Moderate *moderate.Service
	Bank     *quiz.Bank
	Exams    *quiz.Exams
	Results  *results.Service
	// Notify brings notices to members.
	Notify *notify.Service
	// Pictures signs links to pictures of the library.
	Pictures *signed.Signer
	Contests *contest.Service
	// Live is the media server of this node, LiveAdmit who may come into its
	// rooms. Both are nil where there is none.
	Live      *sfu.Node
	LiveAdmit LiveAdmit
	Rooms     *live.Service
	// Callback takes the callbacks of WeChat accounts.
	Callback Callback
	// Sandbox is the simulator and its page; nil: not part of this program.
	Sandbox http.Handler
	// PublicURL is put before paths that leave the program.
	PublicURL string
	Checks    []httpkit.Check // readiness
	Version   string          // of the program, shown in the OpenAPI document
}

// Mount puts the staff surface on a kit and returns it, for tests that want
// its OpenAPI document.
func Mount(k *httpkit.Kit, d Deps) (*httpkit.Surface, error) {
	h := &sessions{svc: d.Staff, https: k.HTTPS()}
	api := k.Surface(httpkit.SurfaceConfig{Prefix: "/api/staff/v1", Title: "同心 · 工作人员接口", Version: d.Version, Auth: h.authenticate, Known: h.known})
	root := k.Surface(httpkit.SurfaceConfig{Auth: h.authenticate})
	k.Health(root, d.Checks...)
	// Guessing is stopped by the lockout; this keeps one address from keeping
	// the password hashing busy.
	door := limit.New(d.Clock, limit.Per(30, time.Minute), 10_000)
	routes(api, root, d, h, httpkit.Limit(door))
	return api, sites(root)
}

// sites serves the built front ends.
func sites(root *httpkit.Surface) error {
	for _, s := range []struct{ prefix, dir, summary string }{
		{"/console", "dist/console", "工作台"},
		{"/m", "dist/member", "党员端"},
	} {
		files, err := fs.Sub(dist, s.dir)
		if err != nil {
			return err
		}
		if err := root.Static(s.prefix, s.summary, httpkit.Site{Files: files, Unbuilt: []byte(unbuilt)}); err != nil {
			return err
		}
	}
	return nil
}

// unbuilt needs no script and no style of its own: the policy allows neither inline.
const unbuilt = `<!doctype html>
<html lang="zh-CN">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>页面尚未构建 · 同心</title></head>
<body>
<h1>页面尚未构建</h1>
<p>程序已经运行，但网页部分还没有构建。请在代码目录中执行：</p>
<pre>make build</pre>
<p>构建需要 Node.js。完成后重新启动程序，再刷新本页。接口不受影响，说明见 <a href="/api/staff/v1/openapi.json">/api/staff/v1/openapi.json</a>。</p>
</body>
</html>
`
