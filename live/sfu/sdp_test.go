package sfu

import (
	"strings"
	"testing"

	"tongxin/internal/errs"
	"tongxin/live/pkt"
)

// chrome is the shape of what a browser offers to watch.
const chrome = "v=0\r\no=- 4611731400430051336 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1 2\r\na=msid-semantic: WMS\r\n" +
	"m=audio 9 UDP/TLS/RTP/SAVPF 111 63 9 0\r\nc=IN IP4 0.0.0.0\r\na=ice-ufrag:abcd\r\na=ice-pwd:aaaaaaaaaaaaaaaaaaaaaaaa\r\n" +
	"a=fingerprint:sha-256 00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF\r\n" +
	"a=setup:actpass\r\na=mid:0\r\na=recvonly\r\na=rtcp-mux\r\na=rtpmap:111 opus/48000/2\r\na=fmtp:111 minptime=10;useinbandfec=1\r\na=rtpmap:63 red/48000/2\r\n" +
	"m=video 9 UDP/TLS/RTP/SAVPF 96 97 103 109\r\nc=IN IP4 0.0.0.0\r\na=mid:1\r\na=recvonly\r\na=rtcp-mux\r\na=rtpmap:96 VP8/90000\r\na=rtpmap:97 rtx/90000\r\n" +
	"a=rtpmap:103 H264/90000\r\na=fmtp:103 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42001f\r\n" +
	"a=rtpmap:109 H264/90000\r\na=fmtp:109 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f\r\n" +
	"m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\na=mid:2\r\na=sctp-port:5000\r\n"

func answerFor(t testing.TB, offer string) (*viewer, string, error) {
	t.Helper()
	o, err := readOffer(offer)
	if err != nil {
		return nil, "", err
	}
	n := &Node{print: "aa:bb"}
	v := &viewer{node: n, room: newRoom(n, "r"), ice: newCredentials()}
	a, err := v.answerWatch(o)
	return v, a, err
}

func TestAnswerToAViewer(t *testing.T) {
	v, a, err := answerFor(t, chrome)
	if err != nil {
		t.Fatal(err)
	}
	if v.pt[pkt.Opus] != 111 || v.pt[pkt.H264] != 109 || v.pt[pkt.VP8] != 96 {
		t.Fatalf("payload types %v: constrained baseline is the first choice", v.pt)
	}
	for _, want := range []string{
		"a=group:BUNDLE 0 1\r\n", "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n", "m=video 9 UDP/TLS/RTP/SAVPF 109 96\r\n", "m=application 0 UDP/DTLS/SCTP webrtc-datachannel\r\n",
		"a=sendonly", "a=setup:passive", "a=ice-lite", "a=ice-ufrag:" + v.ice.ufrag,
	} {
		if !strings.Contains(a, want) {
			t.Errorf("the answer lacks %q:\n%s", want, a)
		}
	}
	if strings.Contains(a, "rtx") || strings.Contains(a, "red/") {
		t.Error("the answer promises what is not sent")
	}
	if _, err := readOffer(a); err != nil && !errs.Is(err, errs.Invalid) {
		t.Error(err)
	}
}

func FuzzSDP(f *testing.F) {
	f.Add(chrome)
	f.Add(strings.ReplaceAll(chrome, "\r\n", "\n"))
	f.Add("v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=rtcp-mux\r\na=mid:\r\n")
	f.Add("a=ice-ufrag:abcd\r\na=ice-pwd:aaaaaaaaaaaaaaaaaaaaaaaa\r\n")
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := readFragment(text); err != nil && errs.CodeOf(err) == errs.Internal {
			t.Fatal(err)
		}
		_, a, err := answerFor(t, text)
		if err != nil {
			if errs.CodeOf(err) == errs.Internal {
				t.Fatal(err)
			}
			return
		}
		// Whatever was offered, lines are ours: nothing of the offer makes a new one.
		for line := range strings.Lines(a) {
			if !strings.HasSuffix(line, "\r\n") || len(line) < 4 || line[1] != '=' || strings.ContainsAny(line[:len(line)-2], "\r\n") {
				t.Fatalf("line %q in the answer to %q", line, text)
			}
		}
		if len(a) > len(text)+8000 {
			t.Fatalf("an answer of %d bytes to %d", len(a), len(text))
		}
	})
}
