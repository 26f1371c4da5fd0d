package sfu

import (
	"errors"

	"github.com/pion/dtls/v3"
	"github.com/pion/srtp/v3"

	"tongxin/live/pkt"
)

// exporterLabel of RFC 5764 §4.2.
const exporterLabel = "EXTRACTOR-dtls_srtp"

// keys protect what goes to a viewer and open what it says. Sealing is the
// shard's, opening that of the reading goroutines under the viewer's lock.
type keys interface {
	// sealRTP appends a packet; own is its number without wrapping.
	sealRTP(dst, header, body []byte, own int64) []byte
	sealRTCP(dst, plain []byte) []byte
	openRTCP(b []byte) ([]byte, bool)
	tag() int // bytes that sealRTP adds
}

// profiles in the order of our choice: browsers list the older one first, and the
// server decides. It takes five times as long for a packet.
func profiles() []dtls.SRTPProtectionProfile {
	return []dtls.SRTPProtectionProfile{dtls.SRTP_AEAD_AES_128_GCM, dtls.SRTP_AES128_CM_HMAC_SHA1_80}
}

// keysOf takes the keys of a finished handshake, ours as its server.
func keysOf(conn *dtls.Conn) (keys, error) {
	profile, ok := conn.SelectedSRTPProtectionProfile()
	state, known := conn.ConnectionState()
	if !ok || !known {
		return nil, errors.New("sfu: the peer agreed to no SRTP profile")
	}
	salt := pkt.GCMSaltLen
	if profile == dtls.SRTP_AES128_CM_HMAC_SHA1_80 {
		salt = 14
	}
	const key = pkt.GCMKeyLen // of both
	m, err := state.ExportKeyingMaterial(exporterLabel, nil, 2*key+2*salt)
	if err != nil {
		return nil, err
	}
	theirs, ours := m[:key], m[key:2*key]
	theirSalt, ourSalt := m[2*key:2*key+salt], m[2*key+salt:]
	if profile == dtls.SRTP_AEAD_AES_128_GCM {
		k := &gcmKeys{}
		if k.out, err = pkt.NewGCM(ours, ourSalt); err != nil {
			return nil, err
		}
		k.in, err = pkt.NewGCM(theirs, theirSalt)
		return k, err
	}
	k := &cmKeys{}
	if k.out, err = srtp.CreateContext(ours, ourSalt, srtp.ProtectionProfileAes128CmHmacSha1_80); err != nil {
		return nil, err
	}
	k.in, err = srtp.CreateContext(theirs, theirSalt, srtp.ProtectionProfileAes128CmHmacSha1_80, srtp.SRTCPReplayProtection(64))
	return k, err
}

type gcmKeys struct{ out, in *pkt.GCM }

func (k *gcmKeys) sealRTP(dst, header, body []byte, own int64) []byte {
	return k.out.SealRTP(dst, header, body, uint32(own>>16))
}
func (k *gcmKeys) sealRTCP(dst, plain []byte) []byte { return k.out.SealRTCP(dst, plain) }
func (k *gcmKeys) openRTCP(b []byte) ([]byte, bool)  { return k.in.OpenRTCP(b) }
func (k *gcmKeys) tag() int                          { return pkt.Tag }

// cmKeys are AES128_CM_HMAC_SHA1_80, by the library.
type cmKeys struct {
	out, in *srtp.Context
	buf     []byte
}

func (k *cmKeys) sealRTP(dst, header, body []byte, _ int64) []byte {
	k.buf = append(append(k.buf[:0], header...), body...)
	out, err := k.out.EncryptRTP(nil, k.buf, nil)
	if err != nil {
		return dst
	}
	return append(dst, out...)
}

func (k *cmKeys) sealRTCP(dst, plain []byte) []byte {
	out, err := k.out.EncryptRTCP(nil, plain, nil)
	if err != nil {
		return dst
	}
	return append(dst, out...)
}

func (k *cmKeys) openRTCP(b []byte) ([]byte, bool) {
	out, err := k.in.DecryptRTCP(nil, b, nil)
	return out, err == nil
}

func (k *cmKeys) tag() int { return 10 }
