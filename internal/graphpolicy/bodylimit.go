package graphpolicy

import (
	"fmt"
	"io"
	"net/http"
)

const (
	// maxErrorBody is how much of an error body is read. A longer one is cut, since its beginning says what is wrong.
	maxErrorBody = 64 << 10
	// maxBody is how much of any other body is read. A longer one is an error, since half a page is not a page.
	maxBody = 8 << 20
)

// limitBody limits how much of a body azcore reads, which otherwise reads every body whole. The declared length proves
// nothing, because the caller's transport may decompress the body.
func limitBody(resp *http.Response) {
	if resp.Body == http.NoBody {
		return
	}
	limit, failed := int64(maxBody), resp.StatusCode/100 != 2
	if failed {
		limit = maxErrorBody
	}
	resp.Body = &limitedBody{ReadCloser: resp.Body, left: limit, limit: limit, cut: failed}
}

type limitedBody struct {
	io.ReadCloser

	left, limit int64
	cut         bool
}

// Read ends the body at the limit, with an error unless the body is to be cut.
func (b *limitedBody) Read(p []byte) (int, error) {
	if b.left <= 0 {
		if b.cut {
			return 0, io.EOF
		}
		var probe [1]byte
		if n, err := b.ReadCloser.Read(probe[:]); n == 0 {
			return 0, err
		}
		return 0, &finalError{fmt.Errorf("the answer is longer than %d bytes", b.limit)}
	}
	n, err := b.ReadCloser.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}
