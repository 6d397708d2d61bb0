package journalfile_test

import (
	"bytes"
	"cmp"
	"io"
	"iter"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
	"github.com/go-intune/intune/journalfile"
)

// lockedBuffer is a buffer that can be read while it is written.
type lockedBuffer struct {
	mu   sync.Mutex
	data bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.data.Write(p)
}

func (b *lockedBuffer) reader() io.Reader {
	b.mu.Lock()
	defer b.mu.Unlock()
	return bytes.NewReader(bytes.Clone(b.data.Bytes()))
}

// Two journals and all readers share a file.
func TestNew_OnAFileHoldsWhatAJournalMust(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "asked.jsonl")
	err := intunetest.TestJournal(func() (intune.Journal, func() iter.Seq2[intune.JournalEntry, error], error) {
		file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
		if err != nil {
			return nil, nil, err
		}
		t.Cleanup(func() { _ = file.Close() })
		read := func() iter.Seq2[intune.JournalEntry, error] {
			text, err := os.ReadFile(path)
			return journalfile.Read(io.MultiReader(bytes.NewReader(text), iotest.ErrReader(cmp.Or(err, io.EOF))))
		}
		return journalfile.New(file, nil), read, nil
	})
	if err != nil {
		t.Error(err)
	}
}

func TestNew_OnABufferHoldsWhatAJournalMust(t *testing.T) {
	t.Parallel()
	err := intunetest.TestJournal(func() (intune.Journal, func() iter.Seq2[intune.JournalEntry, error], error) {
		var buffer lockedBuffer
		read := func() iter.Seq2[intune.JournalEntry, error] { return journalfile.Read(buffer.reader()) }
		return journalfile.New(&buffer, nil), read, nil
	})
	if err != nil {
		t.Error(err)
	}
}
