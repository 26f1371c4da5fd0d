package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"time"
)

// wire is one keep-alive connection of one client: as little HTTP/1.1 as a
// measurement needs, so that the machine's time goes to the server and not to
// the generator. The same client measures the peer.
type wire struct {
	addr string
	conn net.Conn
	in   *bufio.Reader
	out  []byte
	body []byte
	till time.Time // deadline of the connection
}

func newWire(addr string) *wire { return &wire{addr: addr} }

func (w *wire) close() {
	if w.conn != nil {
		_ = w.conn.Close() // the measurement is over
		w.conn = nil
	}
}

// do sends a request and returns status and body; the body is valid until the
// next call. head is everything between the request line and the length.
func (w *wire) do(method, path, head string, body []byte) (int, []byte, error) {
	if w.conn == nil {
		conn, err := net.DialTimeout("tcp", w.addr, 10*time.Second)
		if err != nil {
			return 0, nil, err
		}
		w.conn, w.in, w.till = conn, bufio.NewReaderSize(conn, 4096), time.Time{}
	}
	b := append(append(append(append(w.out[:0], method...), ' '), path...), " HTTP/1.1\r\nHost: "...)
	b = append(append(append(b, w.addr...), "\r\nContent-Type: application/json\r\n"...), head...)
	b = append(strconv.AppendInt(append(b, "Content-Length: "...), int64(len(body)), 10), "\r\n\r\n"...)
	w.out = append(b, body...)
	status, answer, err := w.exchange()
	if err != nil {
		w.close()
	}
	return status, answer, err
}

func (w *wire) exchange() (status int, body []byte, err error) {
	// Moved on only now and then: a timer for each call would cost the machine
	// more than the answer does.
	if now := time.Now(); w.till.Sub(now) < 30*time.Second {
		w.till = now.Add(time.Minute)
		if err := w.conn.SetDeadline(w.till); err != nil {
			return 0, nil, err
		}
	}
	if _, err := w.conn.Write(w.out); err != nil {
		return 0, nil, err
	}
	line, err := w.in.ReadSlice('\n')
	if err != nil {
		return 0, nil, err
	}
	if len(line) < 12 {
		return 0, nil, fmt.Errorf("not HTTP: %q", line)
	}
	if status, err = strconv.Atoi(string(line[9:12])); err != nil {
		return 0, nil, err
	}
	length := -1
	for {
		if line, err = w.in.ReadSlice('\n'); err != nil {
			return 0, nil, err
		}
		if len(line) <= 2 {
			break
		}
		if name, value, ok := bytes.Cut(line, []byte(":")); ok && bytes.EqualFold(name, []byte("Content-Length")) {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil {
				return 0, nil, err
			}
		}
	}
	if length < 0 && status != 204 {
		return 0, nil, errors.New("an answer without a length")
	}
	if length = max(length, 0); cap(w.body) < length {
		w.body = make([]byte, length)
	}
	w.body = w.body[:length]
	_, err = io.ReadFull(w.in, w.body)
	return status, w.body, err
}
