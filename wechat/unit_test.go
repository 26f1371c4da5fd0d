package wechat

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestEncodeWritesNoEscapes(t *testing.T) {
	b, err := encode(map[string]string{"t": "<p>a & b\u2028\u2029\x01\xff \\u003c \"引号\"\n</p>"})
	if err != nil {
		t.Fatal(err)
	}
	want := "{\"t\":\"<p>a & b\u2028\u2029\ufffd \\\\u003c \\\"引号\\\"\\n</p>\"}"
	if string(b) != want {
		t.Errorf("%s", b)
	}
}

func TestEncodeKeepsText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.String().Draw(t, "s")
		b, err := encode(s)
		if err != nil {
			t.Fatal(err)
		}
		var back string
		if err := json.Unmarshal(b, &back); err != nil {
			t.Fatalf("%s: %v", b, err)
		}
		keep := strings.Map(func(r rune) rune { // what no article can show is dropped
			if r < 0x20 && !strings.ContainsRune("\b\f\n\r\t", r) {
				return -1
			}
			return r
		}, strings.ToValidUTF8(s, "\ufffd"))
		if back != keep && utf8.ValidString(s) {
			t.Fatalf("%q became %q", s, back)
		}
	})
}

func TestFlexIDKeepsEveryDigit(t *testing.T) {
	for in, want := range map[string]string{`9007199254740993`: "9007199254740993", `"9007199254740993"`: "9007199254740993", `"a-1"`: "a-1", `null`: ""} {
		var id flexID
		if err := json.Unmarshal([]byte(in), &id); err != nil || string(id) != want {
			t.Errorf("%s: %q %v", in, id, err)
		}
	}
	var id flexID
	if json.Unmarshal([]byte(`{}`), &id) == nil {
		t.Error("an object is no id")
	}
}

func TestEveryCodeHasASentence(t *testing.T) {
	seen := map[int]bool{}
	for _, r := range codeRows() {
		if seen[r.code] {
			t.Errorf("%d twice", r.code)
		}
		seen[r.code] = true
		say := Sentence(&Error{Code: r.code, Kind: r.kind, Outcome: NotAccepted})
		if !strings.HasSuffix(say, "。") || !strings.ContainsFunc(say, func(c rune) bool { return unicode.Is(unicode.Han, c) }) {
			t.Errorf("%d: %q", r.code, say)
		}
		if regexp.MustCompile(`[a-z]{7,}`).MatchString(say) {
			t.Errorf("%d speaks to machines: %q", r.code, say)
		}
		if r.kind == Unknown || (r.kind == Quota) != (r.pause != 0) && r.kind != Transient {
			t.Errorf("%d: kind %s, pause %v", r.code, r.kind, r.pause)
		}
	}
	// The codes of section 7 that an official account can meet.
	for _, c := range []int{
		-1, 40001, 40003, 40004, 40005, 40006, 40007, 40009, 40013, 40014, 40033, 40125, 40164, 41001, 41005, 42001, 43002, 43004,
		44002, 44003, 44004, 45001, 45002, 45003, 45004, 45008, 45009, 45011, 45015, 45028, 45047, 45064, 45065, 45066, 45067, 45166,
		46001, 46004, 47001, 47003, 48001, 48002, 48003, 48004, 48006, 48008, 50002, 50005, 53402, 53501, 53503, 53504, 53505, 87014, 88000, 88001, 88002,
	} {
		if !seen[c] {
			t.Errorf("%d has no row", c)
		}
	}
	for _, e := range []error{
		fmt.Errorf("foreign"), &Error{Kind: Transient, Outcome: NotAccepted}, &Error{Kind: Unknown, Outcome: NotAccepted},
		&Error{Code: 12345, Kind: Unknown, Outcome: NotAccepted}, &Error{Kind: Content, Outcome: NotAccepted}, &Error{Kind: Permanent, Outcome: NotAccepted},
	} {
		if !strings.HasSuffix(Sentence(e), "。") {
			t.Errorf("%v: %q", e, Sentence(e))
		}
	}
	if Sentence(nil) != "" {
		t.Error("nil has no sentence")
	}
}

func TestGateRefusesOtherHosts(t *testing.T) {
	c, err := New(Config{Transport: trip(func(*http.Request) (*http.Response, error) {
		t.Error("a foreign host was reached")
		return nil, http.ErrServerClosed
	})})
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range []string{"example.com", "api.weixin.qq.com.evil.example", "qyapi.weixin.qq.com", "127.0.0.1"} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://"+host+"/x?access_token=t", strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err = c.http.Do(req); err == nil || reason(err) != "host refused" { //nolint:bodyclose // there is none
			t.Errorf("%s: %v", host, err)
		}
	}
}

type trip func(*http.Request) (*http.Response, error)

func (f trip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestUsableLifeOfATokenIsNeverNothing(t *testing.T) {
	for life, want := range map[time.Duration]time.Duration{
		2 * time.Hour: 115 * time.Minute, 330 * time.Second: 30 * time.Second, 300 * time.Second: 30 * time.Second, 10 * time.Second: 10 * time.Second,
	} {
		if got := usable(life); got != want {
			t.Errorf("%v: %v, want %v", life, got, want)
		}
	}
}

func TestErrmsgIsTakenApartAndRedacted(t *testing.T) {
	c, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	o := op{path: "/cgi-bin/message/mass/sendall", effect: true}
	e := c.codeError(o, 40164, "invalid ip 1.2.3.4 ipv6 ::ffff:1.2.3.4, not in whitelist SECRET rid: 5f-1a", []string{"SECRET"})
	if e.IP != "1.2.3.4" || e.RID != "5f-1a" || strings.Contains(e.Error(), "SECRET") || !strings.Contains(Sentence(e), "1.2.3.4") {
		t.Errorf("%+v", e)
	}
	if e := c.codeError(o, 45066, "", nil); !OutcomeUnknown(e) {
		t.Error("45066 says that the same send is under way")
	}
	if e := c.codeError(op{path: "/x"}, -1, "", nil); OutcomeUnknown(e) {
		t.Error("-1 of a read")
	}
	creds := Credentials{AppID: "wx1", Secret: "hidden", Token: "hidden", AESKey: "hidden"}
	if s := fmt.Sprintf("%v %+v %#v %s", creds, creds, creds, creds.LogValue()); strings.Contains(s, "hidden") {
		t.Error(s)
	}
	if contextCause(fmt.Errorf("x: %w", context.DeadlineExceeded)) == nil || contextCause(http.ErrServerClosed) != nil {
		t.Error("only an ended context is passed on")
	}
}
