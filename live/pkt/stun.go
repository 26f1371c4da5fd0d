package pkt

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/binary"
	"hash/crc32"
	"net/netip"
)

// STUN (RFC 8489) as an ICE-lite agent needs it: binding requests are checked and
// answered. Attribute numbers are those of RFC 8489 §18.3 and RFC 8445 §16.1.
const (
	stunHeader   = 20
	stunMagic    = 0x2112a442
	stunRequest  = 0x0001
	stunSuccess  = 0x0101
	attrUser     = 0x0006
	attrMAC      = 0x0008
	attrXorAddr  = 0x0020
	attrPriority = 0x0024
	attrUse      = 0x0025
	attrPrint    = 0x8028
	attrControl  = 0x802a
	printXor     = 0x5354554e
	macLen       = 24 // with its head
	printLen     = 8
)

// Binding is a parsed binding request or success.
type Binding struct {
	Request bool
	ID      [12]byte
	User    []byte // USERNAME, points into the message
	Use     bool   // USE-CANDIDATE: the peer wants this address
	mac     int    // where MESSAGE-INTEGRITY begins; 0: there is none
}

// IsSTUN tells STUN from what else comes to the port (RFC 7983).
func IsSTUN(b []byte) bool {
	return len(b) >= stunHeader && b[0] < 4 && binary.BigEndian.Uint32(b[4:]) == stunMagic
}

// ParseBinding reads a binding request or success response. Messages without
// MESSAGE-INTEGRITY are refused: nobody who knows the password sends one.
func ParseBinding(b []byte) (m Binding, ok bool) {
	if !IsSTUN(b) || int(binary.BigEndian.Uint16(b[2:])) != len(b)-stunHeader || len(b)%4 != 0 {
		return Binding{}, false
	}
	switch binary.BigEndian.Uint16(b) {
	case stunRequest:
		m.Request = true
	case stunSuccess:
	default:
		return Binding{}, false
	}
	copy(m.ID[:], b[8:])
	for at := stunHeader; at < len(b); {
		if len(b)-at < 4 {
			return Binding{}, false
		}
		kind, n := binary.BigEndian.Uint16(b[at:]), int(binary.BigEndian.Uint16(b[at+2:]))
		if n > len(b)-at-4 {
			return Binding{}, false
		}
		value := b[at+4 : at+4+n]
		switch {
		case kind == attrPrint:
			if n != 4 || at+printLen != len(b) || binary.BigEndian.Uint32(value) != crc32.ChecksumIEEE(b[:at])^printXor {
				return Binding{}, false
			}
		case m.mac != 0: // what follows the MAC proves nothing
		case kind == attrMAC:
			if n != sha1.Size {
				return Binding{}, false
			}
			m.mac = at
		case kind == attrUser:
			m.User = value
		case kind == attrUse:
			m.Use = true
		}
		at += 4 + (n+3)&^3
	}
	return m, m.mac != 0
}

// Local is the part of USERNAME before the colon: the name of who is asked.
func (m *Binding) Local() []byte {
	for i, c := range m.User {
		if c == ':' {
			return m.User[:i]
		}
	}
	return nil
}

// Check verifies MESSAGE-INTEGRITY of the message m was parsed from. It changes
// the length in b for the moment.
func (m *Binding) Check(b, password []byte) bool {
	length := binary.BigEndian.Uint16(b[2:])
	binary.BigEndian.PutUint16(b[2:], uint16(m.mac+macLen-stunHeader))
	h := hmac.New(sha1.New, password)
	h.Write(b[:m.mac])
	binary.BigEndian.PutUint16(b[2:], length)
	var sum [sha1.Size]byte
	return hmac.Equal(h.Sum(sum[:0]), b[m.mac+4:m.mac+macLen])
}

// AppendBindingSuccess writes the answer to a request that came from an address.
func AppendBindingSuccess(b []byte, id [12]byte, from netip.AddrPort, password []byte) []byte {
	at := len(b)
	b = stunHead(b, stunSuccess, id)
	addr := from.Addr().Unmap()
	raw := addr.AsSlice()
	b = append(b, attrXorAddr>>8, attrXorAddr&0xff, 0, byte(4+len(raw)), 0, 1)
	if addr.Is6() {
		b[len(b)-1] = 2
	}
	b = binary.BigEndian.AppendUint16(b, from.Port()^(stunMagic>>16))
	for i, c := range raw {
		b = append(b, c^b[at+4+i]) // the cookie and the id, one after the other
	}
	return stunClose(b, at, password)
}

// AppendBindingRequest writes a request of a controlling agent that nominates.
// user is "theirs:ours".
func AppendBindingRequest(b []byte, id [12]byte, user string, password []byte) []byte {
	at := len(b)
	b = stunHead(b, stunRequest, id)
	b = append(b, attrUser>>8, attrUser&0xff, byte(len(user)>>8), byte(len(user)))
	b = append(b, user...)
	for (len(b)-at)%4 != 0 {
		b = append(b, 0)
	}
	b = append(b, attrPriority>>8, attrPriority&0xff, 0, 4, 0x6e, 0x00, 0x1e, 0xff)
	b = append(b, attrUse>>8, attrUse&0xff, 0, 0)
	b = append(b, attrControl>>8, attrControl&0xff, 0, 8)
	b = append(b, id[:8]...)
	return stunClose(b, at, password)
}

func stunHead(b []byte, kind uint16, id [12]byte) []byte {
	b = binary.BigEndian.AppendUint16(b, kind)
	b = append(b, 0, 0)
	b = binary.BigEndian.AppendUint32(b, stunMagic)
	return append(b, id[:]...)
}

// stunClose adds MESSAGE-INTEGRITY and FINGERPRINT to the message from at on.
func stunClose(b []byte, at int, password []byte) []byte {
	binary.BigEndian.PutUint16(b[at+2:], uint16(len(b)-at-stunHeader+macLen))
	h := hmac.New(sha1.New, password)
	h.Write(b[at:])
	b = append(b, attrMAC>>8, attrMAC&0xff, 0, sha1.Size)
	b = h.Sum(b)
	binary.BigEndian.PutUint16(b[at+2:], uint16(len(b)-at-stunHeader+printLen))
	sum := crc32.ChecksumIEEE(b[at:]) ^ printXor
	b = append(b, attrPrint>>8, attrPrint&0xff, 0, 4)
	return binary.BigEndian.AppendUint32(b, sum)
}
