package intunetest

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"strings"
)

// maxRequestBody is about the largest body that Graph accepts.
const maxRequestBody = 4 << 20

func readBody(body io.ReadCloser) ([]byte, error) {
	if body == nil || body == http.NoBody {
		return nil, nil
	}
	defer func() { _ = body.Close() }()
	return readAll(body)
}

func readAll(r io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxRequestBody))
	if len(data) == 0 {
		data = nil
	}
	return data, err
}

// decode undoes the compression of the request's body, which Microsoft's own clients apply to every body. It returns a
// refusal if the compression cannot be undone.
func (x *exchange) decode() *answer {
	switch strings.ToLower(strings.TrimSpace(x.request.Header.Get("Content-Encoding"))) {
	case "", "identity":
		return nil
	case "gzip":
		body, err := gunzip(x.request.Body)
		if err != nil {
			return x.graphError(http.StatusBadRequest, "BadRequest", "The body of the request is not valid gzip.")
		}
		x.request.Body = body
		return nil
	default:
		return x.graphError(http.StatusUnsupportedMediaType, "UnsupportedMediaType", "The Content-Encoding of the request is not supported.")
	}
}

func gunzip(data []byte) ([]byte, error) {
	if len(data) == 0 {
		return nil, nil
	}
	r, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	return readAll(r)
}
