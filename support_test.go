package intune_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/internal/graphtest"
	"github.com/go-intune/intune/intunetest"
)

// Short names of what most tests use.
type transportFunc = graphtest.Transport

var (
	answer    = graphtest.Answer
	newServer = graphtest.NewServer
)

// unavailable is a 503 of the service itself, which its id proves.
func unavailable(req *http.Request) *http.Response {
	return answer(req, http.StatusServiceUnavailable, http.Header{"Request-Id": {"r1"}}, "")
}

// always answers every request alike.
func always(status int, body string) transportFunc {
	return func(req *http.Request) (*http.Response, error) { return answer(req, status, nil, body), nil }
}

func newClient(tb testing.TB, transport policy.Transporter, change ...func(*intune.ClientOptions)) *intune.Client {
	tb.Helper()
	options := &intune.ClientOptions{ClientOptions: azcore.ClientOptions{
		Transport: transport,
		Retry:     policy.RetryOptions{RetryDelay: time.Nanosecond},
	}}
	for _, f := range change {
		f(options)
	}
	client, err := intune.NewClient(intune.StaticToken("opaque-token"), options)
	if err != nil {
		tb.Fatal(err)
	}
	return client
}

func noRetries(o *intune.ClientOptions) { o.Retry.MaxRetries = -1 }

func asError(tb testing.TB, err error) *intune.Error {
	tb.Helper()
	e, ok := errors.AsType[*intune.Error](err)
	if !ok {
		tb.Fatalf("got %v, want an *intune.Error", err)
	}
	return e
}

// checkKinds wants an error to be each of these, and none of the other kinds: of the library's, and of a context's end. A nil
// stands for no kind.
func checkKinds(tb testing.TB, err error, want ...error) {
	tb.Helper()
	for _, kind := range want {
		if kind != nil && !errors.Is(err, kind) {
			tb.Errorf("the error is not %q: %v", kind, err)
		}
	}
	others := []error{
		intune.ErrInvalidArgument, intune.ErrOutcomeUnknown, intune.ErrSessionPending, context.Canceled, context.DeadlineExceeded,
	}
	for _, kind := range slices.AppendSeq(others, maps.Values(sentinels)) {
		if errors.Is(err, kind) && !slices.Contains(want, kind) {
			tb.Errorf("the error is %q, too: %v", kind, err)
		}
	}
}

// kindIf is a kind for checkKinds, or none.
func kindIf(is bool, kind error) error {
	if is {
		return kind
	}
	return nil
}

