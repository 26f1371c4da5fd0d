package pkt

import (
	"encoding/binary"
	"time"
)

// RTCP packet types and formats (RFC 3550 §12.1, RFC 4585 §6, RFC 5104 §4.3).
const (
	rtcpSR     = 200
	rtcpRR     = 201
	rtcpSDES   = 202
	rtcpBYE    = 203
	rtcpRTPFB  = 205
	rtcpPSFB   = 206
	fmtNACK    = 1
	fmtPLI     = 1
	fmtFIR     = 4
	reportLen  = 24
	rtcpHeader = 4
)

// Report is a block of a receiver about what it got from us.
type Report struct {
	SSRC    uint32
	Lost    uint8 // of 256, since the report before
	Highest uint32
	Jitter  uint32 // ticks of the clock
}

// Feedback is what a compound packet of a receiver says, in callbacks; those
// that are nil are skipped.
type Feedback struct {
	Report func(Report)
	NACK   func(ssrc uint32, seq uint16) // once for each packet that is asked for
	Key    func(ssrc uint32)             // a picture was lost (PLI) or is wanted anew (FIR)
}

// IsRTCP tells RTCP from RTP on one port (RFC 5761 §4).
func IsRTCP(b []byte) bool { return len(b) >= 8 && b[0]>>6 == 2 && b[1] >= 192 && b[1] <= 223 }

// Read walks through a compound packet. It returns false at the first part that
// is malformed; what came before was reported.
func (f *Feedback) Read(b []byte) bool {
	for len(b) > 0 {
		if len(b) < rtcpHeader || b[0]>>6 != 2 {
			return false
		}
		n := rtcpHeader + 4*int(binary.BigEndian.Uint16(b[2:]))
		if n > len(b) || !f.part(b[0]&0x1f, b[1], b[rtcpHeader:n]) {
			return false
		}
		b = b[n:]
	}
	return true
}

// part reads one packet: its count or format, its type, what follows the head.
func (f *Feedback) part(count, kind byte, b []byte) bool {
	switch kind {
	case rtcpSR:
		return len(b) >= 24 && f.reports(count, b[24:])
	case rtcpRR:
		return len(b) >= 4 && f.reports(count, b[4:])
	case rtcpRTPFB, rtcpPSFB:
		if len(b) < 8 {
			return false
		}
		f.feedback(count, kind, binary.BigEndian.Uint32(b[4:]), b[8:])
	}
	return true
}

func (f *Feedback) reports(count byte, b []byte) bool {
	if len(b) < int(count)*reportLen {
		return false
	}
	for ; count > 0 && f.Report != nil; count-- {
		f.Report(Report{
			SSRC: binary.BigEndian.Uint32(b), Lost: b[4], Highest: binary.BigEndian.Uint32(b[8:]), Jitter: binary.BigEndian.Uint32(b[12:]),
		})
		b = b[reportLen:]
	}
	return true
}

func (f *Feedback) feedback(format, kind byte, media uint32, b []byte) {
	switch {
	case kind == rtcpRTPFB && format == fmtNACK && f.NACK != nil:
		for ; len(b) >= 4; b = b[4:] {
			seq, mask := binary.BigEndian.Uint16(b), binary.BigEndian.Uint16(b[2:])
			f.NACK(media, seq)
			for i := uint16(0); mask != 0; i, mask = i+1, mask>>1 {
				if mask&1 != 0 {
					f.NACK(media, seq+i+1)
				}
			}
		}
	case kind == rtcpPSFB && format == fmtPLI && f.Key != nil:
		f.Key(media)
	case kind == rtcpPSFB && format == fmtFIR && f.Key != nil:
		for ; len(b) >= 8; b = b[8:] {
			f.Key(binary.BigEndian.Uint32(b))
		}
	}
}

// SenderReport says which moment of the sender's wall clock a timestamp means;
// players align sound and picture by it.
type SenderReport struct {
	SSRC    uint32
	At      time.Time
	TS      uint32
	Packets uint32
	Octets  uint32
}

// AppendSR writes a sender report without blocks.
func AppendSR(b []byte, r SenderReport) []byte {
	b = append(b, 0x80, rtcpSR, 0, 6)
	b = binary.BigEndian.AppendUint32(b, r.SSRC)
	b = binary.BigEndian.AppendUint64(b, NTP(r.At))
	b = binary.BigEndian.AppendUint32(b, r.TS)
	b = binary.BigEndian.AppendUint32(b, r.Packets)
	return binary.BigEndian.AppendUint32(b, r.Octets)
}

// AppendCNAME writes a description that gives several sources one name.
func AppendCNAME(b []byte, name string, ssrcs ...uint32) []byte {
	at := len(b)
	b = append(b, 0x80|byte(len(ssrcs)), rtcpSDES, 0, 0)
	for _, s := range ssrcs {
		b = binary.BigEndian.AppendUint32(b, s)
		b = append(append(b, 1, byte(len(name))), name...)
		for b = append(b, 0); (len(b)-at)%4 != 0; {
			b = append(b, 0)
		}
	}
	binary.BigEndian.PutUint16(b[at+2:], uint16((len(b)-at)/4-1))
	return b
}

// AppendBYE says that sources have ended.
func AppendBYE(b []byte, ssrcs ...uint32) []byte {
	b = append(b, 0x80|byte(len(ssrcs)), rtcpBYE, 0, byte(len(ssrcs)))
	for _, s := range ssrcs {
		b = binary.BigEndian.AppendUint32(b, s)
	}
	return b
}

// AppendRR writes a receiver report with one block.
func AppendRR(b []byte, own uint32, r Report) []byte {
	b = append(b, 0x81, rtcpRR, 0, 7)
	b = binary.BigEndian.AppendUint32(b, own)
	b = binary.BigEndian.AppendUint32(b, r.SSRC)
	b = append(b, r.Lost, 0, 0, 0)
	b = binary.BigEndian.AppendUint32(b, r.Highest)
	b = binary.BigEndian.AppendUint32(b, r.Jitter)
	return append(b, 0, 0, 0, 0, 0, 0, 0, 0) // no sender report is quoted
}

// AppendPLI asks for a key frame.
func AppendPLI(b []byte, own, media uint32) []byte {
	b = append(b, 0x80|fmtPLI, rtcpPSFB, 0, 2)
	return binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(b, own), media)
}

// AppendNACK asks for packets again, one block each.
func AppendNACK(b []byte, own, media uint32, seqs ...uint16) []byte {
	b = append(b, 0x80|fmtNACK, rtcpRTPFB, 0, byte(2+len(seqs)))
	b = binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(b, own), media)
	for _, s := range seqs {
		b = append(binary.BigEndian.AppendUint16(b, s), 0, 0)
	}
	return b
}

// ntpEpoch is 1900 seen from 1970, in seconds.
const ntpEpoch = 2208988800

// NTP is a time as RTCP writes it: seconds since 1900 and 2^-32 of a second.
func NTP(t time.Time) uint64 {
	return uint64(t.Unix()+ntpEpoch)<<32 | uint64(t.Nanosecond())<<32/1e9
}

// FromNTP is the other way round.
func FromNTP(n uint64) time.Time {
	return time.Unix(int64(n>>32)-ntpEpoch, int64(n&0xffffffff*1e9>>32))
}
