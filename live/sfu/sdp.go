package sfu

import (
	"crypto"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/pion/sdp/v3"

	"tongxin/internal/errs"
	"tongxin/live/pkt"
)

// Limits of an offer beyond its size.
const (
	maxMedia   = 16
	maxFormats = 64
	maxICE     = 256 // characters of ufrag and password (RFC 8839 §5.4)
)

// Answer is what a WHIP or WHEP client gets.
type Answer struct {
	ID   string // of the session, part of its address
	SDP  string
	ETag string // of the ICE session, without quotes
}

// offerPrint is the fingerprint of the peer's certificate.
type offerPrint struct {
	hash  crypto.Hash
	value string // upper-case hexadecimal with colons
}

// offerMedia is one m-line.
type offerMedia struct {
	kind, mid string
	proto     string
	formats   []string
	receives  bool
	mux       bool
	codecs    map[pkt.Codec]offerCodec
}

// offerCodec is how a viewer wants a codec.
type offerCodec struct {
	pt   uint8
	fmtp string
	rank int // smaller is better
}

// watchOffer is what matters of a viewer's offer.
type watchOffer struct {
	media []offerMedia
	print offerPrint
	ufrag string
}

func badOffer(format string, args ...any) error {
	e := errs.New(errs.Invalid, "播放程序的会话描述（SDP）不正确，请刷新页面或更新程序后重试。")
	e.Fields = []errs.Field{{Name: "sdp", Msg: fmt.Sprintf(format, args...)}}
	return e
}

func checkOffer(offer string) error {
	if len(offer) > MaxSDP {
		return errs.New(errs.TooLarge, "会话描述（SDP）过大。")
	}
	if !strings.HasPrefix(offer, "v=0") {
		return badOffer("it does not begin with v=0")
	}
	if strings.Count(offer, "\nm=") > maxMedia {
		return badOffer("more than %d media", maxMedia)
	}
	return nil
}

// readOffer parses a viewer's offer.
func readOffer(text string) (*watchOffer, error) {
	if err := checkOffer(text); err != nil {
		return nil, err
	}
	var d sdp.SessionDescription
	if err := d.UnmarshalString(text); err != nil {
		return nil, badOffer("it cannot be read")
	}
	o := &watchOffer{}
	ice := func(get func(string) (string, bool)) error {
		if v, ok := get("ice-ufrag"); ok {
			o.ufrag = v
		}
		if v, ok := get("setup"); ok && v == "passive" {
			return badOffer("a=setup:passive: the server is passive")
		}
		if v, ok := get("fingerprint"); ok && (o.print.value == "" || o.print.hash != crypto.SHA256) {
			return o.readPrint(v)
		}
		return nil
	}
	if err := ice(d.Attribute); err != nil {
		return nil, err
	}
	for _, m := range d.MediaDescriptions {
		if err := ice(m.Attribute); err != nil {
			return nil, err
		}
		o.media = append(o.media, readMedia(m))
	}
	switch {
	case len(o.media) == 0:
		return nil, badOffer("no media")
	case o.print.value == "":
		return nil, badOffer("no a=fingerprint with sha-256 or stronger")
	case o.ufrag == "" || len(o.ufrag) > maxICE:
		return nil, badOffer("no a=ice-ufrag")
	}
	return o, nil
}

func (o *watchOffer) readPrint(v string) error {
	name, value, _ := strings.Cut(v, " ")
	hashes := map[string]crypto.Hash{"sha-256": crypto.SHA256, "sha-384": crypto.SHA384, "sha-512": crypto.SHA512}
	h, ok := hashes[strings.ToLower(name)]
	if !ok {
		return nil // another line may have a better one
	}
	if raw, err := hex.DecodeString(strings.ReplaceAll(value, ":", "")); err != nil || len(raw) != h.Size() {
		return badOffer("a=fingerprint has the wrong length")
	}
	o.print = offerPrint{h, value}
	return nil
}

func readMedia(m *sdp.MediaDescription) offerMedia {
	out := offerMedia{kind: m.MediaName.Media, proto: strings.Join(m.MediaName.Protos, "/"), formats: m.MediaName.Formats, receives: true, codecs: map[pkt.Codec]offerCodec{}}
	out.mid, _ = m.Attribute("mid")
	maps, fmtps := map[string]string{}, map[string]string{}
	for _, a := range m.Attributes {
		switch a.Key {
		case "sendonly", "inactive":
			out.receives = false
		case "rtcp-mux":
			out.mux = true
		case "rtpmap":
			pt, v, _ := strings.Cut(a.Value, " ")
			maps[pt] = strings.ToLower(v)
		case "fmtp":
			pt, v, _ := strings.Cut(a.Value, " ")
			fmtps[pt] = v
		}
	}
	for i, f := range m.MediaName.Formats {
		pt, err := strconv.ParseUint(f, 10, 7)
		if err != nil || pt == 0 || i >= maxFormats {
			continue
		}
		codec, rank := codecOf(out.kind, maps[f], fmtps[f])
		if old, have := out.codecs[codec]; codec != pkt.NoCodec && (!have || rank < old.rank) {
			out.codecs[codec] = offerCodec{uint8(pt), fmtps[f], rank}
		}
	}
	return out
}

