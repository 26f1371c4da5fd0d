package httpkit

import (
	"errors"
	"math"
	"net/http"
	"strconv"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"tongxin/internal/errs"
)

// ProblemType is the media type of every error (RFC 9457).
const ProblemType = "application/problem+json"

// Problem is an error as clients see it. Detail is a Chinese sentence that
// says what to do; nothing in it comes from inside the server.
type Problem struct {
	Type       string       `json:"type" doc:"urn:tongxin:problem:<code>" example:"urn:tongxin:problem:invalid"`
	Title      string       `json:"title" doc:"what kind of problem, in Chinese"`
	Status     int          `json:"status"`
	Detail     string       `json:"detail" doc:"a sentence for the person, in Chinese"`
	Code       errs.Code    `json:"code" enum:"invalid,unauthorized,forbidden,not_found,conflict,stale,precondition,too_large,too_many,unsupported,upstream,unavailable,internal"`
	Fields     []errs.Field `json:"fields,omitempty" doc:"inputs that are wrong"`
	Details    any          `json:"details,omitempty" doc:"data that belongs to the problem, such as what changed"`
	RequestID  string       `json:"requestId,omitempty"`
	RetryAfter int          `json:"retryAfter,omitempty" doc:"seconds to wait before trying again"`
}

// row maps a code to HTTP.
type row struct {
	status int
	title  string
}

// rows is the one table from codes to HTTP. A test holds it complete.
func rows(code errs.Code) (row, bool) {
	switch code {
	case errs.Invalid:
		return row{http.StatusUnprocessableEntity, "填写有误"}, true
	case errs.Unauthorized:
		return row{http.StatusUnauthorized, "需要登录"}, true
	case errs.Forbidden:
		return row{http.StatusForbidden, "没有权限"}, true
	case errs.NotFound:
		return row{http.StatusNotFound, "没有找到"}, true
	case errs.Conflict:
		return row{http.StatusConflict, "当前状态不允许"}, true
	case errs.Stale:
		return row{http.StatusPreconditionFailed, "内容已被他人修改"}, true
	case errs.Precondition:
		return row{http.StatusPreconditionRequired, "缺少版本信息"}, true
	case errs.TooLarge:
		return row{http.StatusRequestEntityTooLarge, "内容过大"}, true
	case errs.TooMany:
		return row{http.StatusTooManyRequests, "操作过于频繁"}, true
	case errs.Unsupported:
		return row{http.StatusUnsupportedMediaType, "不支持"}, true
	case errs.Upstream:
		return row{http.StatusBadGateway, "外部平台未成功"}, true
	case errs.Unavailable:
		return row{http.StatusServiceUnavailable, "暂时无法服务"}, true
	case errs.Internal:
		return row{http.StatusInternalServerError, "服务器出错"}, true
	}
	return row{}, false
}

const neutral = "服务器遇到了问题，请稍后再试。如果一直这样，请把请求编号告诉管理员。"

// ProblemOf turns any error into a problem. An error that is not an *errs.Error
// is a bug or a fault inside and gets the neutral sentence.
func ProblemOf(err error, requestID string) *Problem {
	var fe *fiber.Error
	if errors.As(err, &fe) {
		return fromFiber(fe, requestID)
	}
	var e *errs.Error
	if !errors.As(err, &e) {
		e = errs.New(errs.Internal, neutral)
	}
	r, ok := rows(e.Code)
	if !ok {
		e, r = errs.New(errs.Internal, neutral), row{http.StatusInternalServerError, "服务器出错"}
	}
	p := &Problem{
		Type: "urn:tongxin:problem:" + string(e.Code), Title: r.title, Status: r.status, Detail: e.Msg,
		Code: e.Code, Fields: e.Fields, Details: e.Details, RequestID: requestID,
	}
	if e.Code == errs.Internal {
		p.Detail, p.Details = neutral, nil
	}
	if e.RetryAfter > 0 {
		p.RetryAfter = int(math.Ceil(e.RetryAfter.Seconds()))
	}
	return p
}

// fromFiber translates what the router and the parser refuse themselves.
func fromFiber(fe *fiber.Error, requestID string) *Problem {
	code, detail := errs.Internal, neutral
	switch fe.Code {
	case http.StatusNotFound:
		code, detail = errs.NotFound, "没有这个地址，请检查链接是否完整。"
	case http.StatusMethodNotAllowed:
		code, detail = errs.Unsupported, "这个地址不支持此操作。"
	case http.StatusRequestEntityTooLarge:
		code, detail = errs.TooLarge, "提交的内容超过大小限制，请压缩或分开后再试。"
	case http.StatusRequestHeaderFieldsTooLarge:
		code, detail = errs.TooLarge, "请求头过大，请清理浏览器的 Cookie 后再试。"
	case http.StatusRequestTimeout:
		code, detail = errs.Unavailable, "上传超时，请检查网络后再试。"
	case http.StatusUpgradeRequired:
		code, detail = errs.Unsupported, "这个地址只接受 WebSocket 连接。"
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
		code, detail = errs.Invalid, "请求格式不正确。"
	}
	p := ProblemOf(errs.New(code, "%s", detail), requestID)
	if p.Code != errs.Internal {
		p.Status = fe.Code
	}
	return p
}

// parserError finds the status for errors fasthttp raises before any route.
func parserError(err error) error {
	var small *fasthttp.ErrSmallBuffer
	var fe *fiber.Error
	switch {
	case errors.As(err, &fe):
		return fe
	case errors.As(err, &small):
		return fiber.ErrRequestHeaderFieldsTooLarge
	case errors.Is(err, fasthttp.ErrBodyTooLarge):
		return fiber.ErrRequestEntityTooLarge
	}
	return err
}

// GetStatus and Error make a Problem an error huma writes as it is.
func (p *Problem) GetStatus() int { return p.Status }

// Error implements error.
func (p *Problem) Error() string { return string(p.Code) + ": " + p.Detail }

// ContentType implements huma.ContentTypeFilter.
func (p *Problem) ContentType(string) string { return ProblemType }

// write sends the problem on c.
func (p *Problem) write(c *fiber.Ctx) error {
	p.headers(c)
	c.Status(p.Status)
	if err := c.JSON(p); err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, ProblemType)
	return nil
}

func (p *Problem) headers(c *fiber.Ctx) {
	if p.RetryAfter > 0 {
		c.Set(fiber.HeaderRetryAfter, strconv.Itoa(p.RetryAfter))
	}
	c.Set(fiber.HeaderCacheControl, "no-store")
}
