package wechat

import (
	"context"
	"unicode/utf8"
)

// Limits of the content check. Source: msgSecCheck and mediaCheckAsync,
// version 2.
const (
	MaxCheckText = 2500 // characters a call
	checkVersion = 2
	mediaPicture = 2 // media_type; 1 is sound
)

// CheckSuggest is what the content check says.
type CheckSuggest string

// Suggestions.
const (
	CheckPass   CheckSuggest = "pass"
	CheckReview CheckSuggest = "review" // a person should look
	CheckRisky  CheckSuggest = "risky"
)

// CheckResult is a verdict. The errcode of a risky text is 0: it is no error.
type CheckResult struct {
	Suggest CheckSuggest
	Label   int // 100 nothing found, 10001 advertising, 20001 politics …
	TraceID string
}

// CheckText judges a text of a member: scene 1 profile, 2 comment, 3 forum,
// 4 journal; at most MaxCheckText characters. The person must have used the
// mini-program within two hours (61010). It may be repeated: it changes nothing.
func (a *Account) CheckText(ctx context.Context, openID string, scene int, text string) (CheckResult, error) {
	o := op{path: "/wxa/msg_sec_check"}
	if err := checkable(o, openID, scene); err != nil {
		return CheckResult{}, err
	}
	if n := utf8.RuneCountInString(text); n == 0 || n > MaxCheckText {
		return CheckResult{}, refusal(o.name(), Content, 0, "text of %d characters", n)
	}
	var out struct {
		Result struct {
			Suggest string `json:"suggest"`
			Label   int    `json:"label"`
		} `json:"result"`
		TraceID string `json:"trace_id"`
	}
	err := a.post(ctx, o, map[string]any{"version": checkVersion, "openid": openID, "scene": scene, "content": text}, &out)
	if err != nil {
		return CheckResult{}, err
	}
	r := CheckResult{Suggest: CheckSuggest(out.Result.Suggest), Label: out.Result.Label, TraceID: out.TraceID}
	switch r.Suggest {
	case CheckPass, CheckReview, CheckRisky:
		return r, nil
	}
	// An answer without a verdict must never read as one.
	return CheckResult{}, &Error{Op: o.name(), Kind: Unknown, Outcome: NotAccepted, Msg: "answer without result.suggest"}
}

// CheckPicture starts the check of a picture at a public address (at most
// 10 MB). The verdict comes within 30 minutes as event wxa_media_check with the
// trace id that it returns. A repeat makes a second check and harms nobody.
func (a *Account) CheckPicture(ctx context.Context, openID string, scene int, pictureURL string) (string, error) {
	o := op{path: "/wxa/media_check_async"}
	if err := checkable(o, openID, scene); err != nil {
		return "", err
	}
	if pictureURL == "" {
		return "", refusal(o.name(), Content, 0, "no address of the picture")
	}
	var out struct {
		TraceID string `json:"trace_id"`
	}
	err := a.post(ctx, o, map[string]any{
		"version": checkVersion, "openid": openID, "scene": scene, "media_url": pictureURL, "media_type": mediaPicture,
	}, &out)
	if err == nil && out.TraceID == "" {
		return "", &Error{Op: o.name(), Kind: Unknown, Outcome: NotAccepted, Msg: "answer without trace_id"}
	}
	return out.TraceID, err
}

func checkable(o op, openID string, scene int) error {
	if openID == "" {
		return refusal(o.name(), Permanent, 40003, "no openid")
	}
	if scene < 1 || scene > 4 {
		return refusal(o.name(), Permanent, 0, "scene %d", scene)
	}
	return nil
}
