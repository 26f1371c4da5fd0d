package miniapp

import (
	"context"
	"encoding/json"
	"strconv"

	"github.com/gofiber/fiber/v2"

	"tongxin/internal/authz"
	"tongxin/internal/clock"
	"tongxin/internal/errs"
	"tongxin/internal/httpkit"
	"tongxin/internal/ids"
	"tongxin/internal/page"
	"tongxin/quiz"
)

// quizzes serves papers, attempts, the daily quiz, practice and the
// wrong-answer book of the member who asks.
type quizzes struct {
	svc   *quiz.Exams
	clock clock.Clock
}

// quizRoutes is the part of the table about them.
func quizRoutes(api *httpkit.Surface, h *quizzes) {
	api.Get("/quiz/daily", quiz.Take, "每日答题", httpkit.Read(h.getDaily))
	api.Get("/topics", quiz.Take, "知识点", httpkit.Read(h.listTopics))
	api.Post("/practice", quiz.Take, "开始练习", httpkit.Do(h.startPractice, httpkit.Idempotent()))
	api.Get("/wrong", quiz.Take, "错题本", httpkit.Read(h.listWrong))
	api.Post("/wrong/{id}/rate", quiz.Take, "错题掌握程度", httpkit.Done(h.rateWrong))
	api.Delete("/wrong/{id}", quiz.Take, "移出错题本", httpkit.Done(h.forgetWrong))
	api.Get("/papers", quiz.Take, "考试和练习", httpkit.Read(h.listPapers))
	api.Get("/papers/{id}", quiz.Take, "查看考试", httpkit.Read(h.getPaper))
	api.Post("/papers/{id}/attempts", quiz.Take, "开始作答", httpkit.Do(h.startAttempt, httpkit.Idempotent()))
	api.Get("/attempts/{id}", quiz.Take, "继续作答", httpkit.Read(h.getAttempt))
	api.Put("/attempts/{id}/answers/{n}", quiz.Take, "保存一题的答案", httpkit.Raw(h.saveAnswer, httpkit.MaxBody(maxAnswer),
		httpkit.Consumes("application/json"), httpkit.Produces("application/json"), httpkit.About("body {seq, answer}; answers {n, seq, savedAt, result?}")))
	api.Post("/attempts/{id}/answers", quiz.Take, "保存离线时的答案", httpkit.Do(h.saveAnswers))
	api.Post("/attempts/{id}/submit", quiz.Take, "交卷", httpkit.Do(h.submitAttempt))
	api.Get("/attempts/{id}/result", quiz.Take, "查看成绩", httpkit.Read(h.getResult))
}

// maxAnswer bounds the body of one answer: the longest short answer, escaped.
const maxAnswer = 64 << 10

type listPapersIn struct {
	httpkit.Paging
	State string `query:"state" enum:"open,past" doc:"open when absent: also what will open"`
}

func (h *quizzes) listPapers(ctx context.Context, actor *authz.Actor, in *listPapersIn) (*page.Result[quiz.Card], error) {
	return h.svc.Cards(ctx, actor, in.State == "past", in.Page)
}

func (h *quizzes) getPaper(ctx context.Context, actor *authz.Actor, in *httpkit.ByID) (*quiz.PaperPage, error) {
	return h.svc.Card(ctx, actor, in.ID.V)
}

func (h *quizzes) startAttempt(ctx context.Context, actor *authz.Actor, in *httpkit.ByID) (*quiz.Sheet, error) {
	return h.svc.Start(ctx, actor, in.ID.V)
}

func (h *quizzes) getAttempt(ctx context.Context, actor *authz.Actor, in *httpkit.ByID) (*quiz.Sheet, error) {
	return h.svc.Sheet(ctx, actor, in.ID.V)
}

