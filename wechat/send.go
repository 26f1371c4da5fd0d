package wechat

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// maxAnswer bounds an answer: 20 published messages of 8 articles of up to
// 1 MB would be more, but nobody pages that wide with content.
const maxAnswer = 32 << 20

// progress says how far a request can have come.
type progress = int32

const (
	unseen  progress = iota // the transport told nothing: assume the worst
	dialing                 // no connection yet, so nothing was written
	written                 // a connection was there: bytes may have left
)

// wire is one request as it goes out, without the token.
type wire struct {
	method      string
	path        string // "/cgi-bin/draft/add"
	query       url.Values
	contentType string
	body        []byte
	timeout     time.Duration
	// once is for a GET that has an effect: net/http makes a GET a second time
	// when a kept connection closes without an answer. A POST it does not.
	once bool
}

// send makes one attempt and returns the answer's body. On failure it says
// whether bytes may have left. The transport itself repeats a POST only when it
// wrote nothing, and then asks for a connection anew, which resets the mark.
func (c *Client) send(ctx context.Context, w wire) (body []byte, left bool, err error) {
	if err := ctx.Err(); err != nil {
		return nil, false, err
	}
	ctx, cancel := context.WithTimeout(ctx, w.timeout)
	defer cancel()
	var at atomic.Int32
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn: func(string) { at.Store(dialing) },
		GotConn: func(httptrace.GotConnInfo) { at.Store(written) },
	})
	target := url.URL{Scheme: "https", Host: apiHost, Path: w.path, RawQuery: w.query.Encode()}
	req, err := http.NewRequestWithContext(ctx, w.method, target.String(), bytes.NewReader(w.body))
	if err != nil {
		return nil, false, err
	}
	if w.contentType != "" {
		req.Header.Set("Content-Type", w.contentType)
	}
	if w.once { // an empty body that cannot be read again makes it no longer replayable
		req.Body, req.GetBody, req.ContentLength = io.NopCloser(strings.NewReader("")), nil, 0
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, at.Load() != dialing && !errors.Is(err, errHostRefused), err
	}
	defer func() {
		if cerr := resp.Body.Close(); cerr != nil {
			c.log.Debug("wechat: close answer", "path", w.path, "err", reason(cerr))
		}
	}()
	body, err = io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		return nil, true, err
	}
	if len(body) > maxAnswer {
		return nil, true, errors.New("answer too large")
	}
	if resp.StatusCode != http.StatusOK {
		return nil, true, statusError(resp.StatusCode)
	}
	return body, true, nil
}

// statusError is an answer that did not come from the API itself but from a
// gateway before it: it says nothing about what happened behind.
type statusError int

func (s statusError) Error() string {
	return "http status " + http.StatusText(int(s))
}

// reason names a transport failure without address or token: errors of
// net/http carry the whole URL.
func reason(err error) string {
	var dns *net.DNSError
	var status statusError
	switch {
	case errors.Is(err, errHostRefused):
		return "host refused"
	case errors.Is(err, context.Canceled):
		return "cancelled"
	case errors.Is(err, context.DeadlineExceeded):
		return "timed out"
	case errors.As(err, &status):
		return status.Error()
	case errors.As(err, &dns):
		return "name lookup failed"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return "connection lost"
	case strings.Contains(err.Error(), "x509:") || strings.Contains(err.Error(), "tls:"):
		return "TLS failed"
	}
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		return "timed out"
	}
	return "transport failed"
}
