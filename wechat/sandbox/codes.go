package sandbox

import "fmt"

// code is an errcode; 0 means done.
type code int

// text is the platform's English errmsg.
func (c code) text() string {
	switch c {
	case 0:
		return "ok"
	case -1:
		return "system error"
	case 40001:
		return "invalid credential, access_token is invalid or not latest"
	case 40003:
		return "invalid openid"
	case 40004:
		return "invalid media type"
	case 40005:
		return "invalid file type"
	case 40006:
		return "invalid media size"
	case 40007:
		return "invalid media_id"
	case 40008:
		return "invalid message type"
	case 40009:
		return "invalid image size"
	case 40013:
		return "invalid appid"
	case 40014:
		return "invalid access_token"
	case 40029:
		return "invalid code"
	case 40033:
		return "invalid charset. please check your request, if include \\uxxxx will create fail!"
	case 40037:
		return "invalid template_id"
	case 41030:
		return "invalid page"
	case 43004:
		return "require subscribe"
	case 43101:
		return "user refuse to accept the msg"
	case 47003:
		return "argument invalid!"
	case 40035:
		return "invalid parameter"
	case 40039:
		return "invalid url size"
	case 40002:
		return "invalid grant_type"
	case 40066:
		return "invalid url"
	case 40097:
		return "invalid args"
	case 40113:
		return "unsupported file type"
	case 40125:
		return "invalid appsecret"
	case 40137:
		return "invalid image format"
	case 40163:
		return "code been used"
	case 40164:
		return "invalid ip, not in whitelist"
	case 40226:
		return "code blocked"
	case 41001:
		return "access_token missing"
	case 41002:
		return "appid missing"
	case 41004:
		return "appsecret missing"
	case 41005:
		return "media data missing"
	case 41008:
		return "missing code"
	case 42001:
		return "access_token expired"
	case 43001:
		return "require GET method"
	case 43002:
		return "require POST method"
	case 44002:
		return "empty post data"
	case 44003:
		return "empty news data"
	case 45001:
		return "media size out of limit"
	case 44004:
		return "empty content"
	case 45002:
		return "content size out of limit"
	case 45003:
		return "title size out of limit"
	case 45004:
		return "description size out of limit"
	case 45008:
		return "article size out of limit"
	case 45009:
		return "reach max api daily quota limit"
	case 45011:
		return "api minute-quota reach limit, must slower, retry next minute"
	case 45028:
		return "has no masssend quota"
	case 45065:
		return "clientmsgid exist"
	case 45067:
		return "clientmsgid size out of limit"
	case 45110:
		return "author size out of limit"
	case 45166:
		return "invalid content"
	case 47001:
		return "data format error"
	case 48001:
		return "api unauthorized"
	case 53402:
		return "invalid crop of cover"
	case 53600:
		return "invalid article id"
	case 61010:
		return "code is expired"
	case 61500:
		return "date format error"
	case 61501:
		return "date range error"
	case 76021:
		return "cgi_path not found, please check"
	}
	return fmt.Sprintf("error %d", int(c))
}

// fields is the body of an answer.
type fields map[string]any

// result is what an operation answers: a code with fields, or a code alone.
type result struct {
	code   code
	detail string // replaces code.text()
	fields fields
	note   string // for the log of calls: what it was about
	ledger func() // marks the ledger row as answered
}

func fail(c code) result                  { return result{code: c} }
func failNote(c code, note string) result { return result{code: c, note: note} }
func done(f fields, note string) result   { return result{fields: f, note: note} }
