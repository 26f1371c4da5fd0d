package handlers

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"html/template"
	"net/http"
	"net/url"
	"time"

	"github.com/gofiber/fiber/v2"

	"tongxin/internal/clock"
	"tongxin/internal/errs"
	"tongxin/internal/httpkit"
	"tongxin/internal/limit"
	"tongxin/quiz/results"
)

// verifyStyle is the only style of the page; the policy names its hash, so
// nothing else can be slipped in.
const verifyStyle = `body{margin:0;background:#f6f3ef;color:#2b2b2b;font:17px/1.7 -apple-system,"PingFang SC","Microsoft YaHei","Noto Sans CJK SC",sans-serif}
main{max-width:34rem;margin:2rem auto;padding:1.5rem;background:#fff;border:2px solid #9e1b1b;outline:1px solid #9e1b1b;outline-offset:-8px}
h1{margin:.4rem 0 1rem;font-size:1.35rem;text-align:center}
.ok{color:#1d6b3c}.bad{color:#9e1b1b}
dl{display:grid;grid-template-columns:6em 1fr;gap:.3rem .8rem;margin:1rem 0}dt{color:#6b6b6b}dd{margin:0;overflow-wrap:anywhere}
p{margin:.6rem 0}small{color:#6b6b6b}
form{display:flex;flex-wrap:wrap;gap:.6rem}input{flex:1 1 14rem;min-width:0;font:inherit;padding:.5rem}button{font:inherit;padding:.5rem 1.2rem;color:#fff;background:#9e1b1b;border:0}`

//nolint:gochecknoglobals // a template is parsed once and never changed
var verifyPage = template.Must(template.New("verify").Parse(`<!doctype html>
<html lang="zh-CN">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex"><title>证书核验 · 同心</title><style>{{.Style}}</style></head>
<body><main>
{{- with .Found}}
{{- if .Valid}}<h1 class="ok">证书有效</h1>{{else}}<h1 class="bad">证书已撤销</h1>{{end}}
<dl><dt>证书</dt><dd>{{.Title}}</dd><dt>编号</dt><dd>{{.Number}}</dd><dt>姓名</dt><dd>{{.Name}}</dd><dt>考试</dt><dd>{{.PaperTitle}}</dd><dt>颁发组织</dt><dd>{{.Issuer}}</dd><dt>日期</dt><dd>{{$.Earned}}</dd>{{if not .Valid}}<dt>撤销日期</dt><dd>{{$.Revoked}}</dd>{{end}}<dt>核验码</dt><dd>{{.Code}}</dd></dl>
<p><small>请核对姓名（隐去部分文字）、编号和日期是否与证书一致。请以本页网址的域名为准，谨防仿冒。</small></p>
{{- else}}
<h1{{if .Typed}} class="bad"{{end}}>{{if .Typed}}没有找到这张证书{{else}}证书核验{{end}}</h1>
<p>{{if .Typed}}请核对证书上的 16 位核验码后重新输入；仍然查不到的，请向颁发组织核实。{{else}}请输入证书上的 16 位核验码，或直接扫描证书上的二维码。{{end}}</p>
<form action="/c" method="get"><input name="code" aria-label="核验码" placeholder="例如 ABCD-EFGH-JKMN-PQRT" maxlength="40" autocomplete="off" required><button>核验</button></form>
{{- end}}
</main></body></html>
`))

// verifyRoutes is the public page on which anybody who holds a certificate
// proves it. Codes cannot be guessed; the limit keeps those from trying who
// do not know that.
func verifyRoutes(root *httpkit.Surface, d Deps) {
	h := &verifier{svc: d.Results}
	sum := sha256.Sum256([]byte(verifyStyle))
	csp := httpkit.CSP("default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'")
	tries := httpkit.Limit(limit.New(d.Clock, limit.Per(30, time.Minute), 10_000))
	root.Get("/c", httpkit.Public, "证书核验", httpkit.Raw(h.ask, csp, tries))
	root.Get("/c/{code}", httpkit.Public, "证书核验", httpkit.Raw(h.show, csp, tries))
}

type verifier struct{ svc *results.Service }

type verifyView struct {
	Style           template.CSS
	Typed           bool
	Found           *results.Verified
	Earned, Revoked string
}

func (h *verifier) ask(c *fiber.Ctx) error {
	if code := c.Query("code"); code != "" {
		return c.Redirect("/c/"+url.PathEscape(code), http.StatusSeeOther)
	}
	return sendVerify(c, http.StatusOK, verifyView{})
}

func (h *verifier) show(c *fiber.Ctx) error {
	code, err := url.PathUnescape(c.Params("code"))
	if err != nil {
		code = ""
	}
	found, err := h.svc.Verify(c.UserContext(), code)
	if errs.Is(err, errs.NotFound) {
		return sendVerify(c, http.StatusNotFound, verifyView{Typed: true})
	}
	if err != nil {
		return err
	}
	return sendVerify(c, http.StatusOK, verifyView{Found: found, Earned: chineseDay(found.EarnedAt), Revoked: chineseDay(found.RevokedAt)})
}

func chineseDay(t time.Time) string { return t.In(clock.Shanghai()).Format("2006年1月2日") }

func sendVerify(c *fiber.Ctx, status int, v verifyView) error {
	v.Style = verifyStyle
	var b bytes.Buffer
	if err := verifyPage.Execute(&b, v); err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, "text/html; charset=utf-8")
	return c.Status(status).Send(b.Bytes())
}
