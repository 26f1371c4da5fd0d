// Package miniapp is the member surface: what the mini-program and its H5 twin
// call. It stands on the same kit as the staff surface and shares nothing else
// with it: other sessions, other rights, its own OpenAPI document.
package miniapp

import (
	"context"
	"time"

	"github.com/gofiber/fiber/v2"

	"tongxin/internal/authz"
	"tongxin/internal/clock"
	"tongxin/internal/httpkit"
	"tongxin/notify"
	"tongxin/quiz/contest"
)

// Deps are what the routes need. All are required.
type Deps struct {
	Clock   clock.Clock
	Name    string // of the house, shown as the title
	Version string // of the program
	// Auth finds the member who sends a request; nil: nobody is ever signed in.
	Auth     httpkit.Authenticator
	Notify   *notify.Service
	Contests *contest.Service
}

// Mount puts the member surface on a kit.
func Mount(k *httpkit.Kit, d Deps) *httpkit.Surface {
	auth := d.Auth
	if auth == nil {
		auth = func(context.Context, *fiber.Ctx) (httpkit.Identity, error) { return httpkit.Identity{}, nil }
	}
	api := k.Surface(httpkit.SurfaceConfig{Prefix: "/api/member/v1", Title: "同心 · 党员接口", Version: d.Version, Auth: auth})
	routes(api, &info{d})
	noticeRoutes(api, d)
	liveContests(api, d.Clock, d.Contests)
	return api
}

// info tells a client where it is: members have no accounts yet, so that is
// all this surface says.
type info struct{ d Deps }

type infoView struct {
	Name    string    `json:"name"`
	Version string    `json:"version"`
	Now     time.Time `json:"now" doc:"the server's clock, which alone decides what is due"`
}

func (h *info) getInfo(context.Context, *authz.Actor, *struct{}) (*infoView, error) {
	return &infoView{Name: h.d.Name, Version: h.d.Version, Now: h.d.Clock.Now()}, nil
}
