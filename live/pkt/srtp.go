package pkt

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"errors"
)

// SRTP under AEAD_AES_128_GCM (RFC 7714). Other profiles are the library's.
const (
	GCMKeyLen  = 16 // of a master key
	GCMSaltLen = 12 // of a master salt
	// Tag is how many bytes sealing adds to an RTP packet.
	Tag = 16
	// rtcpTrailer is the word with the number of an SRTCP packet.
	rtcpTrailer = 4
	encrypted   = 1 << 31 // of that word
)

// Labels of the key derivation (RFC 3711 §4.3.1).
const (
	labelRTPKey   = 0
	labelRTPSalt  = 2
	labelRTCPKey  = 3
	labelRTCPSalt = 5
)

// GCM seals and opens the packets of one direction of one session. Sealing one
// number twice with different content breaks the cipher: see Packet and SeqMap.
// Not safe for concurrent use, but RTP and RTCP may be used side by side.
type GCM struct {
	rtp, rtcp         cipher.AEAD
	block             cipher.Block // of rtp, see Peek
	rtpSalt, rtcpSalt [12]byte
	iv, rtcpIV        [12]byte // here and not on the stack: they would escape into the cipher
	rtcpSeq           uint32   // of the last packet sealed
	rtcpSeen          uint32   // one beyond the newest opened
}

// NewGCM derives the session keys from a master key and salt.
func NewGCM(key, salt []byte) (*GCM, error) {
	if len(key) != GCMKeyLen || len(salt) != GCMSaltLen {
		return nil, errors.New("pkt: key or salt of the wrong length")
	}
	master, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	g := &GCM{}
	if g.block, g.rtp, err = aead(derive(master, salt, labelRTPKey)); err != nil {
		return nil, err
	}
	if _, g.rtcp, err = aead(derive(master, salt, labelRTCPKey)); err != nil {
		return nil, err
	}
	rtp, rtcp := derive(master, salt, labelRTPSalt), derive(master, salt, labelRTCPSalt)
	copy(g.rtpSalt[:], rtp[:])
	copy(g.rtcpSalt[:], rtcp[:])
	return g, nil
}

func aead(key [16]byte) (cipher.Block, cipher.AEAD, error) {
	block, err := aes.NewCipher(key[:])
	if err != nil {
		return nil, nil, err
	}
	a, err := cipher.NewGCM(block)
	return block, a, err
}

// derive is AES-CM with the label at its place (RFC 3711 §4.3.3); no result here
// is longer than one block.
func derive(master cipher.Block, salt []byte, label byte) (out [16]byte) {
	var in [16]byte
	copy(in[:14], salt)
	in[7] ^= label
	master.Encrypt(out[:], in[:])
	return out
}

// SealRTP appends the packet with header and body to dst, sealed. roc is the
// rollover counter of its number. dst must have room for all of it and not
// overlap with body.
func (g *GCM) SealRTP(dst, header, body []byte, roc uint32) []byte {
	g.setRTP(header, roc)
	at := len(dst)
	dst = append(dst, header...)
	return g.rtp.Seal(dst, g.iv[:], body, dst[at:at+len(header)])
}

func (g *GCM) setRTP(header []byte, roc uint32) {
	g.iv = g.rtpSalt
	for i := range 4 {
		g.iv[2+i] ^= header[8+i] // SSRC
	}
	binary.BigEndian.PutUint32(g.iv[6:], binary.BigEndian.Uint32(g.iv[6:])^roc)
	g.iv[10] ^= header[2]
	g.iv[11] ^= header[3]
}

// OpenRTP decrypts a packet whose header has n bytes, in place, and returns its
// body.
func (g *GCM) OpenRTP(b []byte, n int, roc uint32) ([]byte, bool) {
	if n < HeaderLen || len(b) < n+Tag {
		return nil, false
	}
	g.setRTP(b, roc)
	out, err := g.rtp.Open(b[n:n], g.iv[:], b[n:], b[:n])
	return out, err == nil
}

// Peek decrypts the first 16 bytes of a body into out without proof that they
// are genuine: what a load generator needs of most packets.
func (g *GCM) Peek(out *[16]byte, b []byte, n int, roc uint32) bool {
	if n < HeaderLen || len(b) < n+16+Tag {
		return false
	}
	g.setRTP(b, roc)
	copy(out[:], g.iv[:])
	binary.BigEndian.PutUint32(out[12:], 2) // GCM encrypts from its second counter on
	g.block.Encrypt(out[:], out[:])
	for i := range out {
		out[i] ^= b[n+i]
	}
	return true
}

// SealRTCP appends a compound packet, sealed (RFC 7714 §9).
func (g *GCM) SealRTCP(dst, plain []byte) []byte {
	g.rtcpSeq++
	word := g.rtcpSeq | encrypted
	g.setRTCP(plain, g.rtcpSeq)
	var aad [12]byte
	copy(aad[:], plain[:8])
	binary.BigEndian.PutUint32(aad[8:], word)
	dst = append(dst, plain[:8]...)
	dst = g.rtcp.Seal(dst, g.rtcpIV[:], plain[8:], aad[:])
	return binary.BigEndian.AppendUint32(dst, word)
}

func (g *GCM) setRTCP(head []byte, seq uint32) {
	g.rtcpIV = g.rtcpSalt
	for i := range 4 {
		g.rtcpIV[2+i] ^= head[4+i]
	}
	binary.BigEndian.PutUint32(g.rtcpIV[8:], binary.BigEndian.Uint32(g.rtcpIV[8:])^seq)
}

// OpenRTCP decrypts a compound packet in place. A number that was opened before,
// or is older than the newest, is refused: reports are worth nothing late.
func (g *GCM) OpenRTCP(b []byte) ([]byte, bool) {
	if len(b) < 8+Tag+rtcpTrailer {
		return nil, false
	}
	word := binary.BigEndian.Uint32(b[len(b)-rtcpTrailer:])
	seq := word &^ encrypted
	if word&encrypted == 0 || seq < g.rtcpSeen {
		return nil, false
	}
	g.setRTCP(b, seq)
	var aad [12]byte
	copy(aad[:], b[:8])
	binary.BigEndian.PutUint32(aad[8:], word)
	if _, err := g.rtcp.Open(b[8:8], g.rtcpIV[:], b[8:len(b)-rtcpTrailer], aad[:]); err != nil {
		return nil, false
	}
	g.rtcpSeen = seq + 1
	return b[:len(b)-rtcpTrailer-Tag], true
}
