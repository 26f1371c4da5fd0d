package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"

	"github.com/emmansun/gmsm/sm4"
)

// Algorithm seals. Which one is in the value, so a house may change it and
// still open what it has.
type Algorithm string

// Algorithms of a Box.
const (
	AES Algorithm = "aes" // AES-256-GCM
	SM4 Algorithm = "sm4" // SM4-GCM, 128-bit keys (GB/T 32907-2016)
)

// Algorithms lists what Using takes.
func Algorithms() []Algorithm { return []Algorithm{AES, SM4} }

// version is the first part of a sealed value.
func (a Algorithm) version() string {
	if a == SM4 {
		return "s1"
	}
	return "v1"
}

func byVersion(v string) (Algorithm, bool) {
	for _, a := range Algorithms() {
		if a.version() == v {
			return a, true
		}
	}
	return "", false
}

// nonceSize of GCM in bytes; every nonce is random and stands before the text.
const nonceSize = 12

// sealer is GCM under one key.
type sealer struct{ cipher.AEAD }

func newCipher(alg Algorithm, master []byte) (sealer, error) {
	size := 32
	if alg == SM4 {
		size = sm4.BlockSize // its keys are as long as its blocks
	}
	k, err := hkdf.Key(sha256.New, master, nil, "tongxin/seal/"+alg.version(), size)
	if err != nil {
		return sealer{}, err
	}
	newBlock := aes.NewCipher
	if alg == SM4 {
		newBlock = sm4.NewCipher
	}
	block, err := newBlock(k)
	if err != nil {
		return sealer{}, err
	}
	aead, err := cipher.NewGCM(block)
	return sealer{aead}, err
}

func (s sealer) seal(plain, aad []byte) ([]byte, error) {
	out := make([]byte, nonceSize, nonceSize+len(plain)+s.Overhead())
	if _, err := rand.Read(out); err != nil {
		return nil, err
	}
	return s.AEAD.Seal(out, out, plain, aad), nil
}

func (s sealer) open(sealed, aad []byte) ([]byte, error) {
	if len(sealed) < nonceSize {
		return nil, ErrOpen
	}
	return s.AEAD.Open(nil, sealed[:nonceSize], sealed[nonceSize:], aad)
}
