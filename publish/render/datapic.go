package render

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strings"
)

// DataPicture is a picture that was pasted as a data: URL.
type DataPicture struct {
	Ref  string // asset reference that stands in the source now
	Mime string // as declared: "image/png"; check the bytes before storing
	Data []byte
}

// ExtractDataPictures takes base64 pictures out of a source, HTML or Markdown,
// and puts asset references in their place. The reference is the SHA-256 of
// the bytes as pasted: when the library stores them under another hash, use
// MapPictures. What is not valid base64 stays, and cleaning drops it.
func ExtractDataPictures(src string) (string, []DataPicture) {
	const start = "data:image/"
	var out strings.Builder
	var pics []DataPicture
	seen := map[string]bool{}
	for {
		i := strings.Index(src, start)
		if i < 0 {
			out.WriteString(src)
			return out.String(), pics
		}
		mime, data, n := dataURL(src[i:])
		if n == 0 {
			out.WriteString(src[:i+len(start)])
			src = src[i+len(start):]
			continue
		}
		sum := sha256.Sum256(data)
		ref := AssetPrefix + hex.EncodeToString(sum[:])
		if !seen[ref] {
			seen[ref] = true
			pics = append(pics, DataPicture{Ref: ref, Mime: mime, Data: data})
		}
		out.WriteString(src[:i] + ref)
		src = src[i+n:]
	}
}

// dataURL decodes a data URL at the start of s; n is its length, 0 if it is none.
func dataURL(s string) (mime string, data []byte, n int) {
	head, _, ok := strings.Cut(s[:min(len(s), 100)], ",")
	if !ok || !strings.HasSuffix(head, ";base64") {
		return "", nil, 0
	}
	mime, _, _ = strings.Cut(strings.TrimPrefix(head, "data:"), ";")
	body := s[len(head)+1:]
	end := 0
	for end < len(body) && isBase64(body[end]) {
		end++
	}
	clean := strings.TrimRight(body[:end], "=")
	data, err := base64.RawStdEncoding.DecodeString(clean)
	if err != nil || len(data) == 0 {
		return "", nil, 0
	}
	return mime, data, len(head) + 1 + end
}

func isBase64(c byte) bool {
	return c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '+' || c == '/' || c == '='
}

// MapPictures rewrites every asset reference in a source, HTML or Markdown.
// change gets the hash and returns the new reference, or "" to leave it.
func MapPictures(src string, change func(hash string) string) string {
	var out strings.Builder
	for {
		i := strings.Index(src, AssetPrefix)
		if i < 0 {
			out.WriteString(src)
			return out.String()
		}
		end := i + len(AssetPrefix) + hashLen
		to := ""
		if end <= len(src) && assetHash(src[i:end]) != "" {
			to = change(src[i+len(AssetPrefix) : end])
		}
		if to == "" {
			out.WriteString(src[:i+len(AssetPrefix)])
			src = src[i+len(AssetPrefix):]
			continue
		}
		out.WriteString(src[:i] + to)
		src = src[end:]
	}
}
