// Package pattern makes the byte patterns that tests on both sides of the
// wire can make for themselves: byte i is (i*31 + 7) & 0xff.
package pattern

import (
	"bytes"
	"fmt"
	"io"
)

const chunk = 1 << 16

// Bytes returns the first n bytes of the pattern.
func Bytes(n int) []byte {
	b := make([]byte, n)
	Fill(b, 0)
	return b
}

// Fill writes the pattern's bytes from position start on into b.
func Fill(b []byte, start int) {
	for i := range b {
		b[i] = byte((start+i)*31 + 7)
	}
}

// WriteTo writes the first n bytes of the pattern to w, 64 KiB a write.
func WriteTo(w io.Writer, n int) (int, error) {
	b := make([]byte, min(n, chunk))
	done := 0
	for done < n {
		part := b[:min(chunk, n-done)]
		Fill(part, done)
		k, err := w.Write(part)
		done += k
		if err != nil {
			return done, err
		}
	}
	return done, nil
}

// Check tells where b differs from the first n bytes of the pattern.
func Check(b []byte, n int) error {
	if len(b) != n {
		return fmt.Errorf("%d bytes instead of %d", len(b), n)
	}
	want := make([]byte, chunk)
	for at := 0; at < n; at += chunk {
		part := b[at:min(n, at+chunk)]
		Fill(want[:len(part)], at)
		if !bytes.Equal(part, want[:len(part)]) {
			for i := range part {
				if part[i] != want[i] {
					return fmt.Errorf("byte %d is %#02x instead of %#02x", at+i, part[i], want[i])
				}
			}
		}
	}
	return nil
}
