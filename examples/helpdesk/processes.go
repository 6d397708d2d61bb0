package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"
	"github.com/google/uuid"
)

// processes are the running processes that use a record. Each holds a lock on a file of its own in a folder beside the
// record, and notes name it by that file. The system lets go of the lock when the process is gone, also after kill -9 or a
// power cut, and a number that another process gets later cannot be mistaken for it.
//
// A file is made and locked, and left files are removed, only while the record is locked; otherwise a file could be removed
// between its making and its lock.
type processes struct {
	folder string
	own    string
	lock   *flock.Flock
}

func processesName(journal string) string { return linkless(journal) + ".processes" }

// join removes what dead processes left, and adds this one.
func (p *processes) join() error {
	if err := os.MkdirAll(p.folder, 0o700); err != nil {
		return err
	}
	left, err := os.ReadDir(p.folder)
	if err != nil {
		return err
	}
	for _, file := range left {
		if !p.lives(file.Name()) {
			_ = os.Remove(filepath.Join(p.folder, file.Name())) // it does no harm
		}
	}
	p.own = uuid.NewString()
	p.lock = flock.New(filepath.Join(p.folder, p.own), flock.SetPermissions(0o600))
	if locked, err := p.lock.TryLock(); err != nil || !locked {
		return errors.Join(err, errors.New("the file of this process cannot be locked"))
	}
	return nil
}

// leave is the end of this process, as others see it.
func (p *processes) leave() {
	_ = os.Remove(filepath.Join(p.folder, p.own)) // where an open file cannot be removed, the next process does
	_ = p.lock.Unlock()
}

// lives reports that a process still runs, or that nobody can tell.
func (p *processes) lives(name string) bool {
	switch {
	case uuid.Validate(name) != nil: // names come from a file
		return false
	case name == p.own:
		return true
	}
	lock := flock.New(filepath.Join(p.folder, name), flock.SetFlag(os.O_RDONLY))
	free, err := lock.TryRLock()
	if errors.Is(err, fs.ErrNotExist) {
		return false
	}
	_ = lock.Unlock()
	return !free
}
