package render

import (
	"regexp"
	"strings"
)

// AssetPrefix starts the reference of a picture in the media library:
// "asset:" and the 64 hexadecimal digits of its SHA-256.
const AssetPrefix = "asset:"

const hashLen = 64

// assetHash returns the hash of an asset reference, or "".
func assetHash(ref string) string {
	h, ok := strings.CutPrefix(ref, AssetPrefix)
	if !ok || len(h) != hashLen {
		return ""
	}
	for _, c := range []byte(h) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return ""
		}
	}
	return h
}

// onPlatform reports a picture that already lives on WeChat's image hosts,
// which an article may show.
func onPlatform(url string) bool {
	rest, ok := strings.CutPrefix(url, "https://")
	if !ok {
		rest, ok = strings.CutPrefix(url, "http://")
	}
	host, _, _ := strings.Cut(rest, "/")
	return ok && (host == "mmbiz.qpic.cn" || host == "mmbiz.qlogo.cn")
}

var fileName = regexp.MustCompile(`(?i)^(img|image|dsc|mmexport|wx_camera|微信图片|图片|图像|截图|screenshot|clip_image|未标题)?[-_\s\d()（）]*(\.(jpe?g|png|gif|webp|bmp|heic))?$`)

// describes reports whether an alternative text says something, rather than
// being the name a camera gave.
func describes(alt string) bool { return !fileName.MatchString(alt) }

// picture takes an img out of the text: pictures in articles stand alone.
func (r *reader) picture(a *attrs) {
	alt, title := plainAttr(a.alt), plainAttr(a.title)
	if strings.Contains(a.class, "emoji") && alt != "" && len(alt) <= 32 {
		r.text(alt)
		return
	}
	ref := r.pictureRef(a.src)
	if ref == "" {
		return
	}
	t := r.top()
	if t.code != nil {
		return
	}
	r.flush()
	r.add(&block{kind: figure, pic: picture{ref: ref, alt: alt, title: title}})
}

func plainAttr(v string) string {
	v = strings.Map(func(c rune) rune {
		if c == '\n' || c == '\t' || c == '\u00a0' {
			return ' '
		}
		if invisible(c) || c == '\ufffd' {
			return -1
		}
		return c
	}, v)
	v = strings.Join(strings.Fields(v), " ")
	if c := []rune(v); len(c) > 200 {
		v = strings.TrimSpace(string(c[:200]))
	}
	return v
}

func (r *reader) pictureRef(src string) string {
	src = strings.TrimSpace(src)
	low := strings.ToLower(src)
	switch {
	case src == "":
		return ""
	case strings.HasPrefix(low, AssetPrefix):
		if assetHash(low) == "" {
			r.doc.drop("有图片的编号不完整，已去掉，请重新插入。")
			return ""
		}
		return low
	case strings.HasPrefix(low, "https://"), strings.HasPrefix(low, "http://"), strings.HasPrefix(src, "//"):
		if u := r.link(src); u != "" {
			return u
		}
		return ""
	case strings.HasPrefix(low, "data:"):
		r.doc.drop("有粘贴的图片没有存进素材库，已去掉，请重新上传。")
	case strings.HasPrefix(low, "file:"), strings.HasPrefix(low, "cid:"), strings.HasPrefix(low, "blob:"):
		r.doc.drop("从 Word 粘贴的图片没有一起带过来，请单独上传后插入。")
	default:
		r.doc.drop("有图片的地址不是完整的网址，已去掉，请重新上传。")
	}
	return ""
}
