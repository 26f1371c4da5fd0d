package render

import (
	"hash/fnv"
	"math/bits"
	"unicode"
)

// NearDuplicate is the Distance up to which two texts are worth showing to a
// person as the same story. In the tests, on notices of 100 to 200 characters
// (the hardest case: longer texts move less), a changed date, a changed word, a
// new opening and a missing last sentence move a SimHash by 4 to 9 bits; two
// notices from one template about different things, and unrelated texts, differ
// by 29 and more. Never block on a hit alone.
const NearDuplicate = 10

// shingle is how many characters make one feature. Two is too common in
// Chinese, four too fragile for short notices.
const shingle = 3

// SimHash is a 64-bit fingerprint (Charikar 2002) over three-character
// shingles of letters, digits and Han characters; case, punctuation and white
// space do not count. 0 for a text without any.
func SimHash(text string) uint64 {
	var votes [64]int
	n := 0
	shingles(text, func(h uint64) {
		n++
		for i := range votes {
			votes[i] += int(h>>i&1)*2 - 1
		}
	})
	if n == 0 {
		return 0
	}
	var out uint64
	for i, v := range votes {
		if v > 0 {
			out |= 1 << i
		}
	}
	if out == 0 {
		return 1 // 0 stands for "no text"
	}
	return out
}

// Distance is the number of bits in which two fingerprints differ, 0–64. A
// text without words is far from everything.
func Distance(a, b uint64) int {
	if a == 0 || b == 0 {
		return 64
	}
	return bits.OnesCount64(a ^ b)
}

func shingles(text string, each func(uint64)) {
	var window [shingle]rune
	n := 0
	for _, c := range text {
		if !unicode.IsLetter(c) && !unicode.IsDigit(c) {
			continue
		}
		copy(window[:], window[1:])
		window[shingle-1] = unicode.ToLower(c)
		if n++; n >= shingle {
			each(hashRunes(window[:]))
		}
	}
	if n > 0 && n < shingle {
		each(hashRunes(window[shingle-n:]))
	}
}

func hashRunes(rs []rune) uint64 {
	h := fnv.New64a()
	var b [4]byte
	for _, r := range rs {
		b = [4]byte{byte(r), byte(r >> 8), byte(r >> 16), byte(r >> 24)}
		h.Write(b[:])
	}
	// FNV's high bits move little for short input; finish with a mixer.
	x := h.Sum64()
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	x *= 0xc4ceb9fe1a85ec53
	return x ^ x>>33
}
