package ids

import "io"

// Code makes a code of n letters that people read and type, every letter
// equally often. letters holds at most 256 ASCII characters.
func Code(random io.Reader, letters string, n int) (string, error) {
	out := make([]byte, 0, n)
	var b [1]byte
	for len(out) < n {
		if _, err := io.ReadFull(random, b[:]); err != nil {
			return "", err
		}
		if i := int(b[0]); i < 256/len(letters)*len(letters) { // else the first letters would come more often
			out = append(out, letters[i%len(letters)])
		}
	}
	return string(out), nil
}
