package intunetest_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/go-intune/intune/intunetest"
)

// An answer in process looks like one that came over a connection.
func TestAnswersLookAlike(t *testing.T) {
	t.Parallel()
	throughEveryDoor(t, nil, func(t *testing.T, tenant *intunetest.Tenant, client *http.Client, root string) {
		ref := populate(tenant)
		for _, c := range []struct {
			method, path string
			fault        intunetest.Fault
			status       string
			sized, empty bool // has a length above zero; has no body
		}{
			{http.MethodGet, "/v1.0" + ref.String(), intunetest.Fault{}, "200 OK", true, false},
			{http.MethodHead, "/v1.0" + ref.String(), intunetest.Fault{}, "400 Bad Request", true, true},
			{http.MethodPost, "/v1.0" + ref.String() + action, intunetest.Fault{}, "204 No Content", false, true},
			{http.MethodGet, "/v1.0" + ref.String(), intunetest.Fault{Status: 204, Body: "{}"}, "204 No Content", false, true},
			{http.MethodGet, "/v1.0" + ref.String(), intunetest.Fault{Status: 304, Body: "{}"}, "304 Not Modified", false, true},
			{http.MethodGet, "/v1.0" + ref.String(), intunetest.Fault{Status: 503}, "503 Service Unavailable", false, true},
		} {
			tenant.Inject(c.fault)
			req, err := http.NewRequestWithContext(t.Context(), c.method, root+c.path, nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Authorization", "Bearer x")
			req.Header.Set("Accept-Encoding", "identity")
			resp, err := client.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(resp.Body)
			resp.Body.Close()
			if err != nil {
				t.Fatal(err)
			}
			got, want := fmt.Sprintf("%s %s %d.%d", resp.Status, resp.Proto, resp.ProtoMajor, resp.ProtoMinor), c.status+" HTTP/1.1 1.1"
			if got != want {
				t.Errorf("got %s, want %s", got, want)
			}
			if (len(body) == 0) != c.empty {
				t.Errorf("%s: body %q, want none: %v", c.status, body, c.empty)
			}
			if resp.ContentLength < 0 || (resp.ContentLength > 0) != c.sized {
				t.Errorf("%s: length %d, want one above zero: %v", c.status, resp.ContentLength, c.sized)
			}
			if !c.empty && resp.ContentLength != int64(len(body)) {
				t.Errorf("%s: length %d of %d bytes", c.status, resp.ContentLength, len(body))
			}
		}
	})
}

// What a request in process leaves out is what a connection would have made of it.
func TestRequestsThatLackSomething(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		request http.Request
		want    string
	}{
		"no method":             {http.Request{URL: &url.URL{Host: "a", Path: "/x"}}, "GET a/x: 401"},
		"no path":               {http.Request{Method: "POST", URL: &url.URL{Host: "a"}}, "POST a/: 401"},
		"a host of its own":     {http.Request{Host: "b", URL: &url.URL{Host: "a", Path: "/x"}}, "GET b/x: 401"},
		"opaque":                {http.Request{URL: &url.URL{Host: "a", Opaque: "/x%2Fy"}}, "GET a/x%2Fy: 401"},
		"opaque with a host":    {http.Request{URL: &url.URL{Host: "a", Opaque: "//c/x%2Fy/z"}}, "GET a/x%2Fy/z: 401"},
		"opaque, nothing but a": {http.Request{URL: &url.URL{Host: "a", Opaque: "//c"}}, "GET a/: 401"},
	} {
		tenant := intunetest.NewTenant(nil)
		resp, err := tenant.RoundTrip(&c.request)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if got := tenant.Requests()[0].String(); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
	if resp, err := intunetest.NewTenant(nil).RoundTrip(nil); err == nil {
		t.Errorf("no request at all: %v", resp.Status)
	}
}

// aborts serves a request without a server and reports whether the handler gave up the connection.
func aborts(tenant *intunetest.Tenant, body io.Reader) (recorder *httptest.ResponseRecorder, aborted bool) {
	recorder = httptest.NewRecorder()
	request := httptest.NewRequest(http.MethodPost, graph+devicesPath+"/"+deviceID+action, body)
	request.Header.Set("Authorization", "Bearer x")
	defer func() { aborted = recover() == http.ErrAbortHandler }() //nolint:errorlint // the very value
	tenant.ServeHTTP(recorder, request)
	return recorder, false
}

// ServeHTTP ends as the documentation of http.ErrAbortHandler has it, which Go's server would also do by itself in some
// of these cases.
func TestServeHTTPAborts(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fault   intunetest.Fault
		body    io.Reader
		aborted bool
		got     string
		prompts int
	}{
		"an answer":         {intunetest.Fault{}, nil, false, "", 1},
		"dropped":           {intunetest.Fault{Drop: intunetest.DropAfter}, nil, true, "", 1},
		"truncated":         {intunetest.Fault{Status: 500, Body: "<html>", Truncate: 2}, nil, true, "<h", 0},
		"truncated, to all": {intunetest.Fault{Status: 500, Body: "<html>", Truncate: 6}, nil, false, "<html>", 0},
		"no body to read":   {intunetest.Fault{}, iotest.ErrReader(io.ErrUnexpectedEOF), true, "", 0},
	} {
		tenant := intunetest.NewTenant(nil)
		ref := populate(tenant)
		tenant.Inject(c.fault)
		recorder, aborted := aborts(tenant, c.body)
		if got := recorder.Body.String(); aborted != c.aborted || got != c.got {
			t.Errorf("%s: aborted %v, body %q, want %v, %q", name, aborted, got, c.aborted, c.got)
		}
		if n := tenant.Prompts(ref); n != c.prompts {
			t.Errorf("%s: %d prompts, want %d", name, n, c.prompts)
		}
	}
}

// A request whose body cannot be read does not arrive.
func TestBodyThatCannotBeRead(t *testing.T) {
	t.Parallel()
	tenant := intunetest.NewTenant(nil)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, graph+partnersPath, iotest.ErrReader(io.ErrUnexpectedEOF))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tenant.RoundTrip(req); !errors.Is(err, io.ErrUnexpectedEOF) || !strings.Contains(err.Error(), "POST "+partnersPath) {
		t.Errorf("got %v", err)
	}
	if n := tenant.RequestCount(); n != 0 {
		t.Errorf("%d requests", n)
	}
}

// A truncated answer announces the whole of it.
func TestTruncatedAnswersAnnounceAll(t *testing.T) {
	t.Parallel()
	throughEveryDoor(t, nil, func(t *testing.T, tenant *intunetest.Tenant, client *http.Client, root string) {
		tenant.Inject(intunetest.Fault{Status: 502, Body: "<html>Bad gateway</html>", Truncate: 3})
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, root+devicesPath, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if resp.ContentLength != 24 {
			t.Errorf("length %d, want 24", resp.ContentLength)
		}
		if body, err := io.ReadAll(resp.Body); string(body) != "<ht" || !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%q of %d bytes, %v", body, resp.ContentLength, err)
		}
	})
}

// A next link has the scheme of the request.
func TestNextLinkOfAPlainServer(t *testing.T) {
	t.Parallel()
	tenant := intunetest.NewTenant(&intunetest.TenantOptions{PageSize: 1})
	fill(tenant, 2)
	server := httptest.NewServer(tenant)
	t.Cleanup(server.Close)
	if pages, links := walk(t, server.Client(), server.URL+devicesPath); len(pages) != 2 || !strings.HasPrefix(links[0], server.URL+"/") {
		t.Errorf("%v", links)
	}
}
