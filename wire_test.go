package intune_test

import (
	"bufio"
	"crypto/tls"
	"io"
	"maps"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/jarcoal/httpmock"

	"github.com/go-intune/intune"
)

var guid = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)

// rawServer answers one request a connection with 204 and hands over what it read, byte for byte.
func rawServer(t *testing.T) (url string, transport *http.Client, requests <-chan string) {
	t.Helper()
	server := newServer(t, nil, false) // for its certificate
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: server.TLS.Certificates})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	received := make(chan string, 8)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			received <- readRequest(conn)
			_, _ = io.WriteString(conn, "HTTP/1.1 204 No Content\r\nrequest-id: 11111111-0000-0000-0000-000000000000\r\nConnection: close\r\n\r\n")
			_ = conn.Close()
		}
	}()
	return "https://" + listener.Addr().String(), server.Client(), received
}

func readRequest(conn net.Conn) string {
	var text strings.Builder
	reader := bufio.NewReader(conn)
	for {
		line, err := reader.ReadString('\n')
		text.WriteString(line)
		if err != nil || line == "\r\n" {
			break
		}
	}
	rest, _ := reader.Peek(reader.Buffered())
	return text.String() + string(rest)
}

// C§7.4: without Content-Length: 0 the service answers 411; C§9.1: SdkVersion is not ours to send.
func TestWireOfTheAction(t *testing.T) { //nolint:paralleltest // the cases share a server that answers in turn
	url, transport, requests := rawServer(t)
	client := newClient(t, transport, func(o *intune.ClientOptions) { o.Cloud = graphAt(url) })
	for _, c := range addresses { //nolint:paralleltest // as above
		t.Run(c.name, func(t *testing.T) {
			response, err := client.RequestRemoteAssistance(t.Context(), c.ref, nil)
			if err != nil {
				t.Fatal(err)
			}
			head, body, _ := strings.Cut(<-requests, "\r\n\r\n")
			lines := strings.Split(head, "\r\n")
			if want := "POST /v1.0" + c.path + "/requestRemoteAssistance HTTP/1.1"; lines[0] != want {
				t.Errorf("got  %s\nwant %s", lines[0], want)
			}
			header := map[string]string{}
			for _, line := range lines[1:] {
				name, value, _ := strings.Cut(line, ": ")
				header[name] = value
			}
			names := slices.Sorted(maps.Keys(header))
			want := []string{"Accept", "Accept-Encoding", "Authorization", "Client-Request-Id", "Content-Length", "Host", "User-Agent"}
			if !slices.Equal(names, want) {
				t.Errorf("headers %v, want %v", names, want)
			}
			if header["Content-Length"] != "0" || body != "" {
				t.Errorf("Content-Length %q, body %q", header["Content-Length"], body)
			}
			if header["Accept"] != "application/json" || header["Authorization"] != "Bearer opaque-token" {
				t.Errorf("Accept %q, Authorization %q", header["Accept"], header["Authorization"])
			}
			if !strings.HasPrefix(header["User-Agent"], "azsdk-go-") || !strings.Contains(header["User-Agent"], "intune/v") {
				t.Errorf("User-Agent %q is not azcore's", header["User-Agent"])
			}
			if id := header["Client-Request-Id"]; !guid.MatchString(id) || id != response.ClientRequestID {
				t.Errorf("client-request-id %q, response has %q", id, response.ClientRequestID)
			}
			if response.RequestID != "11111111-0000-0000-0000-000000000000" {
				t.Errorf("RequestID %q", response.RequestID)
			}
		})
	}
}

// The same over HTTP/2, and without any transport of the test's making below the HTTP client.
func TestWireOfTheActionHTTP2(t *testing.T) {
	t.Parallel()
	server := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.ProtoMajor != 2 || r.Method != http.MethodPost || r.ContentLength != 0 || len(body) != 0 ||
			r.RequestURI != "/v1.0/users/anna_fabrikam.com%23EXT%23@contoso.com/managedDevices/1/requestRemoteAssistance" {
			w.WriteHeader(http.StatusTeapot)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	}, true)
	client := newServerClient(t, server)
	if _, err := client.RequestRemoteAssistance(t.Context(), intune.UserDevice("anna_fabrikam.com#EXT#@contoso.com", "1"), nil); err != nil {
		t.Error(err)
	}
}

