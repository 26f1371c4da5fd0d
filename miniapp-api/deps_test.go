package miniapp_test

import (
	"crypto/rand"

	"tongxin/internal/authz"
	miniapp "tongxin/miniapp-api"
)

// memberRights are the rights that handlers.MemberRights gives in the program;
// a surface does not import another, so a test in cmd compares the two.
func memberRights() []authz.Right { return []authz.Right{} }

func (h *house) deps() miniapp.Deps {
	return miniapp.Deps{
		Clock: h.clock, Random: rand.Reader, Name: "同心", Version: "1.2.3", PublicURL: "http://127.0.0.1", SignIn: h.signin, Members: h.members,
	}
}

func sys() *authz.Actor { return authz.SystemActor("test") }
