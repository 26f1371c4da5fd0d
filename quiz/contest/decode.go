package contest

import (
	"encoding/json"
	"strconv"

	"tongxin/quiz"
)

// MaxFrame is the longest frame a client may send, in bytes.
const MaxFrame = 4 << 10

// ClientFrame is what a client says: an answer, a ping, or hello, which asks for
// everything anew.
type ClientFrame struct {
	Type   string      `json:"type"`
	N      int         `json:"n"`
	Answer quiz.Answer `json:"answer"`
}

// DecodeFrame reads one frame of a client. It refuses what the protocol does not
// have; whether an answer fits its question is the engine's to say.
func DecodeFrame(b []byte) (ClientFrame, *Refusal) {
	var f ClientFrame
	if len(b) > MaxFrame {
		return f, refuse("invalid", "消息太长。")
	}
	if err := json.Unmarshal(b, &f); err != nil {
		return ClientFrame{}, refuse("invalid", "消息格式不正确。")
	}
	switch f.Type {
	case "ping", "hello":
		return ClientFrame{Type: f.Type}, nil
	case "answer":
		if f.N < 1 || f.N > MaxQuestions {
			return ClientFrame{}, refuse("invalid", "题号不正确。")
		}
		return f, nil
	}
	return ClientFrame{}, refuse("invalid", "没有这种消息。")
}

func itoa(n int) string { return strconv.Itoa(n) }
