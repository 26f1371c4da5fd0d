package httpkit

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
)

func TestRedact(t *testing.T) {
	var out bytes.Buffer
	log := slog.New(Redact(slog.NewTextHandler(&out, nil)))
	token := strings.Repeat("aB3_", 11)
	log.With("authorization", "Bearer abcdef").WithGroup("g").Info("call to 13812345678 failed",
		"url", "https://api.example/cgi-bin/token?grant_type=x&secret=s3cr3t&access_token=abc_def&n=5",
		"error", errors.New(`{"appSecret":"deadbeef","code":"0a1b2c"}`), "idCard", "x", "cookie", "tx=1",
		slog.Group("in", slog.String("phone", "+86-13912345678"), slog.Any("text", "身份证 11010519491231002X，电话 13912345678。")),
		"token_count", 3, "hash", token, "row", "286663901184000011", "request", "9b58201a821b0356729716051e438cf7", "took", 12)
	got := out.String()
	for _, secret := range []string{"13812345678", "13912345678", "s3cr3t", "abc_def", "deadbeef", "0a1b2c", "11010519491231002X", token, "Bearer", "tx=1"} {
		if strings.Contains(got, secret) {
			t.Errorf("%q is in the log: %s", secret, got)
		}
	}
	for _, kept := range []string{"286663901184000011", "9b58201a821b0356729716051e438cf7", "grant_type=x", "n=5", "took=12", "token_count=3", "身份证"} {
		if !strings.Contains(got, kept) {
			t.Errorf("%q was lost: %s", kept, got)
		}
	}
}

func TestIdentityNumbers(t *testing.T) {
	for s, want := range map[string]bool{
		"11010519491231002X": true, // the example of GB 11643-1999
		"11010519491231002x": true,
		"110105194912310021": false, // wrong check digit
		"110105184912310020": false, // no such century
		"286663901184000011": false,
	} {
		if got := identityNumber(s); got != want {
			t.Errorf("%s: %v", s, got)
		}
	}
}
