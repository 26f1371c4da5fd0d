package handlers

import (
	"context"
	"net/url"
	"time"

	"github.com/gofiber/fiber/v2"

	"tongxin/internal/authz"
	"tongxin/internal/errs"
	"tongxin/internal/httpkit"
	"tongxin/internal/ids"
	"tongxin/internal/page"
	"tongxin/quiz"
	"tongxin/quiz/exchange"
)

// bank is the part of the table about the question bank.
func bank(api *httpkit.Surface, d Deps) {
	h := &questions{svc: d.Bank, files: exchange.NewImporter(d.Bank)}
	api.Get("/questions", quiz.Read, "题库", httpkit.Read(h.listQuestions))
	api.Post("/questions", quiz.Manage, "新建题目", httpkit.Create(h.createQuestion))
	api.Post("/questions/preview", quiz.Read, "预览题目", httpkit.Do(h.previewQuestion, heavy()))
	api.Post("/questions/states", quiz.Manage, "批量启用或停用题目", httpkit.Do(h.setQuestionStates))
	api.Get("/questions/template.xlsx", quiz.Read, "题库模板", httpkit.Raw(h.questionTemplate, httpkit.Produces(xlsxMime)))
	api.Get("/questions/export", quiz.Read, "导出题库", httpkit.Raw(h.exportQuestions, heavy(), httpkit.Produces("application/octet-stream"), httpkit.Timeout(2*time.Minute),
		httpkit.Query("format", "xlsx or gift"), httpkit.Query("orgId", "whose bank; absent: all that can be read"), httpkit.Query("kind", ""),
		httpkit.Query("state", "active when absent, all for every state"), httpkit.Query("difficulty", ""), httpkit.Query("topic", ""), httpkit.Query("q", "")))
	api.Post("/questions/import", quiz.Manage, "导入题库", httpkit.Raw(h.importQuestions, heavy(), httpkit.MaxBody(exchange.MaxFile), httpkit.Consumes("application/octet-stream"),
		httpkit.Produces("application/json"), httpkit.About("the body is the file"), httpkit.Timeout(2*time.Minute),
		httpkit.Query("format", "xlsx, gift, aiken or moodle"), httpkit.Query("orgId", "whose bank"), httpkit.Query("dryRun", "true: check only"),
		httpkit.Query("skipWrong", "true: write what is well although something is not"), httpkit.Query("state", "draft when absent, or active"),
		httpkit.Query("topic", "of questions that name none"), httpkit.Query("difficulty", "of questions that name none")))
	api.Get("/questions/{id}", quiz.Read, "查看题目", httpkit.Read(h.getQuestion))
	api.Put("/questions/{id}", quiz.Manage, "修改题目", httpkit.Edit(h.saveQuestion))
	api.Delete("/questions/{id}", quiz.Manage, "删除题目", httpkit.Done(h.deleteQuestion, httpkit.About("only one that was never active; asks for If-Match")))
	api.Post("/questions/{id}/retire", quiz.Manage, "停用题目", httpkit.Edit(h.retireQuestion))
	api.Post("/questions/{id}/restore", quiz.Manage, "启用题目", httpkit.Edit(h.restoreQuestion))
	api.Get("/questions/{id}/revisions", quiz.Read, "题目的历史版本", httpkit.Read(h.listQuestionRevisions))
	api.Get("/topics", quiz.Read, "知识点", httpkit.Read(h.listTopics))
}

type questions struct {
	svc   *quiz.Bank
	files *exchange.Importer
}

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

func (h *questions) questionTemplate(c *fiber.Ctx) error {
	body, err := exchange.Template()
	if err != nil {
		return err
	}
	return sendSheet(c, "题库模板.xlsx", body)
}

// importQuestions takes the file as the body; format says what it is.
func (h *questions) importQuestions(c *fiber.Ctx) error {
	org, err := queryID(c, "orgId")
	if err != nil {
		return err
	}
	state := quiz.QuestionState(c.Query("state", string(quiz.Draft)))
	if state != quiz.Draft && state != quiz.Active {
		return errs.Bad("state", "导入后的状态只能是草稿或启用。")
	}
	ctx := c.UserContext()
	rep, err := h.files.Import(ctx, httpkit.ActorOf(ctx), c.Body(), exchange.Ask{
		Format:    exchange.Format(c.Query("format")),
		Defaults:  exchange.Defaults{Topic: c.Query("topic"), Difficulty: c.QueryInt("difficulty")},
		ImportAsk: quiz.ImportAsk{OrgID: org, State: state, DryRun: c.QueryBool("dryRun"), SkipWrong: c.QueryBool("skipWrong")},
	})
	if err != nil {
		return err
	}
	return c.JSON(rep)
}

func (h *questions) exportQuestions(c *fiber.Ctx) error {
	org, err := queryID(c, "orgId")
	if err != nil {
		return err
	}
	format := c.Query("format")
	if format != string(exchange.XLSX) && format != string(exchange.GIFT) {
		return errs.Bad("format", "导出格式只能是 xlsx 或 gift。")
	}
	f := quiz.QuestionFilter{
		OrgID: org, Kind: quiz.Kind(c.Query("kind")), State: quiz.QuestionState(c.Query("state", string(quiz.Active))),
		Difficulty: c.QueryInt("difficulty"), Topic: c.Query("topic"), Query: c.Query("q"),
	}
	if f.State == "all" {
		f.State = ""
	}
	ctx := c.UserContext()
	list, err := h.svc.Export(ctx, httpkit.ActorOf(ctx), f, format)
	if err != nil {
		return err
	}
	if format == string(exchange.XLSX) {
		body, err := exchange.WriteXLSX(list)
		if err != nil {
			return err
		}
		return sendSheet(c, "题库.xlsx", body)
	}
	body, _ := exchange.WriteGIFT(list) // what is left out stands at its head
	c.Set(fiber.HeaderContentType, "text/plain; charset=utf-8")
	c.Set(fiber.HeaderCacheControl, "no-store")
	c.Set(fiber.HeaderContentDisposition, "attachment; filename*=UTF-8''"+url.PathEscape("题库.gift.txt"))
	return c.Send(body)
}
