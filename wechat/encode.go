package wechat

import (
	"bytes"
	"encoding/json"
	"strconv"
	"unicode/utf8"
)

// encode writes JSON as the platform wants it: no HTML escaping and no \uXXXX,
// which it refuses (40033) or takes as text. encoding/json still writes \u for
// U+2028, U+2029, broken UTF-8 and control characters: the first three become
// themselves, control characters are dropped, as no article can show them.
func encode(v any) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	b := bytes.TrimSuffix(buf.Bytes(), []byte("\n"))
	if !bytes.Contains(b, []byte(`\u`)) {
		return b, nil
	}
	out := make([]byte, 0, len(b))
	for i := 0; i < len(b); i++ {
		if b[i] != '\\' || i+1 >= len(b) {
			out = append(out, b[i])
			continue
		}
		if b[i+1] != 'u' || i+6 > len(b) {
			out = append(out, b[i], b[i+1])
			i++
			continue
		}
		r, err := strconv.ParseUint(string(b[i+2:i+6]), 16, 16)
		if err != nil {
			return nil, err
		}
		if r >= 0x20 {
			out = utf8.AppendRune(out, rune(r))
		}
		i += 5
	}
	return out, nil
}

// flexID is an id that the platform writes as a string or as a number.
type flexID string

// UnmarshalJSON implements json.Unmarshaler. A number keeps every digit.
func (f *flexID) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		return nil
	}
	if len(b) > 0 && b[0] == '"' {
		var s string
		if err := json.Unmarshal(b, &s); err != nil {
			return err
		}
		*f = flexID(s)
		return nil
	}
	var n json.Number
	if err := json.Unmarshal(b, &n); err != nil {
		return err
	}
	*f = flexID(n)
	return nil
}

// numberIfNumeric sends an id as a number where the platform documents one.
func numberIfNumeric(id string) any {
	if _, err := strconv.ParseInt(id, 10, 64); err == nil {
		return json.Number(id)
	}
	return id
}
