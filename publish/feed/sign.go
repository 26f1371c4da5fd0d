package feed

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Headers of a webhook call, as the Standard Webhooks specification names them
// (https://www.standardwebhooks.com), so that its verifying libraries work.
//
// The signature header holds "v1," and the base64 HMAC-SHA256 of
// "<id>.<timestamp>.<body>" under the secret: the bytes behind "whsec_",
// decoded from base64. The timestamp is Unix seconds of this try; a receiver
// refuses calls that are more than five minutes off and ids it has seen.
const (
	HeaderID        = "webhook-id"
	HeaderTimestamp = "webhook-timestamp"
	HeaderSignature = "webhook-signature"
)

// secretPrefix marks a secret for people and scanners.
const secretPrefix = "whsec_"

// Tolerance is how far a call's timestamp may be off.
const Tolerance = 5 * time.Minute

// Sign makes the signature header's value.
func Sign(secret []byte, id string, at time.Time, body []byte) string {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(id + "." + strconv.FormatInt(at.Unix(), 10) + "."))
	mac.Write(body)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// Verify is the receiver's side: what a Go receiver may use, and what the tests
// hold Sign against. Several signatures may stand in the header, parted by spaces.
func Verify(secret []byte, h http.Header, body []byte, now time.Time) bool {
	sec, err := strconv.ParseInt(h.Get(HeaderTimestamp), 10, 64)
	if err != nil || now.Sub(time.Unix(sec, 0)).Abs() > Tolerance {
		return false
	}
	want := Sign(secret, h.Get(HeaderID), time.Unix(sec, 0), body)
	for have := range strings.FieldsSeq(h.Get(HeaderSignature)) {
		if hmac.Equal([]byte(have), []byte(want)) {
			return true
		}
	}
	return false
}

func showSecret(secret []byte) string {
	return secretPrefix + base64.StdEncoding.EncodeToString(secret)
}

// ParseSecret reads the form that was shown to the receiver.
func ParseSecret(s string) ([]byte, error) {
	return base64.StdEncoding.DecodeString(strings.TrimPrefix(s, secretPrefix))
}
