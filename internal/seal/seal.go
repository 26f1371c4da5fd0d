// Package seal keeps secrets at rest: AES-256-GCM or SM4-GCM under keys derived
// from a master secret, with algorithm and key id in the value so that both can
// be changed, and the use ("account.secrets:42") bound in as additional data so
// that a sealed value copied to another row or column does not open.
package seal

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// MinSecret is the shortest master secret accepted, in bytes. HKDF cannot make
// a guessable secret strong, so a passphrase of a few words is refused.
const MinSecret = 32

// Errors of Open. None says anything about the content.
var (
	ErrFormat  = errors.New("seal: not a sealed value")
	ErrUnknown = errors.New("seal: sealed under a key that is not configured")
	ErrOpen    = errors.New("seal: altered, or sealed for another use")
)

// Box seals under its current key and algorithm and opens under any key it
// holds, whatever the algorithm. Immutable and safe for concurrent use.
type Box struct {
	current string
	alg     Algorithm
	keys    map[string]key
}

type key struct {
	ciphers map[Algorithm]sealer
	master  []byte
}

// New makes a box. keys maps a short id (1–16 of a–z, 0–9) to its master
// secret of at least MinSecret bytes; current names the one that seals.
func New(current string, keys map[string][]byte) (*Box, error) {
	b := &Box{current: current, alg: AES, keys: make(map[string]key, len(keys))}
	for id, master := range keys {
		if !validID(id) {
			return nil, fmt.Errorf("seal: key id %q is not 1–16 of a–z, 0–9", id)
		}
		if len(master) < MinSecret {
			return nil, fmt.Errorf("seal: master secret of key %q is shorter than %d bytes", id, MinSecret)
		}
		k := key{ciphers: map[Algorithm]sealer{}, master: append([]byte(nil), master...)}
		for _, alg := range Algorithms() {
			c, err := newCipher(alg, master)
			if err != nil {
				return nil, err
			}
			k.ciphers[alg] = c
		}
		b.keys[id] = k
	}
	if _, ok := b.keys[current]; !ok {
		return nil, fmt.Errorf("seal: current key %q has no master secret", current)
	}
	return b, nil
}

func validID(id string) bool {
	if len(id) == 0 || len(id) > 16 {
		return false
	}
	return strings.Trim(id, "abcdefghijklmnopqrstuvwxyz0123456789") == ""
}

// Using returns the box sealing with another algorithm. It still opens what
// either algorithm sealed.
func (b *Box) Using(alg Algorithm) (*Box, error) {
	if !slices.Contains(Algorithms(), alg) {
		return nil, fmt.Errorf("seal: there is no algorithm %q", string(alg))
	}
	next := *b
	next.alg = alg
	return &next, nil
}

// Seal returns "<version>.<key id>.<base64url>". The context names the use and
// must be given again to Open. Two seals of the same text differ.
func (b *Box) Seal(plain []byte, context string) (string, error) {
	prefix := b.prefix()
	sealed, err := b.keys[b.current].ciphers[b.alg].seal(plain, []byte(prefix+context))
	if err != nil {
		return "", err
	}
	return prefix + base64.RawURLEncoding.EncodeToString(sealed), nil
}

// Open returns what was sealed for this context.
func (b *Box) Open(sealed, context string) ([]byte, error) {
	version, rest, ok := strings.Cut(sealed, ".")
	id, body, ok2 := strings.Cut(rest, ".")
	alg, known := byVersion(version)
	if !ok || !ok2 || !known {
		return nil, ErrFormat
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(body)
	if err != nil {
		return nil, ErrFormat
	}
	k, ok := b.keys[id]
	if !ok {
		return nil, ErrUnknown
	}
	plain, err := k.ciphers[alg].open(raw, []byte(version+"."+id+"."+context))
	if err != nil {
		return nil, ErrOpen
	}
	return plain, nil
}

// Outdated reports a value sealed under another than the current key or
// algorithm: reseal it at the next write.
func (b *Box) Outdated(sealed string) bool { return !strings.HasPrefix(sealed, b.prefix()) }

// prefix starts what the box seals now, and with the context is its additional data.
func (b *Box) prefix() string { return b.alg.version() + "." + b.current + "." }

// BlindIndex is a keyed fingerprint (hex HMAC-SHA256) for looking up a secret
// value by equality. It uses the current key: a rotation means recomputing it.
func (b *Box) BlindIndex(purpose, value string) string { return b.index(b.current, purpose, value) }

// BlindIndexes are the fingerprints under every key, the current one first: what
// a search must look for until a rotation has gone through all rows.
func (b *Box) BlindIndexes(purpose, value string) []string {
	out := []string{b.BlindIndex(purpose, value)}
	for _, id := range slices.Sorted(maps.Keys(b.keys)) {
		if id != b.current {
			out = append(out, b.index(id, purpose, value))
		}
	}
	return out
}

func (b *Box) index(id, purpose, value string) string {
	mac := hmac.New(sha256.New, derive(b.keys[id].master, "index/"+purpose))
	mac.Write([]byte(value))
	return hex.EncodeToString(mac.Sum(nil))
}

// Derive returns a 32-byte key for a purpose ("audit", "csrf"), independent of
// the sealing key and of every other purpose.
func (b *Box) Derive(purpose string) []byte {
	return derive(b.keys[b.current].master, purpose)
}

// DeriveAll returns the purpose's key of every master secret by key id: what
// a verifier needs after a rotation.
func (b *Box) DeriveAll(purpose string) map[string][]byte {
	out := make(map[string][]byte, len(b.keys))
	for id, k := range b.keys {
		out[id] = derive(k.master, purpose)
	}
	return out
}

// Current is the id of the key that seals.
func (b *Box) Current() string { return b.current }

func derive(master []byte, purpose string) []byte {
	k, err := hkdf.Key(sha256.New, master, nil, "tongxin/derive/"+purpose, 32)
	if err != nil { // only an output of more than 255 hashes is refused
		panic("seal: hkdf of 32 bytes: " + err.Error())
	}
	return k
}

// NewSecret makes a fresh master secret for a first start.
func NewSecret() []byte {
	s := make([]byte, MinSecret)
	rand.Read(s) // never fails since Go 1.24
	return s
}
