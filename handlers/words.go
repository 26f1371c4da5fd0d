package handlers

import (
	"context"

	"tongxin/internal/authz"
	"tongxin/internal/httpkit"
	"tongxin/internal/page"
	"tongxin/publish"
)

// words serves the list of sensitive and easily mistyped words.
type words struct{ svc *publish.Service }

func (h *words) listWords(ctx context.Context, actor *authz.Actor, _ *struct{}) (*page.Result[publish.Word], error) {
	list, err := h.svc.Words(ctx, actor)
	return &page.Result[publish.Word]{Items: list}, err
}

type wordBody struct {
	Text    string `json:"text" minLength:"1" maxLength:"64"`
	Kind    string `json:"kind" enum:"sensitive,typo,allow"`
	Suggest string `json:"suggest,omitempty" maxLength:"64"`
	Note    string `json:"note,omitempty" maxLength:"200"`
}

func (b wordBody) word() publish.Word {
	return publish.Word{Text: b.Text, Kind: b.Kind, Suggest: b.Suggest, Note: b.Note}
}

type createWordIn struct{ Body wordBody }

func (h *words) createWord(ctx context.Context, actor *authz.Actor, in *createWordIn) (*publish.Word, error) {
	return h.svc.SaveWord(ctx, actor, in.Body.word())
}

type saveWordIn struct {
	httpkit.ByID
	Body wordBody
}

func (h *words) saveWord(ctx context.Context, actor *authz.Actor, in *saveWordIn) (*publish.Word, error) {
	w := in.Body.word()
	w.ID = in.ID.V
	return h.svc.SaveWord(ctx, actor, w)
}

func (h *words) deleteWord(ctx context.Context, actor *authz.Actor, in *idIn) error {
	return h.svc.DeleteWord(ctx, actor, in.ID.V)
}
