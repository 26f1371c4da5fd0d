package httpkit

import (
	"context"
	"log/slog"
	"regexp"
	"strings"
)

// Redact wraps a slog handler so that no secret, token, phone or identity
// number reaches the log, whoever writes it: by the attribute's name and by
// what its text looks like. It is the last net, not a licence to log secrets.
func Redact(h slog.Handler) slog.Handler {
	return &redactor{Handler: h, pairs: regexp.MustCompile(
		`(?i)((?:[a-z_]*(?:token|secret|password|passwd|ticket|signature|totp)|code|appsecret|aeskey)["']?\s*[=:]\s*["']?)([^\s&"',;}]+)`)}
}

type redactor struct {
	slog.Handler
	pairs *regexp.Regexp
}

// Handle implements slog.Handler.
func (r *redactor) Handle(ctx context.Context, rec slog.Record) error {
	clean := slog.NewRecord(rec.Time, rec.Level, r.text(rec.Message), rec.PC)
	rec.Attrs(func(a slog.Attr) bool {
		clean.AddAttrs(r.attr(a))
		return true
	})
	return r.Handler.Handle(ctx, clean)
}

// WithAttrs implements slog.Handler.
func (r *redactor) WithAttrs(attrs []slog.Attr) slog.Handler {
	clean := make([]slog.Attr, len(attrs))
	for i, a := range attrs {
		clean[i] = r.attr(a)
	}
	return &redactor{Handler: r.Handler.WithAttrs(clean), pairs: r.pairs}
}

// WithGroup implements slog.Handler.
func (r *redactor) WithGroup(name string) slog.Handler {
	return &redactor{Handler: r.Handler.WithGroup(name), pairs: r.pairs}
}

func (r *redactor) attr(a slog.Attr) slog.Attr {
	v := a.Value.Resolve()
	switch v.Kind() {
	case slog.KindGroup:
		group := v.Group()
		clean := make([]slog.Attr, len(group))
		for i, g := range group {
			clean[i] = r.attr(g)
		}
		return slog.Attr{Key: a.Key, Value: slog.GroupValue(clean...)}
	case slog.KindBool, slog.KindDuration, slog.KindTime, slog.KindFloat64, slog.KindInt64, slog.KindUint64:
		return a
	}
	if secretName(a.Key) {
		return slog.String(a.Key, "***")
	}
	return slog.String(a.Key, r.text(v.String()))
}

func secretName(key string) bool {
	key = strings.ToLower(key)
	for _, s := range []string{"token", "secret", "password", "passwd", "authorization", "cookie", "phone", "mobile", "idcard", "aeskey"} {
		if strings.Contains(key, s) {
			return true
		}
	}
	return false
}

// text masks what looks like a secret inside a text.
func (r *redactor) text(s string) string {
	if strings.ContainsAny(s, "=:") {
		s = r.pairs.ReplaceAllString(s, "$1***")
	}
	if len(s) < 11 {
		return s
	}
	var out strings.Builder
	for i := 0; i < len(s); {
		j := i
		for j < len(s) && wordByte(s[j]) {
			j++
		}
		if j == i {
			out.WriteByte(s[i])
			i++
			continue
		}
		out.WriteString(maskWord(s[i:j]))
		i = j
	}
	return out.String()
}

func wordByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-' || c == '+'
}

// maskWord masks a word that is a mainland phone, an identity number or as long
// as a token. Request ids (32 hex) and ids of rows pass.
func maskWord(w string) string {
	digits := strings.TrimPrefix(strings.TrimPrefix(w, "+86"), "-")
	switch {
	case len(digits) == 11 && digits[0] == '1' && digits[1] >= '3' && allDigits(digits):
		return "***phone***"
	case len(w) == 18 && identityNumber(w):
		return "***id***"
	case len(w) >= 40:
		return w[:4] + "***"
	}
	return w
}

func allDigits(s string) bool {
	return strings.IndexFunc(s, func(c rune) bool { return c < '0' || c > '9' }) < 0
}

// identityNumber checks form, birth date and check digit of a resident identity
// number (GB 11643-1999), so that the 18-digit ids of our rows are kept.
func identityNumber(s string) bool {
	if !allDigits(s[:17]) {
		return false
	}
	century, month, day := s[6:8], s[10:12], s[12:14]
	if (century != "19" && century != "20") || month < "01" || month > "12" || day < "01" || day > "31" {
		return false
	}
	sum, weight := 0, 1
	for i := 16; i >= 0; i-- { // weights 2^(17-i) mod 11
		weight = weight * 2 % 11
		sum += int(s[i]-'0') * weight
	}
	return "10X98765432"[sum%11] == strings.ToUpper(s[17:])[0]
}
