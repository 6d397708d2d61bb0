//go:build unix

package main

import (
	"os/exec"
	"path/filepath"
	"testing"
)

// A process that is just being started holds copies of the descriptors of this one until it runs its own program.
func TestJournalIsFreeOnceItIsClosed(t *testing.T) {
	t.Parallel()
	path, started := filepath.Join(t.TempDir(), "journal.jsonl"), make(chan error)
	go func() {
		var err error
		for range 100 {
			if err == nil {
				err = exec.CommandContext(t.Context(), "true").Run()
			}
		}
		started <- err
	}()
	for {
		file, err := openJournal(path, 0)
		if err != nil {
			t.Error(err)
			<-started
			return
		}
		if err := file.Close(); err != nil {
			t.Error(err)
		}
		select {
		case err := <-started:
			if err != nil {
				t.Error(err)
			}
			return
		default:
		}
	}
}
