package contest

import (
	"encoding/json"
	"errors"
	"time"

	"tongxin/internal/authz"
	"tongxin/internal/call"
	"tongxin/internal/errs"
	"tongxin/internal/ids"
)

// Bus carries frames between nodes. It may lose what it carries: nothing but
// frames that can be asked for again travels here.
type Bus interface {
	Publish(subject string, data []byte) error
	Subscribe(subject string, fn func(data []byte)) (cancel func(), err error)
}

// Subjects: everything for the owner of a contest, everything for one node's
// clients, and the news that a contest has a new owner.
func subjectOwner(id ids.ID) string { return "tongxin.contest." + id.String() + ".owner" }

func subjectNode(id ids.ID, node string) string {
	return "tongxin.contest." + id.String() + ".node." + node
}
func subjectNews(id ids.ID) string { return "tongxin.contest." + id.String() + ".news" }

// seat is one connection as the owner knows it.
type seat struct {
	Conn   string  `json:"c"`
	Role   Role    `json:"r"`
	Player *Player `json:"p,omitempty"`
}

// note is what a node tells the owner.
type note struct {
	Node    string    `json:"node"`
	Attach  []seat    `json:"attach,omitempty"`
	Detach  []string  `json:"detach,omitempty"`
	Answer  *handed   `json:"answer,omitempty"`
	Control *control  `json:"control,omitempty"`
	at      time.Time // arrival at the owner's node
}

// handed is an answer on its way to the owner.
type handed struct {
	Conn   string          `json:"c"`
	Player ids.ID          `json:"p"`
	N      int             `json:"n"`
	Answer json.RawMessage `json:"a"`
}

// control is a host's command on its way to the owner. The right was asked for
// where the host is.
type control struct {
	ID      string      `json:"id"`
	Command Command     `json:"cmd"`
	Kind    authz.Kind  `json:"kind"`
	Actor   ids.ID      `json:"actor"`
	Name    string      `json:"name"`
	Call    call.Info   `json:"call"`
	answer  func(reply) // where the answer goes on the owner's node
}

// reply is what became of a control.
type reply struct {
	ID      string      `json:"id"`
	Err     *errs.Error `json:"err,omitempty"`
	Contest *Contest    `json:"contest,omitempty"`
}

// parcel is what the owner sends to one node: frames for its clients. Seq rises
// by one with each, so that a node notices what the bus lost.
type parcel struct {
	Fence int64  `json:"fence"`
	Seq   int64  `json:"seq"`
	Drops []drop `json:"drops,omitempty"`
	Reply *reply `json:"reply,omitempty"`
}

// audience says which clients a drop is for.
type audience string

const (
	everybody audience = "all"
	views     audience = "views"
	oneConn   audience = "conn"
	onePlayer audience = "player"
)

// drop is one frame: Shared for all it is for, Own merged in for each player.
type drop struct {
	To     audience                   `json:"to"`
	Conn   string                     `json:"conn,omitempty"`
	Player ids.ID                     `json:"player,omitempty"`
	Topic  topic                      `json:"topic"`
	Shared json.RawMessage            `json:"shared"`
	Own    map[ids.ID]json.RawMessage `json:"own,omitempty"`
	Kick   bool                       `json:"kick,omitempty"` // close the connections after it
}

// wireErr makes an error that may travel: its cause stays in this node's log.
func wireErr(err error) *errs.Error {
	var e *errs.Error
	if errors.As(err, &e) {
		return &errs.Error{Code: e.Code, Msg: e.Msg, Fields: e.Fields, RetryAfter: e.RetryAfter}
	}
	return errs.New(errs.Internal, "系统内部出错，请稍后再试。")
}
