package wechat

import (
	"context"
)

// MaxClientMsgID is the longest clientmsgid the platform takes (34 and 36 were
// refused with 45067).
const MaxClientMsgID = 32

// MassSent is an accepted mass send.
type MassSent struct {
	MsgID     string
	MsgDataID string
	Duplicate bool // 45065: this clientmsgid was accepted before, MsgID is the old one
}

type mpnews struct {
	MediaID string `json:"media_id"`
}

// MassSendAll sends a draft to every follower, who are notified. clientMsgID
// (1–32 characters, unique per send) makes a repeat within 24 h harmless: it
// answers with the first msg_id and Duplicate. ignoreReprint sends on when the
// platform takes an article for a reprint.
func (a *Account) MassSendAll(ctx context.Context, mediaID, clientMsgID string, ignoreReprint bool) (MassSent, error) {
	o := op{path: "/cgi-bin/message/mass/sendall", effect: true}
	if mediaID == "" {
		return MassSent{}, refusal(o.name(), Permanent, 40007, "no media_id")
	}
	if n := len(clientMsgID); n == 0 || n > MaxClientMsgID {
		return MassSent{}, refusal(o.name(), Permanent, 45067, "clientmsgid of %d characters", n)
	}
	var out struct {
		MsgID     flexID `json:"msg_id"`
		MsgDataID flexID `json:"msg_data_id"`
	}
	err := a.post(ctx, o, map[string]any{
		"filter":              map[string]any{"is_to_all": true},
		"mpnews":              mpnews{mediaID},
		"msgtype":             "mpnews",
		"send_ignore_reprint": Flag(ignoreReprint),
		"clientmsgid":         clientMsgID,
	}, &out)
	sent := MassSent{MsgID: string(out.MsgID), MsgDataID: string(out.MsgDataID)}
	if CodeOf(err) == 45065 {
		sent.Duplicate = true
		return sent, nil
	}
	if err != nil {
		return MassSent{}, err
	}
	if sent.MsgID == "" {
		return MassSent{}, missing(o, "msg_id")
	}
	return sent, nil
}

// MassStatus returns msg_status: SEND_SUCCESS, SENDING, SEND_FAIL or DELETE.
func (a *Account) MassStatus(ctx context.Context, msgID string) (string, error) {
	o := op{path: "/cgi-bin/message/mass/get"}
	var out struct {
		Status string `json:"msg_status"`
	}
	if err := a.post(ctx, o, map[string]any{"msg_id": numberIfNumeric(msgID)}, &out); err != nil {
		return "", err
	}
	if out.Status == "" {
		return "", &Error{Op: o.name(), Kind: Unknown, Outcome: NotAccepted, Msg: "answer without msg_status"}
	}
	return out.Status, nil
}

// MassDelete withdraws the article at index (from 1), or All, of a mass send:
// the card stays on phones, the article behind it is gone.
func (a *Account) MassDelete(ctx context.Context, msgID string, index int) error {
	o := op{path: "/cgi-bin/message/mass/delete", effect: true}
	at, err := deleteIndex(o, index)
	if err != nil {
		return err
	}
	return a.post(ctx, o, map[string]any{"msg_id": numberIfNumeric(msgID), "article_idx": at}, nil)
}

// Preview shows a draft to one follower, named by openid; nobody else sees it
// and the draft stays in the box.
func (a *Account) Preview(ctx context.Context, mediaID, openID string) error {
	o := op{path: "/cgi-bin/message/mass/preview", effect: true}
	if openID == "" {
		return refusal(o.name(), Permanent, 40003, "no openid")
	}
	return a.post(ctx, o, map[string]any{"touser": openID, "mpnews": mpnews{mediaID}, "msgtype": "mpnews"}, nil)
}
