package publish

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"tongxin/internal/authz"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
	"tongxin/internal/page"
	"tongxin/internal/trail"
	"tongxin/publish/picture"
)

// MaxUpload bounds one uploaded picture, in bytes.
const MaxUpload = 20 << 20

// Sizes in which a picture is served: 0 is the original, the others the longest
// side in pixels.
const (
	SizeOriginal = 0
	SizeSmall    = 200
	SizeMedium   = 800
)

// MediaUpload is one picture for the library of an organisation.
type MediaUpload struct {
	OrgID ids.ID
	Name  string
	Alt   string
	Data  []byte
}

// AssetView is an asset with the number of posts that hold it.
type AssetView struct {
	Asset
	Used int `json:"used" doc:"posts of the picture's organisation and those below whose present or approved content holds it, and questions of which a revision does"`
}

// UploadMedia adds a picture to the library. The same bytes in the same
// organisation are one asset: the one that was there is returned. Errors:
// Unsupported for what is no picture, TooLarge, Invalid for a damaged one.
func (s *Service) UploadMedia(ctx context.Context, actor *authz.Actor, up MediaUpload) (*AssetView, error) {
	org, err := s.orgFor(ctx, actor, up.OrgID, MediaWrite)
	if err != nil {
		return nil, err
	}
	a, err := s.addAsset(ctx, actor, org, up)
	if err != nil {
		return nil, err
	}
	return s.viewAsset(ctx, a)
}

func (s *Service) addAsset(ctx context.Context, actor *authz.Actor, org Org, up MediaUpload) (*Asset, error) {
	if len(up.Data) > MaxUpload {
		return nil, errs.New(errs.TooLarge, "图片超过 %d MB，请压缩后再上传。", MaxUpload>>20)
	}
	info, err := picture.Inspect(up.Data[:min(len(up.Data), picture.HeaderBytes)], int64(len(up.Data)))
	if err != nil {
		return nil, err
	}
	if info.Orientation >= 5 { // stored lying on its side
		info.W, info.H = info.H, info.W
	}
	name, alt := assetName(up.Name), strings.TrimSpace(up.Alt)
	if err := checkAssetText(name, alt); err != nil {
		return nil, err
	}
	// The small variant is made before the asset exists: it proves that the
	// whole picture can be read, and every list will ask for it.
	small, mime, err := s.shrink(ctx, up.Data, SizeSmall)
	if err != nil {
		return nil, err
	}
	hash, size, err := s.Blobs.Put(ctx, bytes.NewReader(up.Data), MaxUpload)
	if err != nil {
		return nil, err
	}
	if _, err := s.saveVariant(ctx, hash, SizeSmall, small, mime); err != nil {
		return nil, err
	}
	a := &Asset{
		ID: s.IDs.New(), OrgID: org.ID, OrgPath: org.Path, Hash: hash, Name: name, Alt: alt, Mime: info.Mime(),
		Width: info.W, Height: info.H, Size: size, CreatedBy: actor.Name, CreatedAt: s.Clock.Now(),
	}
	return s.Store.SaveAsset(ctx, a, assetEntry(actor, a, "media.upload"))
}

