package wechat

import (
	"cmp"
	"crypto/sha1" //nolint:gosec // the platform's signature is SHA-1
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/silenceper/wechat/v2/util"

	"tongxin/internal/clock"
)

// MaxCallback bounds a callback's body; the caller should stop reading there.
const MaxCallback = 64 << 10

// CallbackSuccess is the answer that ends the platform's three tries. It is
// plain in AES mode as well.
const CallbackSuccess = "success"

// CallbackError is why a callback was refused.
type CallbackError string

const (
	ErrMethod    CallbackError = "wechat callback: method is not GET or POST"
	ErrTooLarge  CallbackError = "wechat callback: body over its limit"
	ErrSignature CallbackError = "wechat callback: signature does not match"
	ErrReplay    CallbackError = "wechat callback: timestamp outside the window"
	ErrPlain     CallbackError = "wechat callback: not encrypted although the account has an AES key"
	ErrNoKey     CallbackError = "wechat callback: encrypted but the account has no AES key"
	ErrDecrypt   CallbackError = "wechat callback: cannot be decrypted with this key and appid"
	ErrMalformed CallbackError = "wechat callback: not the XML or JSON expected"
)

func (e CallbackError) Error() string { return string(e) }

// Callback is an accepted request: an address check to echo, or an event.
type Callback struct {
	Echo  string // answer with it when Event is nil
	Event *Event
}

// CallbackParser verifies and reads callbacks. The zero value is ready. It
// remembers nothing: a repeat within the window is known by Event.DedupeKey.
type CallbackParser struct {
	Clock clock.Clock // nil means the machine's clock
	// Window is how far the timestamp may be off, both ways; default 10 minutes,
	// as a retry may carry the time of the first try.
	Window time.Duration
}

// Parse checks one request against the account's keys. The errors are all
// CallbackError; none says anything about the keys.
//
// With an AES key set, only encrypted bodies are taken (the compatible mode
// carries both; its plain half is ignored), because the plain signature does
// not cover the body. Without a key, only plain ones.
func (p CallbackParser) Parse(creds Credentials, method string, query url.Values, body []byte) (Callback, error) {
	if method != http.MethodGet && method != http.MethodPost {
		return Callback{}, ErrMethod
	}
	if len(body) > MaxCallback {
		return Callback{}, ErrTooLarge
	}
	if creds.Token == "" {
		return Callback{}, ErrSignature
	}
	if method == http.MethodGet {
		return p.echo(creds, query)
	}
	plain := body
	if creds.AESKey != "" {
		var err error
		if plain, err = p.open(creds, query, body); err != nil {
			return Callback{}, err
		}
	} else {
		if err := p.verify(creds.Token, query, "signature", ""); err != nil {
			return Callback{}, err
		}
		if query.Get("encrypt_type") == "aes" {
			return Callback{}, ErrNoKey
		}
	}
	ev, err := parseEvent(plain)
	if err != nil {
		return Callback{}, err
	}
	return Callback{Event: ev}, nil
}

// echo answers the address check. It has a plain echostr in every mode of an
// official account; where only msg_signature is sent the echostr is encrypted.
func (p CallbackParser) echo(creds Credentials, query url.Values) (Callback, error) {
	str := query.Get("echostr")
	if query.Get("signature") != "" {
		if err := p.verify(creds.Token, query, "signature", ""); err != nil {
			return Callback{}, err
		}
		if str == "" || len(str) > 1024 {
			return Callback{}, ErrMalformed
		}
		return Callback{Echo: str}, nil
	}
	if err := p.verify(creds.Token, query, "msg_signature", str); err != nil {
		return Callback{}, err
	}
	if creds.AESKey == "" {
		return Callback{}, ErrNoKey
	}
	_, plain, err := util.DecryptMsg(creds.AppID, str, creds.AESKey)
	if err != nil {
		return Callback{}, ErrDecrypt
	}
	return Callback{Echo: string(plain)}, nil
}

// open verifies and decrypts the body of an account with an AES key.
func (p CallbackParser) open(creds Credentials, query url.Values, body []byte) ([]byte, error) {
	var envelope struct {
		Encrypt string `xml:"Encrypt" json:"Encrypt"`
	}
	if query.Get("msg_signature") == "" {
		return nil, ErrPlain
	}
	if isJSON(body) {
		if json.Unmarshal(body, &envelope) != nil {
			return nil, ErrMalformed
		}
	} else if err := strictXML(body, &envelope); err != nil {
		return nil, err
	}
	if envelope.Encrypt == "" {
		return nil, ErrPlain
	}
	if err := p.verify(creds.Token, query, "msg_signature", envelope.Encrypt); err != nil {
		return nil, err
	}
	_, plain, err := util.DecryptMsg(creds.AppID, envelope.Encrypt, creds.AESKey)
	if err != nil {
		return nil, ErrDecrypt
	}
	return plain, nil
}

// verify checks one signature in constant time, then the window.
func (p CallbackParser) verify(token string, query url.Values, param, extra string) error {
	stamp, nonce := query.Get("timestamp"), query.Get("nonce")
	parts := []string{token, stamp, nonce}
	if extra != "" {
		parts = append(parts, extra)
	}
	slices.Sort(parts)
	sum := sha1.Sum([]byte(strings.Join(parts, ""))) //nolint:gosec // as above
	want := hex.EncodeToString(sum[:])
	if subtle.ConstantTimeCompare([]byte(want), []byte(query.Get(param))) != 1 {
		return ErrSignature
	}
	sec, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || sec < 0 || sec > 1<<40 {
		return ErrReplay
	}
	now := time.Now()
	if p.Clock != nil {
		now = p.Clock.Now()
	}
	window := cmp.Or(p.Window, 10*time.Minute)
	if d := now.Sub(time.Unix(sec, 0)); d > window || d < -window {
		return ErrReplay
	}
	return nil
}
