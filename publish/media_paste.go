package publish

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/html"

	"tongxin/internal/authz"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/publish/render"
)

// Bounds of one paste.
const (
	MaxPaste     = 24 << 20 // bytes of HTML with its pictures inside
	maxPastePics = 40
	maxElsewhere = 1000 // pictures elsewhere that are named
)

// Pasted is what a paste became.
type Pasted struct {
	HTML     string   `json:"html"`
	Assets   []Asset  `json:"assets" doc:"pictures that came with the text and are in the library now"`
	External []string `json:"external" doc:"addresses of pictures elsewhere; they must be saved and uploaded"`
	Dropped  []string `json:"dropped" doc:"what was left out, in sentences"`
}

// CleanPaste brings pasted HTML of Word, WPS or a web page to the editor's form.
// Pictures inside it (data:) become assets of the organisation. Pictures
// elsewhere are reported and not fetched: the server calls no address that a
// page names.
func (s *Service) CleanPaste(ctx context.Context, actor *authz.Actor, orgID ids.ID, body string) (*Pasted, error) {
	org, err := s.orgFor(ctx, actor, orgID, MediaWrite)
	if err != nil {
		return nil, err
	}
	if len(body) > MaxPaste {
		return nil, errs.New(errs.TooLarge, "粘贴的内容太大（超过 %d MB），请分几次粘贴，或先压缩图片。", MaxPaste>>20)
	}
	root, err := html.Parse(strings.NewReader(body))
	if err != nil {
		return nil, errs.Wrap(err, errs.Invalid, "粘贴的内容无法识别，请改为粘贴纯文本。")
	}
	p := paste{s: s, ctx: ctx, actor: actor, org: org, away: map[string]bool{}, out: Pasted{Assets: []Asset{}, External: []string{}, Dropped: []string{}}}
	for n := range root.Descendants() {
		if n.Type == html.ElementNode && n.Data == "img" {
			if err := p.picture(n); err != nil {
				return nil, err
			}
		}
	}
	var b strings.Builder
	if err := html.Render(&b, root); err != nil {
		return nil, errs.Wrap(err, errs.Invalid, "粘贴的内容无法识别，请改为粘贴纯文本。")
	}
	clean, dropped := render.CleanReport(b.String())
	p.out.HTML = clean
	p.report(dropped)
	return &p.out, nil
}

type paste struct {
	s     *Service
	ctx   context.Context
	actor *authz.Actor
	org   Org
	out   Pasted
	away  map[string]bool // addresses of pictures elsewhere
	local int             // pictures that stayed on the person's computer
	bad   int
	many  int
}

// picture turns a picture inside the text into a reference to an asset. A
// picture that cannot be used goes; a failure of ours ends the paste.
func (p *paste) picture(n *html.Node) error {
	i := slices.IndexFunc(n.Attr, func(a html.Attribute) bool { return a.Key == "src" })
	if i < 0 {
		return nil
	}
	src := strings.TrimSpace(n.Attr[i].Val)
	scheme, _, _ := strings.Cut(strings.ToLower(src[:min(len(src), 12)]), ":")
	switch scheme {
	case "data":
		ref, err := p.inline(src, n)
		n.Attr[i].Val = ref
		return err
	case "http", "https":
		u, err := url.Parse(src)
		if err != nil || p.away[u.String()] {
			return nil
		}
		p.away[u.String()] = true
		if len(p.away) <= maxElsewhere {
			p.out.External = append(p.out.External, u.String())
		}
	case "file", "blob", "cid":
		p.local++
		n.Attr[i].Val = ""
	}
	return nil
}

func (p *paste) inline(src string, n *html.Node) (string, error) {
	if len(p.out.Assets) >= maxPastePics {
		p.many++
		return "", nil
	}
	data, ok := dataURL(src)
	if !ok {
		p.bad++
		return "", nil
	}
	up := MediaUpload{OrgID: p.org.ID, Name: fmt.Sprintf("粘贴的图片%d", len(p.out.Assets)+1), Data: data}
	for _, a := range n.Attr {
		if a.Key == "alt" {
			up.Alt = cutRunes(a.Val, 200)
		}
	}
	a, err := p.s.addAsset(p.ctx, p.actor, p.org, up)
	switch errs.CodeOf(err) {
	case "":
	case errs.Invalid, errs.TooLarge, errs.Unsupported:
		p.bad++
		return "", nil
	default:
		return "", err
	}
	p.out.Assets = append(p.out.Assets, *a)
	return "asset:" + a.Hash, nil
}

// dataURL decodes "data:image/…;base64,…".
func dataURL(src string) ([]byte, bool) {
	head, body, ok := strings.Cut(src, ",")
	head = strings.ToLower(head)
	if !ok || !strings.HasPrefix(head, "data:image/") || !strings.HasSuffix(head, ";base64") {
		return nil, false
	}
	body = strings.Map(func(r rune) rune {
		if r == ' ' || r == '\n' || r == '\r' || r == '\t' {
			return -1
		}
		return r
	}, body)
	data, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(body, "="))
	return data, err == nil && len(data) > 0
}

func cutRunes(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n])
	}
	return s
}

func (p *paste) report(dropped []string) {
	say := func(n int, format string) {
		if n > 0 {
			p.out.Dropped = append(p.out.Dropped, fmt.Sprintf(format, n))
		}
	}
	say(len(p.away), "有 %d 张图片存放在其他网站，发布后会丢失，请保存到本机后上传。")
	say(p.local, "有 %d 张图片没有随文字一起粘贴过来，请单独上传。")
	say(p.bad, "有 %d 张图片格式不支持或已损坏，没有保留。")
	say(p.many, "一次最多带入 40 张图片，另有 %d 张没有保留，请单独上传。")
	p.out.Dropped = append(p.out.Dropped, dropped...)
}