// checkSays wants the text of an error to hold each of these parts.
func checkSays(tb testing.TB, err error, parts ...string) {
	tb.Helper()
	for _, part := range parts {
		if !strings.Contains(fmt.Sprint(err), part) {
			tb.Errorf("no %q in the error: %v", part, err)
		}
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// graphAt is a cloud whose Graph is at a test server.
func graphAt(url string) cloud.Configuration { return graphtest.Cloud(intune.ServiceGraph, url) }

// newServerClient talks to a test server through an ordinary http.Client.
func newServerClient(tb testing.TB, server *httptest.Server, change ...func(*intune.ClientOptions)) *intune.Client {
	tb.Helper()
	return newClient(tb, server.Client(), append([]func(*intune.ClientOptions){
		func(o *intune.ClientOptions) { o.Cloud = graphAt(server.URL) },
	}, change...)...)
}

// counts is a server that counts what arrives for each device.
type counts struct {
	arrived sync.Map // path: *atomic.Int32
}

func (c *counts) of(path string) *atomic.Int32 {
	n, _ := c.arrived.LoadOrStore(path, new(atomic.Int32))
	return n.(*atomic.Int32)
}

func (c *counts) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.of(r.URL.Path).Add(1)
	w.WriteHeader(http.StatusNoContent)
}

func (c *counts) server(t *testing.T, http2 bool) *httptest.Server {
	t.Helper()
	return newServer(t, c.ServeHTTP, http2)
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

var (
	every    = &runtime.PollUntilDoneOptions{Frequency: 5 * time.Second}
	never    = intunetest.SessionScript{Never: true}
	leftLink = intune.ManagedDevice{RemoteAssistanceSessionURL: intune.NewSessionURL(oldLink)}
)

func withoutIDs(text string) string {
	words := strings.Fields(text)
	for i, word := range words {
		key, id, found := strings.Cut(word, "=")
		if !found {
			key, id = "", word
		}
		if guid.MatchString(id) {
			words[i] = strings.TrimPrefix(key+"=ID", "=")
		}
	}
	return strings.Join(words, " ")
}

// clientOf is newClient for other credentials than a static token.
func clientOf(tb testing.TB, credential azcore.TokenCredential, transport policy.Transporter) *intune.Client {
	tb.Helper()
	client, err := intune.NewClient(credential, &intune.ClientOptions{ClientOptions: azcore.ClientOptions{
		Transport: transport, Retry: policy.RetryOptions{RetryDelay: time.Nanosecond},
	}})
	if err != nil {
		tb.Fatal(err)
	}
	return client
}

// credentialFunc is a credential of the test's own.
type credentialFunc func(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error)

func (f credentialFunc) GetToken(ctx context.Context, options policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return f(ctx, options)
}

// act calls the action.
func act(tb testing.TB, client *intune.Client) error {
	tb.Helper()
	_, err := client.RequestRemoteAssistance(tb.Context(), intune.Device("1"), nil)
	return err
}

type again struct{}

func (again) Do(req *policy.Request) (*http.Response, error) {
	if resp, err := req.Next(); err == nil && resp.StatusCode < 300 {
		return resp, nil
	}
	return req.Next()
}

// forgets replaces the request's context, as a policy with a time limit of its own may.
var forgets = policyFunc(func(req *policy.Request) (*http.Response, error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	return req.Clone(ctx).Next()
})

func mustParse(text string) *url.URL {
	u, err := url.Parse(text)
	if err != nil {
		panic(err)
	}
	return u
}

// policyFunc is a policy of the caller's.
type policyFunc func(*policy.Request) (*http.Response, error)

func (f policyFunc) Do(req *policy.Request) (*http.Response, error) { return f(req) }

// rewrite is a policy of the caller's that changes requests.
type rewrite func(*http.Request)

func (f rewrite) Do(req *policy.Request) (*http.Response, error) {
	f(req.Raw())
	return req.Next()
}

// placed puts a policy into each of the two places a caller has.
func placed(p policy.Policy) map[string]func(*intune.ClientOptions) {
	return map[string]func(*intune.ClientOptions){
		"per call":  func(o *intune.ClientOptions) { o.PerCallPolicies = append(o.PerCallPolicies, p) },
		"per retry": func(o *intune.ClientOptions) { o.PerRetryPolicies = append(o.PerRetryPolicies, p) },
	}
}

// script answers the tries of one call in turn and repeats the last answer.
type script struct {
	steps []func(*http.Request) (*http.Response, error)
	calls atomic.Int32
	times []time.Duration
	start time.Time
}

func (s *script) Do(req *http.Request) (*http.Response, error) {
	n := int(s.calls.Add(1))
	s.times = append(s.times, time.Since(s.start))
	return s.steps[min(n, len(s.steps))-1](req)
}

// NotSent says that nothing was sent where no connection could be made.
func (*script) NotSent(err error) bool { return err == error(errRefused) } //nolint:errorlint // its very own

func newScript(steps ...func(*http.Request) (*http.Response, error)) *script {
	return &script{steps: steps, start: time.Now()}
}

// status is an answer of the service. A 503 has the id that proves it to be the service's own.
func status(code int, header ...string) func(*http.Request) (*http.Response, error) {
	return func(req *http.Request) (*http.Response, error) {
		h := http.Header{}
		if code == http.StatusServiceUnavailable {
			h.Set("Request-Id", "r1")
		}
		for i := 0; i+1 < len(header); i += 2 {
			h.Set(header[i], header[i+1])
		}
		return answer(req, code, h, ""), nil
	}
}

func broken(err error) func(*http.Request) (*http.Response, error) {
	return func(*http.Request) (*http.Response, error) { return nil, err }
}

var errRefused = &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")}

// insists is the most that a caller can configure; none of it may repeat a write whose outcome is open.
func insists(o *intune.ClientOptions) {
	o.Retry.ShouldRetry = func(*http.Response, error) bool { return true }
	o.Retry.MaxRetries = 5
}

// says is one such answer.
func says(status int, body string, header ...string) func(*http.Request) (*http.Response, error) {
	return func(req *http.Request) (*http.Response, error) {
		resp := answer(req, status, nil, body)
		for i := 0; i+1 < len(header); i += 2 {
			resp.Header.Set(header[i], header[i+1])
		}
		return resp, nil
	}
}

// reads answers the reads of d1 in turn, the last one for ever, and accepts every request.
func reads(answers ...func(*http.Request) (*http.Response, error)) transportFunc {
	read := -1
	return func(req *http.Request) (*http.Response, error) {
		if req.Method == http.MethodPost {
			return answer(req, http.StatusNoContent, nil, ""), nil
		}
		read++
		return answers[min(read, len(answers)-1)](req)
	}
}

func noConnection(*http.Request) (*http.Response, error) { return nil, errors.New("no route to host") }

var guid = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)

// bubble runs a test on a fake clock, with a tenant of its own.
func bubble(t *testing.T, name string, f func(t *testing.T, tenant *intunetest.Tenant)) {
	t.Helper()
	t.Run(name, func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) { f(t, intunetest.NewTenant(nil)) })
	})
}

