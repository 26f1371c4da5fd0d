package handlers

import (
	"context"

	"tongxin/internal/authz"
	"tongxin/internal/httpkit"
	"tongxin/internal/ids"
	"tongxin/internal/page"
	"tongxin/quiz"
)

// bank is the part of the table about the question bank.
func bank(api *httpkit.Surface, d Deps) {
	h := &questions{svc: d.Bank}
	api.Get("/questions", quiz.Read, "题库", httpkit.Read(h.listQuestions))
	api.Post("/questions", quiz.Manage, "新建题目", httpkit.Create(h.createQuestion))
	api.Post("/questions/preview", quiz.Read, "预览题目", httpkit.Do(h.previewQuestion, heavy()))
	api.Post("/questions/states", quiz.Manage, "批量启用或停用题目", httpkit.Do(h.setQuestionStates))
	api.Get("/questions/{id}", quiz.Read, "查看题目", httpkit.Read(h.getQuestion))
	api.Put("/questions/{id}", quiz.Manage, "修改题目", httpkit.Edit(h.saveQuestion))
	api.Delete("/questions/{id}", quiz.Manage, "删除题目", httpkit.Done(h.deleteQuestion, httpkit.About("only one that was never active; asks for If-Match")))
	api.Post("/questions/{id}/retire", quiz.Manage, "停用题目", httpkit.Edit(h.retireQuestion))
	api.Post("/questions/{id}/restore", quiz.Manage, "启用题目", httpkit.Edit(h.restoreQuestion))
	api.Get("/questions/{id}/revisions", quiz.Read, "题目的历史版本", httpkit.Read(h.listQuestionRevisions))
	api.Get("/topics", quiz.Read, "知识点", httpkit.Read(h.listTopics))
}

type questions struct{ svc *quiz.Bank }

type listQuestionsIn struct {
	httpkit.Paging
	OrgID      httpkit.ID `query:"orgId" doc:"whose bank; absent: all that can be read"`
	Kind       string     `query:"kind" enum:"single,multiple,truefalse,fill,order,match,short"`
	State      string     `query:"state" enum:"draft,active,retired"`
	Difficulty int        `query:"difficulty" minimum:"1" maximum:"5"`
	Topic      string     `query:"topic" maxLength:"30"`
	Q          string     `query:"q" maxLength:"100" doc:"part of the text"`
}

func (h *questions) listQuestions(ctx context.Context, actor *authz.Actor, in *listQuestionsIn) (*page.Result[quiz.Question], error) {
	return h.svc.Questions(ctx, actor, quiz.QuestionFilter{
		OrgID: in.OrgID.V, Kind: quiz.Kind(in.Kind), State: quiz.QuestionState(in.State),
		Difficulty: in.Difficulty, Topic: in.Topic, Query: in.Q,
	}, in.Page)
}

func (h *questions) getQuestion(ctx context.Context, actor *authz.Actor, in *idIn) (*quiz.QuestionView, error) {
	return h.svc.Question(ctx, actor, in.ID.V)
}

type createQuestionIn struct{ Body quiz.QuestionInput }

func (h *questions) createQuestion(ctx context.Context, actor *authz.Actor, in *createQuestionIn) (*quiz.QuestionView, error) {
	return h.svc.Create(ctx, actor, in.Body)
}

type saveQuestionIn struct {
	httpkit.ByID
	httpkit.Match
	Body quiz.QuestionInput
}

func (h *questions) saveQuestion(ctx context.Context, actor *authz.Actor, in *saveQuestionIn) (*quiz.QuestionView, error) {
	return h.svc.Save(ctx, actor, in.ID.V, in.Version, in.Body)
}

func (h *questions) retireQuestion(ctx context.Context, actor *authz.Actor, in *httpkit.ByVersion) (*quiz.QuestionView, error) {
	return h.svc.Retire(ctx, actor, in.ID.V, in.Version)
}

func (h *questions) restoreQuestion(ctx context.Context, actor *authz.Actor, in *httpkit.ByVersion) (*quiz.QuestionView, error) {
	return h.svc.Restore(ctx, actor, in.ID.V, in.Version)
}

func (h *questions) deleteQuestion(ctx context.Context, actor *authz.Actor, in *httpkit.ByVersion) error {
	return h.svc.Delete(ctx, actor, in.ID.V, in.Version)
}

func (h *questions) listQuestionRevisions(ctx context.Context, actor *authz.Actor, in *idIn) (*quiz.QuestionRevisions, error) {
	return h.svc.Revisions(ctx, actor, in.ID.V)
}

func (h *questions) listTopics(ctx context.Context, actor *authz.Actor, _ *struct{}) (*quiz.TopicList, error) {
	return h.svc.Topics(ctx, actor)
}

type previewQuestionIn struct {
	Body struct {
		Content quiz.Content `json:"content"`
		Seed    int          `json:"seed,omitempty" minimum:"0" maximum:"1000000" doc:"chooses the order in which options are shown"`
	}
}

func (h *questions) previewQuestion(ctx context.Context, actor *authz.Actor, in *previewQuestionIn) (*quiz.Preview, error) {
	return h.svc.Preview(ctx, actor, in.Body.Content, uint64(in.Body.Seed))
}

type setQuestionStatesIn struct {
	Body struct {
		IDs   []ids.ID           `json:"ids" minItems:"1" maxItems:"500"`
		State quiz.QuestionState `json:"state" enum:"active,retired"`
	}
}

func (h *questions) setQuestionStates(ctx context.Context, actor *authz.Actor, in *setQuestionStatesIn) (*quiz.BulkResult, error) {
	return h.svc.SetStates(ctx, actor, in.Body.IDs, in.Body.State)
}
