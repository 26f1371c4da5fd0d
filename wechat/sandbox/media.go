package sandbox

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

// Limits. Source: uploadimg and add_material; the library holds 100,000
// pictures and 1,000 of every other kind.
const (
	maxUploadImg = 1 << 20 // less than
	maxImage     = 10 << 20
	maxThumb     = 64 << 10
	maxImages    = 100_000
	maxOthers    = 1_000
)

type material struct {
	MediaID string
	Kind    string // "image", "thumb"
	Hash    string
	URL     string
}

// imageStore keeps pictures by content, over all accounts. owners says who may
// use one.
type imageStore struct {
	dir    string // "" means memory only
	mu     sync.RWMutex
	m      map[string][]byte
	owners map[string]bool // "appid/hash"
}

func newImageStore(stateFile string) *imageStore {
	st := &imageStore{m: map[string][]byte{}, owners: map[string]bool{}}
	if stateFile != "" {
		st.dir = stateFile + ".img"
	}
	return st
}

// put stores a picture and returns its hash.
func (st *imageStore) put(appid string, data []byte) (string, error) {
	sum := sha256.Sum256(data)
	hash := hex.EncodeToString(sum[:16])
	st.mu.Lock()
	_, known := st.m[hash]
	if !known {
		st.m[hash] = bytes.Clone(data)
	}
	st.owners[appid+"/"+hash] = true
	st.mu.Unlock()
	if known || st.dir == "" {
		return hash, nil
	}
	if err := os.MkdirAll(st.dir, 0o700); err != nil {
		return "", err
	}
	return hash, os.WriteFile(filepath.Join(st.dir, hash), data, 0o600)
}

// get finds a picture, on disk after a restart.
func (st *imageStore) get(hash string) ([]byte, bool) {
	st.mu.RLock()
	data, ok := st.m[hash]
	st.mu.RUnlock()
	if ok || st.dir == "" || !isHash(hash) {
		return data, ok
	}
	data, err := os.ReadFile(filepath.Join(st.dir, hash))
	if err != nil {
		return nil, false
	}
	st.mu.Lock()
	st.m[hash] = data
	st.mu.Unlock()
	return data, true
}

// owned reports whether the account uploaded the picture.
func (st *imageStore) owned(appid, hash string) bool {
	st.mu.RLock()
	defer st.mu.RUnlock()
	return st.owners[appid+"/"+hash]
}

// list and restore carry the owners through the snapshot.
func (st *imageStore) list() []string {
	st.mu.RLock()
	defer st.mu.RUnlock()
	keys := make([]string, 0, len(st.owners))
	for k := range st.owners {
		keys = append(keys, k)
	}
	return keys
}

func (st *imageStore) restore(keys []string) {
	for _, k := range keys {
		st.owners[k] = true
	}
}

// imageHash takes the hash out of an address that this sandbox made:
// http://mmbiz.qpic.cn/<kind>/<hash>/0?…
func imageHash(url string) (string, bool) {
	rest := strings.TrimPrefix(strings.TrimPrefix(url, "http://"), "https://")
	parts := strings.Split(rest, "/")
	if len(parts) < 4 || parts[0] != "mmbiz.qpic.cn" || !isHash(parts[2]) {
		return "", false
	}
	return parts[2], true
}

func isHash(s string) bool {
	return len(s) == 32 && strings.Trim(s, "0123456789abcdef") == ""
}

// media reads the multipart field "media".
func (c *callCtx) media() ([]byte, code) {
	kind, params, err := mime.ParseMediaType(c.form)
	if err != nil || kind != "multipart/form-data" {
		return nil, 41005
	}
	form := multipart.NewReader(bytes.NewReader(c.body), params["boundary"])
	for {
		part, err := form.NextPart()
		if err != nil {
			return nil, 41005
		}
		if part.FormName() != "media" || part.FileName() == "" {
			continue
		}
		data, err := io.ReadAll(part)
		if err != nil || len(data) == 0 {
			return nil, 41005
		}
		return data, 0
	}
}

