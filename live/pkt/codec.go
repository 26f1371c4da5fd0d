package pkt

// Codec of a track.
type Codec uint8

// The codecs that are let through.
const (
	NoCodec Codec = iota
	Opus
	H264
	VP8
)

// Video reports whether the codec is one of pictures.
func (c Codec) Video() bool { return c == H264 || c == VP8 }

// Rate is how many ticks of the RTP clock a second has.
func (c Codec) Rate() int {
	if c == Opus {
		return 48000
	}
	return 90000
}

// Key reports whether a payload belongs to a picture that can be decoded without
// others. Only the packet that shows it is recognised, not every packet of it.
func (c Codec) Key(payload []byte) bool {
	switch c {
	case H264:
		return keyH264(payload)
	case VP8:
		return keyVP8(payload)
	}
	return false
}

// NAL unit types of H.264 (ITU-T H.264 table 7-1) and of its RTP packets (RFC
// 6184 table 1).
const (
	nalIDR   = 5
	nalSPS   = 7
	nalSTAPA = 24
	nalFUA   = 28
)

func keyNAL(kind byte) bool { return kind == nalIDR || kind == nalSPS }

func keyH264(b []byte) bool {
	if len(b) < 2 {
		return false
	}
	switch kind := b[0] & 0x1f; kind {
	case nalSTAPA:
		for b = b[1:]; len(b) > 2; {
			n := int(b[0])<<8 | int(b[1])
			if n == 0 || len(b) < 2+n {
				return false
			}
			if keyNAL(b[2] & 0x1f) {
				return true
			}
			b = b[2+n:]
		}
		return false
	case nalFUA:
		return b[1]&0x80 != 0 && keyNAL(b[1]&0x1f) // the first part says what it is
	default:
		return keyNAL(kind)
	}
}

// keyVP8 reads the payload descriptor (RFC 7741 §4.2) and the first bit of the
// frame header.
func keyVP8(b []byte) bool {
	if len(b) < 2 || b[0]&0x10 == 0 || b[0]&0x07 != 0 { // start of partition 0
		return false
	}
	at := 1
	if b[0]&0x80 != 0 {
		x := b[1]
		at++
		if x&0x80 != 0 { // picture id of one or two bytes
			if len(b) <= at {
				return false
			}
			if b[at]&0x80 != 0 {
				at++
			}
			at++
		}
		if x&0x40 != 0 {
			at++
		}
		if x&0x30 != 0 {
			at++
		}
	}
	return len(b) > at && b[at]&1 == 0
}
