package publish_test

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"slices"
	"strings"
	"testing"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/publish"
)

// picture is one that only the given organisation has.
func (h *house) picture(org ids.ID, shade uint8) string {
	h.t.Helper()
	var buf bytes.Buffer
	must(h.t, png.Encode(&buf, image.NewPaletted(image.Rect(0, 0, 900, 383), color.Palette{color.Gray{Y: shade}})))
	a, err := h.UploadMedia(h.ctx, h.root, publish.MediaUpload{OrgID: org, Name: "图.png", Alt: "图", Data: buf.Bytes()})
	must(h.t, err)
	return a.Hash
}

// Who knows the hash of a picture but may not see it must not bring it to the
// public through a post of their own.
func TestNobodyShowsAnotherLibrarysPicture(t *testing.T) {
	h := newHouse(t)
	secret := h.picture(3, 77)
	east := h.person(120, "东区编辑", "/1/2/", publish.PostRead, publish.PostWrite, publish.MediaRead, publish.MediaWrite)
	ref := "asset:" + secret
	for name, a := range map[string]publish.Article{
		"html":     {Title: "甲", Body: `<p>甲</p><p><img src="` + ref + `"></p>`},
		"markdown": {Title: "甲", Format: "markdown", Body: "甲\n\n![图](" + ref + ")\n"},
		"capitals": {Title: "甲", Format: "markdown", Body: "甲\n\n![图](ASSET:" + strings.ToUpper(secret) + ")\n"},
		"entity":   {Title: "甲", Format: "markdown", Body: `甲 <img src="&#97;sset:` + secret + `">` + "\n"},
		"escape":   {Title: "甲", Format: "markdown", Body: `![图](asset\:` + secret + ")\n"},
		"cover":    {Title: "甲", Body: "<p>甲</p>", Cover: publish.Cover{Asset: secret}},
		"pictures": {Kind: publish.Pictures, Title: "甲", Images: []string{secret}},
	} {
		c := publish.Content{Articles: []publish.Article{a}}
		_, err := h.Create(h.ctx, east, 2, c)
		e := want(t, err, errs.Invalid)
		if len(e.Fields) != 1 || !strings.HasPrefix(e.Fields[0].Name, "articles[0].") {
			t.Errorf("%s: %+v", name, e)
		}
		p, err := h.Create(h.ctx, east, 2, publish.Content{})
		must(t, err)
		_, err = h.Edit(h.ctx, east, p.ID, p.Version, c, true)
		want(t, err, errs.Invalid)
		if got := h.get(p.ID); got.Version != 1 {
			t.Errorf("%s was stored: %+v", name, got.Post)
		}
	}

	// Somebody with both libraries may, and others may work on with it.
	c := publish.Content{Articles: []publish.Article{{Title: "甲", Body: `<p>甲</p><p><img src="` + ref + `"></p>`, Cover: publish.Cover{Asset: secret}}}}
	p, err := h.Create(h.ctx, h.root, 2, c)
	must(t, err)
	c.Articles[0].Body += "<p>补充</p>"
	if p, err = h.Edit(h.ctx, east, p.ID, p.Version, c, false); err != nil {
		t.Fatal(err)
	}
	empty := publish.Content{Articles: []publish.Article{{Title: "甲", Body: "<p>甲</p>"}}}
	if p, err = h.Edit(h.ctx, east, p.ID, p.Version, empty, false); err != nil {
		t.Fatal(err)
	}
	_, err = h.Edit(h.ctx, east, p.ID, p.Version, c, false)
	want(t, err, errs.Invalid)
	if _, err = h.Restore(h.ctx, east, p.ID, p.Version, 2); err != nil {
		t.Fatal("a version of the post's own history:", err)
	}
	if _, err = h.Copy(h.ctx, east, p.ID); err != nil {
		t.Fatal("a copy of a post:", err)
	}
}

// Bytes may still be there when the library has no such picture any more: such
// a post can be saved and not submitted.
func TestAPictureOutsideTheLibraryStopsASubmission(t *testing.T) {
	h := newHouse(t)
	gone := strings.Repeat("ab", 32)
	for name, a := range map[string]publish.Article{
		"body":     {Title: "甲", Body: `<p>甲</p><p><img src="asset:` + gone + `" alt="图"></p>`, Cover: publish.Cover{Asset: h.cover}},
		"pictures": {Kind: publish.Pictures, Title: "甲", Images: []string{h.cover, gone}},
	} {
		p, err := h.Create(h.ctx, h.editor, 3, publish.Content{Articles: []publish.Article{a}})
		must(t, err)
		_, err = h.Submit(h.ctx, h.editor, p.ID, p.Version)
		if e := want(t, err, errs.Invalid); !strings.Contains(e.Msg, "不在素材库") {
			t.Errorf("%s: %+v", name, e)
		}
	}
}

// A page of a hundred thousand pictures costs no more than reading it.
func TestPasteOfManyPicturesElsewhere(t *testing.T) {
	l := newLibrary(t)
	var b strings.Builder
	for i := range 100_000 {
		fmt.Fprintf(&b, "<img src=http://a/%d>", i)
	}
	began := time.Now()
	p, err := l.CleanPaste(t.Context(), manager("/1/"), 2, b.String())
	l.must(err)
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("it took %v", took)
	}
	if len(p.External) != 1000 || len(p.Dropped) == 0 || !strings.Contains(p.Dropped[0], "100000") {
		t.Errorf("%d named, %v", len(p.External), p.Dropped)
	}
}

// That somebody elsewhere wrote much the same is worth knowing; what they call
// it is theirs as long as it is not published. Readers of both see both.
func TestSimilarPostsKeepTheirTitles(t *testing.T) {
	h := newHouse(t)
	secret := h.draft(2, "东区内部通报")
	west := h.person(120, "西区编辑", "/1/3/", publish.PostRead, publish.PostWrite, publish.MediaRead, publish.MediaWrite)
	c := publish.Content{Articles: slices.Clone(secret.Content.Articles)}
	c.Articles[0].Cover = publish.Cover{}
	p, err := h.Create(h.ctx, west, 3, c)
	must(t, err)
	for who, shown := range map[*authz.Actor]bool{west: false, h.root: true} {
		list, err := h.Lint(h.ctx, who, p.ID)
		must(t, err)
		text := fmt.Sprint(list)
		if strings.Contains(text, "《东区内部通报》") != shown || strings.Contains(text, "另一组织的图文") == shown {
			t.Errorf("%s reads %s", who.Name, text)
		}
	}
}
