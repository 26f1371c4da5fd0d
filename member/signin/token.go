package signin

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"time"

	"tongxin/internal/ids"
)

// Two kinds of token. Both are computed under a key that is not in the
// database, so a stolen database signs nobody in.
//
//	access   1 | session | member | expiry in ms        | HMAC-SHA256
//	refresh  2 | session | generation                   | HMAC-SHA256 over that and the session's nonce
//
// An access token proves itself without a database. A refresh token is good for
// one generation of its session; the nonce, which only the database has, keeps
// whoever learns the key from making one.
const (
	accessKind  = 1
	refreshKind = 2
	accessBody  = 1 + 8 + 8 + 8
	refreshBody = 1 + 8 + 8
)

// keys sign tokens: the first signs, all are believed.
type keys [][]byte

func mac(key, body []byte, more string) []byte {
	m := hmac.New(sha256.New, key)
	m.Write(body)
	m.Write([]byte(more))
	return m.Sum(nil)
}

func (k keys) sign(body []byte, more string) string {
	return base64.RawURLEncoding.EncodeToString(append(body, mac(k[0], body, more)...))
}

func (k keys) proves(body, sum []byte, more string) bool {
	for _, key := range k {
		if hmac.Equal(mac(key, body, more), sum) {
			return true
		}
	}
	return false
}

// split takes a token apart: the body of the given kind and length, and its sum.
func split(token string, kind byte, length int) (body, sum []byte, ok bool) {
	if len(token) != base64.RawURLEncoding.EncodedLen(length+sha256.Size) {
		return nil, nil, false
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || raw[0] != kind {
		return nil, nil, false
	}
	return raw[:length:length], raw[length:], true
}

func id(b []byte) ids.ID { return ids.ID(binary.BigEndian.Uint64(b)) }

// access is what an access token says.
type access struct {
	session, member ids.ID
	expires         time.Time
}

func (k keys) access(a access) string {
	body := make([]byte, accessBody, accessBody+sha256.Size)
	body[0] = accessKind
	binary.BigEndian.PutUint64(body[1:], uint64(a.session))
	binary.BigEndian.PutUint64(body[9:], uint64(a.member))
	binary.BigEndian.PutUint64(body[17:], uint64(a.expires.UnixMilli()))
	return k.sign(body, "")
}

// readAccess believes nothing that is not signed. The caller compares the expiry.
func (k keys) readAccess(token string) (access, bool) {
	body, sum, ok := split(token, accessKind, accessBody)
	if !ok || !k.proves(body, sum, "") {
		return access{}, false
	}
	return access{session: id(body[1:]), member: id(body[9:]), expires: time.UnixMilli(int64(id(body[17:])))}, true
}

func (k keys) refresh(session ids.ID, generation int64, nonce string) string {
	body := make([]byte, refreshBody, refreshBody+sha256.Size)
	body[0] = refreshKind
	binary.BigEndian.PutUint64(body[1:], uint64(session))
	binary.BigEndian.PutUint64(body[9:], uint64(generation))
	return k.sign(body, nonce)
}

// claim is what a refresh token says before it is proved: which session to read
// the nonce of.
type claim struct {
	session    ids.ID
	generation int64
	body, sum  []byte
}

func readClaim(token string) (claim, bool) {
	body, sum, ok := split(token, refreshKind, refreshBody)
	if !ok {
		return claim{}, false
	}
	c := claim{session: id(body[1:]), generation: int64(id(body[9:])), body: body, sum: sum}
	return c, c.session > 0 && c.generation > 0
}
