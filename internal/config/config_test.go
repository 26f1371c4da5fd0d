package config

import (
	"strings"
	"testing"
	"time"
)

func TestLoadOrder(t *testing.T) {
	var s Set
	addr := s.String("ADDR", "127.0.0.1:8080", "where to listen")
	lease := s.Duration("LEASE", 90*time.Second, "lease", Between(time.Second, time.Hour))
	err := s.Load(strings.NewReader("# comment\nTONGXIN_ADDR=file:1\nTONGXIN_LEASE=\"5s\"\n"), []string{"TONGXIN_ADDR=env:1", "PATH=/bin"})
	if err != nil || *addr != "env:1" || *lease != 5*time.Second {
		t.Fatalf("addr %q lease %v err %v", *addr, *lease, err)
	}
	if s.Options()[0].Source != "environment" || s.Options()[1].Source != "file" {
		t.Fatal("sources are wrong")
	}
}

func TestLoadReportsEverythingAtOnceAndNoSecret(t *testing.T) {
	var s Set
	s.Secret("SECRET_KEY", "master secret", func(v string) error { return errTest(v) })
	s.Int("READERS", 4, "readers", Between(1, 64))
	err := s.Load(nil, []string{"TONGXIN_SECRET_KEY=hunter2hunter2", "TONGXIN_READERS=0", "TONGXIN_ADRR=x"})
	if err == nil {
		t.Fatal("want an error")
	}
	for _, want := range []string{"TONGXIN_SECRET_KEY", "TONGXIN_READERS", "TONGXIN_ADRR"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not named in %v", want, err)
		}
	}
	if strings.Contains(err.Error(), "hunter2") || strings.Contains(s.Options()[0].Value(), "hunter2") {
		t.Fatal("the secret is shown")
	}
}

type errTest string

func (e errTest) Error() string { return "too short: " + string(e) }
