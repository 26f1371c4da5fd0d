package sfu

import (
	"context"
	"crypto/subtle"
	"strings"
	"time"

	"tongxin/internal/errs"
	"tongxin/live/pkt"
)

// Watch lets somebody look at a room; it may begin before anybody publishes. The
// token is what the session asks for from now on.
func (n *Node) Watch(_ context.Context, name, token, offer string) (Answer, error) {
	o, err := readOffer(offer)
	if err != nil {
		return Answer{}, err
	}
	v := &viewer{
		node: n, id: sessionID(), token: token, born: time.Now(), ice: newCredentials(), print: o.print,
		audioSeq: pkt.NewSeqMap(firstSeq()), videoSeq: pkt.NewSeqMap(firstSeq()), resends: resendBurst,
	}
	if err := n.enter(v.id, name, v, false); err != nil {
		return Answer{}, err
	}
	answer, err := v.answerWatch(o)
	if err != nil {
		v.Close()
		return Answer{}, err
	}
	n.peers.add(v.ice.ufrag, v)
	return Answer{ID: v.id, SDP: answer, ETag: v.etag()}, nil
}

func (v *viewer) etag() string { return etag(v.ice.ufrag + v.ice.password) }

// find returns a session of a room to who knows its token. To others it does not
// exist.
func (n *Node) find(name, id, token string) (session, error) {
	n.mu.Lock()
	s := n.sessions[id]
	n.mu.Unlock()
	var room *room
	var want string
	switch s := s.(type) {
	case *viewer:
		room, want = s.room, s.token
	case *publisher:
		room, want = s.room, s.token
	}
	if room == nil || room.name != name || subtle.ConstantTimeCompare([]byte(want), []byte(token)) != 1 {
		return nil, errs.Missing("直播会话")
	}
	return s, nil
}

// Leave ends a session.
func (n *Node) Leave(name, id, token string) error {
	s, err := n.find(name, id, token)
	if err == nil {
		s.Close()
	}
	return err
}

// Patch takes a fragment of trickle ICE (RFC 8840 §9). Candidates need nothing:
// the server is ICE-lite and answers whoever proves the password. A fragment with
// new credentials restarts ICE; restarted is the fragment to answer with. match is
// If-Match without quotes, "*" for a restart.
func (n *Node) Patch(ctx context.Context, name, id, token, match, fragment string) (restarted, tag string, err error) {
	s, err := n.find(name, id, token)
	if err != nil {
		return "", "", err
	}
	f, err := readFragment(fragment)
	if err != nil {
		return "", "", err
	}
	if match == "" {
		return "", "", errs.New(errs.Precondition, "请带上 If-Match：会话的 ETag，重新建立连接时为 *。")
	}
	switch s := s.(type) {
	case *viewer:
		return s.patch(match, f)
	case *publisher:
		return s.patch(ctx, match, f)
	}
	return "", "", errs.Missing("直播会话")
}

// fragment is application/trickle-ice-sdpfrag.
type fragment struct{ ufrag, password string }

func readFragment(text string) (fragment, error) {
	if len(text) > MaxSDP {
		return fragment{}, errs.New(errs.TooLarge, "会话描述（SDP）过大。")
	}
	var f fragment
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		if v, ok := strings.CutPrefix(line, "a=ice-ufrag:"); ok && f.ufrag == "" {
			f.ufrag = v
		}
		if v, ok := strings.CutPrefix(line, "a=ice-pwd:"); ok && f.password == "" {
			f.password = v
		}
	}
	if len(f.ufrag) < 4 || len(f.password) < 22 || len(f.ufrag) > maxICE || len(f.password) > maxICE || strings.Trim(f.ufrag+f.password, iceChars) != "" {
		return fragment{}, badOffer("a=ice-ufrag and a=ice-pwd are missing or malformed")
	}
	return f, nil
}

func stale() error { return errs.New(errs.Stale, "会话已重新建立，请使用新的 ETag。") }

func (v *viewer) patch(match string, _ fragment) (restarted, tag string, err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.closed {
		return "", "", errs.Missing("直播会话")
	}
	if match != "*" {
		if match != v.etag() {
			return "", "", stale()
		}
		return "", v.etag(), nil
	}
	// The old credentials end at once: the peer moves to the new ones with the
	// answer, and the media go on to the old address until it has proved a new one.
	v.node.peers.forgetUfrag(v.ice.ufrag)
	v.ice = newCredentials()
	v.node.peers.add(v.ice.ufrag, v)
	return "a=ice-lite\r\na=ice-ufrag:" + v.ice.ufrag + "\r\na=ice-pwd:" + v.ice.password + "\r\n" + v.node.candidateLines(), v.etag(), nil
}

// patch of a publisher restarts with its own offer under the new credentials.
func (p *publisher) patch(ctx context.Context, match string, f fragment) (restarted, tag string, err error) {
	local := p.pc.LocalDescription()
	if local == nil {
		return "", "", errs.Missing("直播会话")
	}
	if match != "*" {
		if match != etag(local.SDP) {
			return "", "", stale()
		}
		return "", match, nil
	}
	p.mu.Lock()
	offer := p.offer
	p.mu.Unlock()
	answer, err := p.answer(ctx, withCredentials(offer, f))
	if err != nil {
		return "", "", err
	}
	var b strings.Builder
	seen := map[string]bool{}
	for line := range strings.Lines(answer) {
		key, _, _ := strings.Cut(line, ":")
		switch key = strings.TrimSpace(key); key {
		case "a=ice-lite", "a=ice-ufrag", "a=ice-pwd":
			if seen[key] {
				continue
			}
			seen[key] = true
			b.WriteString(line)
		case "a=candidate":
			b.WriteString(line)
		}
	}
	return b.String() + "a=end-of-candidates\r\n", etag(answer), nil
}

// withCredentials is an offer with other ICE credentials and the next version.
func withCredentials(offer string, f fragment) string {
	var b strings.Builder
	for line := range strings.Lines(offer) {
		switch {
		case strings.HasPrefix(line, "a=ice-ufrag:"):
			line = "a=ice-ufrag:" + f.ufrag + "\r\n"
		case strings.HasPrefix(line, "a=ice-pwd:"):
			line = "a=ice-pwd:" + f.password + "\r\n"
		case strings.HasPrefix(line, "a=candidate:"), strings.HasPrefix(line, "a=end-of-candidates"):
			continue
		}
		b.WriteString(line)
	}
	return b.String()
}