// saveAnswer is the busiest call of the program, so it is a plain handler: no
// schema, no reflection over inputs. The domain checks the answer.
func (h *quizzes) saveAnswer(c *fiber.Ctx) error {
	at := h.clock.Now() // the arrival decides whether it is late
	id, err := ids.Parse(c.Params("id"))
	if err != nil {
		return errs.Missing("答卷")
	}
	in := quiz.AnswerIn{}
	if err := json.Unmarshal(c.Body(), &in); err != nil {
		return errs.Wrap(err, errs.Invalid, "答案的格式不正确，请刷新页面后重新作答。")
	}
	if in.N, err = strconv.Atoi(c.Params("n")); err != nil {
		return errs.Bad("n", "题号不正确，请刷新页面。")
	}
	ctx := c.UserContext()
	out, err := h.svc.SaveAnswer(ctx, httpkit.ActorOf(ctx), id, in, at)
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSON)
	if out.Answer == nil && out.Result == nil {
		return c.Send(appendSaved(nil, out))
	}
	return c.JSON(out)
}

// appendSaved writes the usual answer without reflection.
func appendSaved(b []byte, s quiz.Saved) []byte {
	b = append(b, `{"n":`...)
	b = strconv.AppendInt(b, int64(s.N), 10)
	b = append(b, `,"seq":`...)
	b = strconv.AppendInt(b, s.Seq, 10)
	b = append(b, `,"savedAt":"`...)
	b = s.SavedAt.AppendFormat(b, "2006-01-02T15:04:05.999Z07:00")
	return append(b, `"}`...)
}

type saveAnswersIn struct {
	httpkit.ByID
	Body struct {
		Answers []quiz.AnswerIn `json:"answers" minItems:"1" maxItems:"200"`
	}
}

type savedList struct {
	Items []quiz.Saved `json:"items"`
}

func (h *quizzes) saveAnswers(ctx context.Context, actor *authz.Actor, in *saveAnswersIn) (*savedList, error) {
	list, err := h.svc.SaveAnswers(ctx, actor, in.ID.V, in.Body.Answers, h.clock.Now())
	return &savedList{list}, err
}

func (h *quizzes) submitAttempt(ctx context.Context, actor *authz.Actor, in *httpkit.ByID) (*quiz.Result, error) {
	return h.svc.Submit(ctx, actor, in.ID.V)
}

func (h *quizzes) getResult(ctx context.Context, actor *authz.Actor, in *httpkit.ByID) (*quiz.Result, error) {
	return h.svc.Result(ctx, actor, in.ID.V)
}

func (h *quizzes) getDaily(ctx context.Context, actor *authz.Actor, _ *struct{}) (*quiz.DailyToday, error) {
	return h.svc.Today(ctx, actor)
}

type topicList struct {
	Items []quiz.TopicShare `json:"items"`
}

func (h *quizzes) listTopics(ctx context.Context, actor *authz.Actor, _ *struct{}) (*topicList, error) {
	list, err := h.svc.TopicShares(ctx, actor)
	return &topicList{list}, err
}

type practiceIn struct{ Body quiz.PracticeInput }

func (h *quizzes) startPractice(ctx context.Context, actor *authz.Actor, in *practiceIn) (*quiz.Sheet, error) {
	return h.svc.Practice(ctx, actor, in.Body)
}

type listWrongIn struct {
	httpkit.Paging
	Topic string `query:"topic" maxLength:"30"`
	Due   bool   `query:"due" doc:"only what is due now"`
}

func (h *quizzes) listWrong(ctx context.Context, actor *authz.Actor, in *listWrongIn) (*quiz.WrongPage, error) {
	return h.svc.Wrong(ctx, actor, in.Topic, in.Due, in.Page)
}

type rateIn struct {
	httpkit.ByID
	Body struct {
		Rating string `json:"rating" enum:"again,hard,good,easy"`
	}
}

func (h *quizzes) rateWrong(ctx context.Context, actor *authz.Actor, in *rateIn) error {
	return h.svc.Rate(ctx, actor, in.ID.V, in.Body.Rating)
}

func (h *quizzes) forgetWrong(ctx context.Context, actor *authz.Actor, in *httpkit.ByID) error {
	return h.svc.Forget(ctx, actor, in.ID.V)
}