func TestActionThroughHTTPMock(t *testing.T) {
	t.Parallel()
	for _, c := range addresses {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			mock := httpmock.NewMockTransport()
			mock.RegisterNoResponder(func(req *http.Request) (*http.Response, error) {
				if req.URL.String() != "https://graph.microsoft.com/v1.0"+c.path+"/requestRemoteAssistance" || req.Method != http.MethodPost {
					return httpmock.NewStringResponse(http.StatusTeapot, req.URL.String()), nil
				}
				if req.Body != nil || req.ContentLength != 0 {
					return httpmock.NewStringResponse(http.StatusLengthRequired, ""), nil
				}
				return httpmock.NewStringResponse(http.StatusNoContent, ""), nil
			})
			client := newClient(t, &http.Client{Transport: mock})
			if _, err := client.RequestRemoteAssistance(t.Context(), c.ref, nil); err != nil {
				t.Error(err)
			}
			if n := mock.GetTotalCallCount(); n != 1 {
				t.Errorf("%d calls", n)
			}
		})
	}
}

func TestCallersRequestIDIsKeptAndReported(t *testing.T) {
	t.Parallel()
	const own = "aaaaaaaa-0000-4000-8000-000000000000"
	for _, status := range []int{http.StatusNoContent, http.StatusForbidden} {
		var seen []string
		client := newClient(t, transportFunc(func(req *http.Request) (*http.Response, error) {
			seen = append(seen, req.Header.Get("client-request-id"))
			return answer(req, status, nil, ""), nil
		}))
		ctx := policy.WithHTTPHeader(t.Context(), http.Header{"client-request-id": {own}})
		response, err := client.RequestRemoteAssistance(ctx, intune.Device("1"), nil)
		reported := response.ClientRequestID
		if err != nil {
			reported = asError(t, err).ClientRequestID
		}
		if reported != own || !slices.Equal(seen, []string{own}) {
			t.Errorf("status %d: sent %v, reported %q", status, seen, reported)
		}
	}
}

// A proxy can put any text into the id of a success, which ends up in logs and spans.
func TestRequestIDOfASuccessIsCleaned(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]string{
		"r1": "r1", oldLink: "https://get.teamviewer.com/REDACTED", strings.Repeat("a", 600): strings.Repeat("a", 256), "a\xffb": "a\ufffdb",
	} {
		collected := &spans{}
		client := newClient(t, transportFunc(says(204, "", "Request-Id", id)), func(o *intune.ClientOptions) { o.TracingProvider = collected.provider() })
		response, err := client.RequestRemoteAssistance(t.Context(), intune.Device("1"), nil)
		if err != nil || response.RequestID != want || collected.list[0].attributes["az.service_request_id"] != want {
			t.Errorf("%q: got %q, the span has %v, error %v", id, response.RequestID, collected.list[0].attributes, err)
		}
	}
}

// The id stays the same over the tries of one call, so that Microsoft's support finds them all.
func TestRequestIDStaysOverTries(t *testing.T) {
	t.Parallel()
	var seen []string
	client := newClient(t, transportFunc(func(req *http.Request) (*http.Response, error) {
		seen = append(seen, req.Header.Get("client-request-id"))
		if len(seen) < 3 {
			return answer(req, http.StatusServiceUnavailable, nil, ""), nil
		}
		return answer(req, http.StatusNoContent, nil, ""), nil
	}))
	for range 2 {
		if _, err := client.RequestRemoteAssistance(t.Context(), intune.Device("1"), nil); err != nil {
			t.Fatal(err)
		}
	}
	if len(seen) != 4 || seen[0] != seen[1] || seen[0] != seen[2] || seen[2] == seen[3] {
		t.Errorf("client-request-ids: %v", seen)
	}
}

// What the service says about the life of the action goes to the caller (C§5).
func TestHeadersOfAnAcceptedRequest(t *testing.T) {
	t.Parallel()
	client := newClient(t, transportFunc(says(204, "", "Deprecation", "Tue, 01 Sep 2026 00:00:00 GMT", "Sunset", "Wed, 01 Sep 2027 00:00:00 GMT", "Request-Id", "r1")))
	got, err := client.RequestRemoteAssistance(t.Context(), intune.Device("1"), nil)
	if err != nil || got.Deprecation != "Tue, 01 Sep 2026 00:00:00 GMT" || got.Sunset != "Wed, 01 Sep 2027 00:00:00 GMT" || got.RequestID != "r1" {
		t.Errorf("got %+v, %v", got, err)
	}
	for name, answer := range map[string]func(*http.Request) (*http.Response, error){
		"201, empty": says(201, ""), "200 with a body": says(200, "{}"),
	} {
		if _, err := newClient(t, transportFunc(answer)).RequestRemoteAssistance(t.Context(), intune.Device("1"), nil); err == nil {
			t.Errorf("%s is a success", name)
		}
	}
}
