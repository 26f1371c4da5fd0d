// Package miniapp is the member surface: what the mini-program and its H5 twin
// call. It stands on the same kit as the staff surface and shares nothing else
// with it: other sessions, other rights, its own OpenAPI document.
package miniapp

import (
	"context"
	"io"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/clock"
	"tongxin/internal/httpkit"
	"tongxin/internal/limit"
	"tongxin/live"
	"tongxin/member"
	"tongxin/member/signin"
	"tongxin/notify"
	"tongxin/quiz"
	"tongxin/quiz/contest"
	"tongxin/quiz/results"
)

// Deps are what the routes need. All are required.
type Deps struct {
	Clock     clock.Clock
	Random    io.Reader
	Name      string // of the house, shown as the title
	Version   string // of the program
	PublicURL string
	SignIn    *signin.Service
	Members   *member.Service
	Notify    *notify.Service
	Exams     *quiz.Exams
	Results   *results.Service
	Contests  *contest.Service
	Rooms     *live.Service
}

// Mount puts the member surface on a kit.
func Mount(k *httpkit.Kit, d Deps) *httpkit.Surface {
	me := &sessions{d: d, https: k.HTTPS()}
	api := k.Surface(httpkit.SurfaceConfig{Prefix: "/api/member/v1", Title: "同心 · 党员接口", Version: d.Version, Auth: me.authenticate})
	// Guessing codes and links from one address is slow; a house behind one
	// address can still sign in.
	door := limit.New(d.Clock, limit.Per(60, time.Minute), 10_000)
	routes(api, d, me, httpkit.Limit(door))
	noticeRoutes(api, d)
	liveContests(api, d.Clock, d.Contests)
	lectureRoutes(api, d.Clock, d.Rooms)
	quizRoutes(api, &quizzes{svc: d.Exams, clock: d.Clock})
	resultRoutes(api, &outcomes{d.Results})
	return api
}

// info tells a client where it is.
type info struct{ d Deps }

type infoView struct {
	Name    string    `json:"name"`
	Version string    `json:"version"`
	Now     time.Time `json:"now" doc:"the server's clock, which alone decides what is due"`
}

func (h *info) getInfo(context.Context, *authz.Actor, *struct{}) (*infoView, error) {
	return &infoView{Name: h.d.Name, Version: h.d.Version, Now: h.d.Clock.Now()}, nil
}