// codecOf knows the codecs and how well a variant suits: H.264 in constrained
// baseline, which is what browsers and most programs send.
func codecOf(kind, name, fmtp string) (pkt.Codec, int) {
	switch {
	case kind == "audio" && strings.HasPrefix(name, "opus/48000"):
		return pkt.Opus, 0
	case kind == "video" && name == "vp8/90000":
		return pkt.VP8, 0
	case kind == "video" && name == "h264/90000" && strings.Contains(fmtp, "packetization-mode=1"):
		for rank, profile := range []string{"42e0", "42c0", "4200", "4d00", "6400", "640c"} {
			if strings.Contains(strings.ToLower(fmtp), "profile-level-id="+profile) {
				return pkt.H264, rank
			}
		}
		return pkt.H264, 10
	}
	return pkt.NoCodec, 0
}

// answerWatch writes the answer for a viewer and notes its payload types. Only the
// first sound and the first video are used.
func (v *viewer) answerWatch(o *watchOffer) (string, error) {
	var mids, body []string
	taken := map[string]bool{}
	candidates := v.node.candidateLines()
	for _, m := range o.media {
		used := (m.kind == "audio" || m.kind == "video") && m.receives && m.mux && m.mid != "" && len(m.codecs) > 0 &&
			strings.HasSuffix(m.proto, "TLS/RTP/SAVPF") && !taken[m.kind]
		if !used {
			body = append(body, refusedMedia(m))
			continue
		}
		taken[m.kind] = true
		mids = append(mids, m.mid)
		body = append(body, v.answerMedia(m, candidates))
		candidates = "" // all media share the first one's way
	}
	if len(mids) == 0 {
		return "", badOffer("no media that receives H.264, VP8 or Opus with a=mid and a=rtcp-mux")
	}
	head := "v=0\r\no=- " + strconv.FormatInt(v.born.UnixMilli(), 10) + " 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n" +
		"a=group:BUNDLE " + strings.Join(mids, " ") + "\r\na=ice-lite\r\na=msid-semantic: WMS *\r\n"
	return head + strings.Join(body, ""), nil
}

func refusedMedia(m offerMedia) string {
	format := "0"
	if len(m.formats) > 0 {
		format = m.formats[0]
	}
	out := "m=" + m.kind + " 0 " + m.proto + " " + format + "\r\nc=IN IP4 0.0.0.0\r\na=inactive\r\n"
	if m.mid != "" {
		out += "a=mid:" + m.mid + "\r\n"
	}
	return out
}

func (v *viewer) answerMedia(m offerMedia, candidates string) string {
	var formats, maps strings.Builder
	r := v.room
	ssrc := r.audio.ssrc
	if m.kind == "video" {
		ssrc = r.video.ssrc
	}
	for _, codec := range []pkt.Codec{pkt.Opus, pkt.H264, pkt.VP8} {
		c, ok := m.codecs[codec]
		if !ok {
			continue
		}
		v.pt[codec] = c.pt
		fmt.Fprintf(&formats, " %d", c.pt)
		fmt.Fprintf(&maps, "a=rtpmap:%d %s\r\n", c.pt, map[pkt.Codec]string{pkt.Opus: "opus/48000/2", pkt.H264: "H264/90000", pkt.VP8: "VP8/90000"}[codec])
		switch {
		case codec == pkt.Opus:
			fmt.Fprintf(&maps, "a=fmtp:%d minptime=10;useinbandfec=1;stereo=1\r\na=rtcp-fb:%d nack\r\n", c.pt, c.pt)
		case c.fmtp != "":
			fmt.Fprintf(&maps, "a=fmtp:%d %s\r\n", c.pt, c.fmtp)
		}
		if codec.Video() {
			fmt.Fprintf(&maps, "a=rtcp-fb:%d nack\r\na=rtcp-fb:%d nack pli\r\na=rtcp-fb:%d ccm fir\r\n", c.pt, c.pt, c.pt)
		}
	}
	return "m=" + m.kind + " 9 " + m.proto + formats.String() + "\r\nc=IN IP4 0.0.0.0\r\na=mid:" + m.mid + "\r\n" +
		"a=ice-ufrag:" + v.ice.ufrag + "\r\na=ice-pwd:" + v.ice.password + "\r\n" +
		"a=fingerprint:sha-256 " + strings.ToUpper(v.node.print) + "\r\na=setup:passive\r\na=sendonly\r\na=rtcp-mux\r\na=rtcp-rsize\r\n" + maps.String() +
		fmt.Sprintf("a=msid:%s %s\r\na=ssrc:%d cname:%s\r\n", r.stream, m.kind, ssrc, r.stream) + candidates
}

// candidateLines are the node's addresses as SDP writes them (RFC 8839 §5.1).
func (n *Node) candidateLines() string {
	var b strings.Builder
	for i, a := range n.candidates() {
		// Host candidates of one component: type preference 126 (RFC 8445 §5.1.2.1).
		fmt.Fprintf(&b, "a=candidate:%d 1 udp %d %s %d typ host\r\n", i+1, 126<<24|(65535-i)<<8|255, a.Addr(), a.Port())
	}
	return b.String() + "a=end-of-candidates\r\n"
}

// etag names one ICE session of a description.
func etag(answer string) string {
	sum := sha256.Sum256([]byte(answer))
	return hex.EncodeToString(sum[:8])
}
