//go:build !windows

package storage

import (
	"os"

	"golang.org/x/sys/unix"
)

// lockFile takes an advisory lock that the kernel drops with the process.
func lockFile(f *os.File) error {
	return unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
}
