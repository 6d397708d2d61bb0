package intunetest_test

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"testing"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
)

func zipped(t *testing.T, text string) string {
	t.Helper()
	var buffer bytes.Buffer
	w := gzip.NewWriter(&buffer)
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buffer.String()
}

// [M], C§9.1 (sdk-design, middleware/CompressionHandler.md): request bodies may be compressed, and the generated Go
// SDK compresses every one ([C]: msgraph-sdk-go 1.89).
func TestGzipBodies(t *testing.T) {
	t.Parallel()
	throughEveryDoor(t, nil, func(t *testing.T, tenant *intunetest.Tenant, client *http.Client, root string) {
		populate(tenant)
		gzipped := header("Content-Encoding", "gzip")
		batch := `{"requests":[` + actionItem("a", deviceID) + `]}`
		r := send(t, client, http.MethodPost, root+batchPath, zipped(t, batch), gzipped)
		if n := tenant.Prompts(intune.Device(deviceID)); r.status != http.StatusOK || n != 1 {
			t.Errorf("$batch: %d %s, %d prompts", r.status, r.body, n)
		}
		if requests := tenant.Requests(); string(requests[0].Body) != batch || requests[0].Header.Get("Content-Encoding") != "gzip" {
			t.Errorf("recorded %q", requests[0].Body)
		}
		address := root + "/v1.0" + intune.Device(deviceID).String() + action
		for name, c := range map[string]struct {
			body, encoding string
			want           int
		}{
			"compressed":       {zipped(t, `{"a":1}`), "gzip", http.StatusNoContent},
			"in capitals":      {zipped(t, `{"a":1}`), "GZIP", http.StatusNoContent},
			"not compressed":   {`{"a":1}`, "gzip", http.StatusBadRequest},
			"cut off":          {zipped(t, `{"a":1}`)[:20], "gzip", http.StatusBadRequest},
			"unknown":          {`{"a":1}`, "br", http.StatusUnsupportedMediaType},
			"said to be plain": {`{"a":1}`, "identity", http.StatusNoContent},
		} {
			if r := send(t, client, http.MethodPost, address, c.body, header("Content-Encoding", c.encoding)); r.status != c.want {
				t.Errorf("%s: %d %s", name, r.status, r.body)
			}
		}
		// Nothing to undo is nothing wrong.
		if r := send(t, client, http.MethodPost, address, "", gzipped); r.status != http.StatusNoContent {
			t.Errorf("no body: %d %s", r.status, r.body)
		}
	})
}

// A small body that becomes a large one is cut where Graph's limit is.
func TestGzipBodiesAreBounded(t *testing.T) {
	t.Parallel()
	tenant := intunetest.NewTenant(nil)
	address := graph + "/v1.0" + populate(tenant).String() + action
	body := zipped(t, `{"a":"`+string(bytes.Repeat([]byte("x"), 8<<20))+`"}`)
	r := send(t, inProcess(tenant), http.MethodPost, address, body, header("Content-Encoding", "gzip"))
	if r.status != http.StatusBadRequest {
		t.Errorf("%d %.100s", r.status, r.body)
	}
	if n := len(tenant.Requests()[0].Body); n != 4<<20 {
		t.Errorf("%d bytes", n)
	}
}
