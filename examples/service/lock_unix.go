//go:build unix

package main

import (
	"os"
	"syscall"
)

// lock keeps other processes from using a file until unlock, or until this one ends.
func lock(file *os.File) error {
	return syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
}

func unlock(file *os.File) error { return syscall.Flock(int(file.Fd()), syscall.LOCK_UN) }
