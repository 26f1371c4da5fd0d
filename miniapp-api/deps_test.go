package miniapp_test

import (
	"crypto/rand"

	"tongxin/internal/authz"
	miniapp "tongxin/miniapp-api"
)

func (h *house) deps() miniapp.Deps {
	return miniapp.Deps{
		Clock: h.clock, Random: rand.Reader, Name: "同心", Version: "1.2.3", PublicURL: "http://127.0.0.1", SignIn: h.signin, Members: h.members,
	}
}

func sys() *authz.Actor { return authz.SystemActor("test") }