// assetName is the last part of a file name, bounded; a name is for people only.
func assetName(name string) string {
	name = strings.ToValidUTF8(path.Base(strings.ReplaceAll(strings.TrimSpace(name), `\`, "/")), "")
	if name == "" || name == "." || name == "/" {
		return "图片"
	}
	if r := []rune(name); len(r) > 100 {
		return string(r[len(r)-100:])
	}
	return name
}

func checkAssetText(name, alt string) error {
	var f errs.Fields
	if n := utf8.RuneCountInString(name); n == 0 || n > 100 {
		f.Add("name", "请填写图片名称，最多 100 个字。")
	}
	if utf8.RuneCountInString(alt) > 200 {
		f.Add("alt", "图片说明最多 200 个字。")
	}
	return f.Err()
}

func assetEntry(actor *authz.Actor, a *Asset, action string) trail.Entry {
	return trail.Entry{
		Actor: actor, Action: action, Object: "asset", ID: a.ID, OrgID: a.OrgID, OrgPath: a.OrgPath,
		Detail: map[string]string{"name": a.Name, "hash": a.Hash},
	}
}

func (s *Service) viewAsset(ctx context.Context, a *Asset) (*AssetView, error) {
	used, err := s.Store.AssetUses(ctx, treeOf(a), a.Hash)
	return &AssetView{Asset: *a, Used: used}, err
}

// Media lists the library, newest first. org narrows it to one organisation.
func (s *Service) Media(ctx context.Context, actor *authz.Actor, org ids.ID, query string, r page.Request) (*page.Result[AssetView], error) {
	rows, err := s.Store.ListAssets(ctx, actor.Scope(MediaRead), org, strings.TrimSpace(query), r)
	if err != nil {
		return nil, err
	}
	cut := page.Of(rows, r.Limit, func(a Asset) ids.ID { return a.ID })
	out := &page.Result[AssetView]{Items: make([]AssetView, len(cut.Items)), Next: cut.Next}
	for i := range cut.Items {
		v, err := s.viewAsset(ctx, &cut.Items[i])
		if err != nil {
			return nil, err
		}
		out.Items[i] = *v
	}
	return out, nil
}

// assetFor finds an asset where the actor holds the right. Somebody who may
// only look learns that; anybody else learns nothing.
func (s *Service) assetFor(ctx context.Context, actor *authz.Actor, hash string, right authz.Right) (*Asset, error) {
	a, err := s.Store.Asset(ctx, actor.Scope(right), hash)
	if !errs.Is(err, errs.NotFound) || right == MediaRead {
		return a, err
	}
	if _, readErr := s.Store.Asset(ctx, actor.Scope(MediaRead), hash); readErr == nil {
		return nil, notYours()
	}
	return nil, err
}

// treeOf is the asset's organisation and those below.
func treeOf(a *Asset) authz.Scope { return authz.Scope{Paths: []string{a.OrgPath}} }

// ownAsset finds the asset of one organisation, to change it; without an
// organisation the oldest that the actor manages.
func (s *Service) ownAsset(ctx context.Context, actor *authz.Actor, org ids.ID, hash string) (*Asset, error) {
	if org == 0 {
		return s.assetFor(ctx, actor, hash, MediaWrite)
	}
	copies, err := s.Store.AssetCopies(ctx, hash)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(copies, func(a Asset) bool { return a.OrgID == org && actor.Can(MediaRead, a.OrgPath) })
	if i < 0 {
		return nil, errs.Missing("图片")
	}
	if !actor.Can(MediaWrite, copies[i].OrgPath) {
		return nil, notYours()
	}
	return &copies[i], nil
}

func notYours() error {
	return errs.New(errs.Forbidden, "您可以使用这张图片，但没有权限修改它，请联系管理员。")
}

// UpdateMedia changes the name and the alternative text in the library of org;
// 0: see ownAsset.
func (s *Service) UpdateMedia(ctx context.Context, actor *authz.Actor, org ids.ID, hash, name, alt string) (*AssetView, error) {
	a, err := s.ownAsset(ctx, actor, org, hash)
	if err != nil {
		return nil, err
	}
	a.Name, a.Alt = strings.TrimSpace(name), strings.TrimSpace(alt)
	if err := checkAssetText(a.Name, a.Alt); err != nil {
		return nil, err
	}
	if err := s.Store.UpdateAsset(ctx, a, assetEntry(actor, a, "media.update")); err != nil {
		return nil, err
	}
	return s.viewAsset(ctx, a)
}

// DeleteMedia removes a picture from the library of org (0: see ownAsset) that
// no post there or below holds; the last copy of all only when no post anywhere
// does. Its bytes stay until a sweep: history may still show them.
func (s *Service) DeleteMedia(ctx context.Context, actor *authz.Actor, org ids.ID, hash string) error {
	a, err := s.ownAsset(ctx, actor, org, hash)
	if err != nil {
		return err
	}
	copies, err := s.Store.AssetCopies(ctx, hash)
	if err != nil {
		return err
	}
	where := treeOf(a)
	if len(copies) < 2 {
		where = authz.Scope{All: true}
	}
	used, err := s.Store.AssetUses(ctx, where, hash)
	if err != nil {
		return err
	}
	if used > 0 {
		return errs.New(errs.Conflict, "有 %d 篇图文或题目正在使用这张图片，不能删除。请先在其中换掉它；题目的历史版本会一直保留图片。", used)
	}
	return s.Store.DeleteAsset(ctx, a.ID, assetEntry(actor, a, "media.delete"))
}

// MediaFile is an open picture; the caller closes Body.
type MediaFile struct {
	Body io.ReadCloser
	Mime string
	Size int64
	ETag string
}

// OpenMedia opens a picture in one of the sizes. Variants are made once, on
// first use, and kept beside the original.
func (s *Service) OpenMedia(ctx context.Context, actor *authz.Actor, hash string, size int) (*MediaFile, error) {
	if size != SizeOriginal && size != SizeSmall && size != SizeMedium {
		return nil, errs.Bad("size", "图片尺寸只能是 0、200 或 800。")
	}
	a, err := s.assetFor(ctx, actor, hash, MediaRead)
	if err != nil {
		return nil, err
	}
	return s.openAsset(ctx, a, size)
}

func (s *Service) openAsset(ctx context.Context, a *Asset, size int) (f *MediaFile, err error) {
	f = &MediaFile{Mime: a.Mime, ETag: fmt.Sprintf(`"%s-%d"`, a.Hash, size)}
	if size != SizeOriginal && max(a.Width, a.Height) > size {
		f.Body, f.Size, f.Mime, err = s.openVariant(ctx, a.Hash, size)
		return f, err
	}
	f.Body, f.Size, err = s.Blobs.Open(ctx, a.Hash)
	return f, err
}