// waiting is a device with what an earlier session left, and what becomes of the next.
func waiting(tenant *intunetest.Tenant, left intune.ManagedDevice, scripts ...intunetest.SessionScript) intune.DeviceRef {
	left.UserID, left.UserPrincipalName = "u1", "anna@contoso.com"
	return tenant.AddDevice(left, scripts...)
}

// sessionOf is a read of d1 with these properties.
func sessionOf(link, details string) string {
	return `{"id":"d1","remoteAssistanceSessionUrl":` + quote(link) + `,"remoteAssistanceSessionErrorDetails":` + quote(details) + `}`
}

// graphLists is where lists of devices begin.
const graphLists = "https://graph.microsoft.com/v1.0/deviceManagement/"

// listService answers what it is asked for with 200 and a body, and keeps the addresses as they would go out.
type listService struct {
	body func(n int, asked string) string // n counts from 1

	mu    sync.Mutex
	asked []string
}

func (s *listService) Do(req *http.Request) (*http.Response, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	address := req.URL.Scheme + "://" + req.URL.Host + req.URL.RequestURI()
	if req.URL.User != nil {
		address = "with a user: " + address
	}
	s.asked = append(s.asked, address)
	return answer(req, http.StatusOK, http.Header{"Content-Type": {"application/json"}}, s.body(len(s.asked), address)), nil
}

// saw checks the addresses that were asked for.
func (s *listService) saw(tb testing.TB, want ...string) {
	tb.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Equal(s.asked, want) {
		tb.Errorf("asked\n%s\nwant\n%s", strings.Join(s.asked, "\n"), strings.Join(want, "\n"))
	}
}

// inTurn answers with the bodies in turn, and then with the last again.
func inTurn(bodies ...string) *listService {
	return &listService{body: func(n int, _ string) string { return bodies[min(n, len(bodies))-1] }}
}

// pageOf is a page of rows; a blank next is the last one.
func pageOf(next string, rows ...string) string {
	link := ""
	if next != "" {
		link = `"@odata.nextLink":` + quote(next) + ","
	}
	return "{" + link + `"value":[` + strings.Join(rows, ",") + "]}"
}

func deviceRow(id, name string) string {
	return `{"id":` + quote(id) + `,"deviceName":` + quote(name) + `}`
}

// gather ranges to the end. An iterator gives one error at most, as the last thing and with a zero value.
func gather[T comparable](tb testing.TB, seq iter.Seq2[*T, error]) (list []T, err error) {
	tb.Helper()
	for item, failed := range seq {
		switch {
		case err != nil:
			tb.Fatalf("the iterator goes on after %v", err)
		case failed == nil:
			list = append(list, *item)
		default:
			var zero T
			if err = failed; *item != zero {
				tb.Errorf("a value comes with the error: %v", item)
			}
		}
	}
	return list, err
}

// ids ranges to the end and gives the ids.
func ids(tb testing.TB, devices iter.Seq2[intune.ManagedDevice, error]) (string, error) {
	tb.Helper()
	list, err := gather(tb, func(yield func(*string, error) bool) {
		for d, err := range devices {
			if !yield(&d.ID, err) {
				return
			}
		}
	})
	return strings.Join(list, " "), err
}

// allPages fetches to the end or the first error.
func allPages[P any](tb testing.TB, pager *runtime.Pager[P]) (pages []P, err error) {
	tb.Helper()
	for pager.More() {
		page, err := pager.NextPage(tb.Context())
		if err != nil {
			return pages, err
		}
		pages = append(pages, page)
	}
	return pages, nil
}

func checkText(tb testing.TB, err error) {
	tb.Helper()
	switch text := err.Error(); {
	case len(text) > 4096:
		tb.Errorf("the text is not short: %.300q (%d bytes)", text, len(text))
	case !utf8.ValidString(text):
		tb.Errorf("the text is not UTF-8: %q", text)
	case strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f }):
		tb.Errorf("the text is not one clean line: %q", text)
	}
}