// typeOf tells a picture by its first bytes; "" for webp and everything else.
func typeOf(data []byte) string {
	switch {
	case bytes.HasPrefix(data, []byte("\xff\xd8\xff")):
		return "jpeg"
	case bytes.HasPrefix(data, []byte("\x89PNG\r\n\x1a\n")):
		return "png"
	case bytes.HasPrefix(data, []byte("GIF87a")), bytes.HasPrefix(data, []byte("GIF89a")):
		return "gif"
	case bytes.HasPrefix(data, []byte("BM")):
		return "bmp"
	}
	return ""
}

// uploadImg takes jpg and png of less than 1 MB; others get 40005, webp 40113.
func (s *Sandbox) uploadImg(c *callCtx) result {
	data, bad := c.media()
	if bad != 0 {
		return fail(bad)
	}
	kind := typeOf(data)
	if kind != "jpeg" && kind != "png" {
		return fail(wrongType(data))
	}
	if len(data) >= maxUploadImg {
		return fail(40009)
	}
	hash, err := s.images.put(c.set.AppID, data)
	if err != nil {
		s.log.Error("sandbox: store picture", "err", err)
		return fail(-1)
	}
	s.changed()
	return done(fields{"url": "http://mmbiz.qpic.cn/sz_mmbiz_" + kind + "/" + hash + "/0?from=appmsg"},
		fmt.Sprintf("%s %d KB", kind, (len(data)+1023)/1024))
}

func wrongType(data []byte) code {
	if bytes.HasPrefix(data, []byte("RIFF")) && len(data) > 12 && string(data[8:12]) == "WEBP" {
		return 40113
	}
	return 40005
}

func (s *Sandbox) addMaterial(c *callCtx) result {
	kind := strings.Clone(c.query.Get("type"))
	if kind != "image" && kind != "thumb" {
		return fail(40004)
	}
	data, bad := c.media()
	if bad != 0 {
		return fail(bad)
	}
	t := typeOf(data)
	if t == "" || (kind == "thumb" && t != "jpeg") {
		return fail(wrongType(data))
	}
	if (kind == "image" && len(data) > maxImage) || (kind == "thumb" && len(data) > maxThumb) {
		return fail(40009)
	}
	hash, err := s.images.put(c.set.AppID, data)
	if err != nil {
		s.log.Error("sandbox: store picture", "err", err)
		return fail(-1)
	}
	a := c.acc
	a.mu.Lock()
	defer a.mu.Unlock()
	limit := maxOthers
	if kind == "image" {
		limit = maxImages
	}
	if a.Counts[kind] >= limit {
		return fail(45001)
	}
	m := &material{MediaID: a.mediaID(kind), Kind: kind, Hash: hash}
	out := fields{"media_id": m.MediaID}
	if kind == "image" {
		m.URL = "http://mmbiz.qpic.cn/mmbiz_" + t + "/" + hash + "/0?wx_fmt=" + t
		out["url"] = m.URL
	}
	a.Materials[m.MediaID] = m
	a.Counts[kind]++
	s.changed()
	return done(out, fmt.Sprintf("%s %s %d KB", kind, t, (len(data)+1023)/1024))
}

func (s *Sandbox) delMaterial(c *callCtx) result {
	var in struct {
		MediaID string `json:"media_id"`
	}
	if bad := decode(c.body, &in); bad != 0 {
		return fail(bad)
	}
	c.acc.mu.Lock()
	defer c.acc.mu.Unlock()
	m := c.acc.Materials[in.MediaID]
	if m == nil {
		return fail(40007)
	}
	c.acc.Counts[m.Kind]--
	delete(c.acc.Materials, in.MediaID)
	s.changed()
	return result{fields: accepted(nil)}
}

func (s *Sandbox) countMaterial(c *callCtx) result {
	c.acc.mu.Lock()
	defer c.acc.mu.Unlock()
	return done(fields{"voice_count": 0, "video_count": 0, "image_count": c.acc.Counts["image"], "news_count": 0}, "")
}

// accepted adds errcode 0, as calls do that return little else.
func accepted(f fields) fields {
	out := fields{"errcode": 0, "errmsg": "ok"}
	for k, v := range f {
		out[k] = v
	}
	return out
}
