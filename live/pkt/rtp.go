// Package pkt is pure packet code for live video: RTP, RTCP, SRTP, STUN and the
// caches and number maps that an SFU needs. It opens no sockets, starts no
// goroutines and reads no clock. Every parser takes bytes of strangers: it never
// panics and reads nothing beyond what it was given.
package pkt

import "encoding/binary"

// HeaderLen of the RTP packets that are written here: no contributing sources,
// no extensions.
const HeaderLen = 12

// RTP is one parsed packet of somebody else (RFC 3550 §5.1). Payload points into
// the bytes it was parsed from and has no padding.
type RTP struct {
	Marker  bool
	PT      uint8
	Seq     uint16
	TS      uint32
	SSRC    uint32
	Payload []byte
}

// ParseRTP reads a packet; ok is false when it is not one.
func ParseRTP(b []byte) (p RTP, ok bool) {
	if len(b) < HeaderLen || b[0]>>6 != 2 {
		return RTP{}, false
	}
	at := HeaderLen + 4*int(b[0]&0x0f)
	if b[0]&0x10 != 0 { // extension
		if len(b) < at+4 {
			return RTP{}, false
		}
		at += 4 + 4*int(binary.BigEndian.Uint16(b[at+2:]))
	}
	end := len(b)
	if b[0]&0x20 != 0 { // padding: the last byte says how much
		pad := int(b[end-1])
		if pad == 0 {
			return RTP{}, false
		}
		end -= pad
	}
	if at > end {
		return RTP{}, false
	}
	return RTP{
		Marker: b[1]&0x80 != 0, PT: b[1] & 0x7f, Seq: binary.BigEndian.Uint16(b[2:]),
		TS: binary.BigEndian.Uint32(b[4:]), SSRC: binary.BigEndian.Uint32(b[8:]), Payload: b[at:end],
	}, true
}

// Packet is one packet of a track of a room, as all viewers get it but for
// payload type, number and cipher. It is never changed after it was put into a
// Ring: the same number with other content would be a second use of a nonce.
type Packet struct {
	Seq     int64 // of the room's own numbering, never wraps
	TS      uint32
	Payload []byte
	Pad     uint8 // how many bytes at the end of Payload are padding
	Marker  bool
	Key     bool // a viewer may start here
}

// Size is how long the packet is before it is sealed.
func (p *Packet) Size() int { return HeaderLen + len(p.Payload) }

// PutHeader writes the RTP header; b has HeaderLen bytes or more.
func (p *Packet) PutHeader(b []byte, pt uint8, seq uint16, ssrc uint32) {
	b[0] = 0x80
	if p.Pad > 0 {
		b[0] = 0xa0
	}
	b[1] = pt
	if p.Marker {
		b[1] |= 0x80
	}
	binary.BigEndian.PutUint16(b[2:], seq)
	binary.BigEndian.PutUint32(b[4:], p.TS)
	binary.BigEndian.PutUint32(b[8:], ssrc)
}

// Extend makes a number that never wraps out of one of 16 bits, the nearest to
// what came before.
func Extend(near int64, seq uint16) int64 { return near + int64(int16(seq-uint16(near))) }

// padAtMost is how many bytes of padding may be spent to make two packets equal:
// more would cost more than a second system call saves.
const padAtMost = 24

// Equalize pads packets that differ by a few bytes to the size of the longest,
// because one segmented send takes packets of one size and a shorter last one.
// Encoders cut a frame into parts that differ by a byte.
func Equalize(frame []*Packet) {
	longest := 0
	for _, p := range frame {
		longest = max(longest, p.Size())
	}
	for i, p := range frame {
		if d := longest - p.Size(); d > 0 && d <= padAtMost && i < len(frame)-1 && p.Pad == 0 {
			p.Payload = append(append(p.Payload[:len(p.Payload):len(p.Payload)], make([]byte, d-1)...), byte(d))
			p.Pad = uint8(d)
		}
	}
}
