package intunetest_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/jarcoal/httpmock"

	"github.com/go-intune/intune/intunetest"
)

const graph = "https://graph.microsoft.com"

// door is one of the ways into a tenant.
type door struct {
	name string
	open func(testing.TB, *intunetest.Tenant) (client *http.Client, root string)
}

var doors = []door{
	{"ServeHTTP", func(tb testing.TB, tenant *intunetest.Tenant) (*http.Client, string) {
		server := httptest.NewUnstartedServer(tenant)
		server.Config.ErrorLog = quiet
		server.StartTLS()
		tb.Cleanup(server.Close)
		return server.Client(), server.URL
	}},
	{"RoundTrip", func(_ testing.TB, tenant *intunetest.Tenant) (*http.Client, string) {
		return inProcess(tenant), graph
	}},
	{"httpmock", func(_ testing.TB, tenant *intunetest.Tenant) (*http.Client, string) {
		mock := httpmock.NewMockTransport()
		tenant.Register(mock)
		return &http.Client{Transport: mock}, graph
	}},
}

// throughEveryDoor runs a test with a tenant of its own at each door.
func throughEveryDoor(t *testing.T, options *intunetest.TenantOptions, test func(*testing.T, *intunetest.Tenant, *http.Client, string)) {
	t.Helper()
	for _, d := range doors {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			tenant := intunetest.NewTenant(options)
			client, root := d.open(t, tenant)
			test(t, tenant, client, root)
		})
	}
}

func inProcess(tenant *intunetest.Tenant) *http.Client { return &http.Client{Transport: tenant} }

// reply is an answer with its body read.
type reply struct {
	status int
	header http.Header
	body   string
}

// json is the body, decoded.
func (r reply) json(tb testing.TB) map[string]any {
	tb.Helper()
	var object map[string]any
	if err := json.Unmarshal([]byte(r.body), &object); err != nil {
		tb.Fatalf("status %d, body %q: %v", r.status, r.body, err)
	}
	return object
}

// envelope is Graph's error.
type envelope struct {
	Error struct {
		Code, Message string
		InnerError    struct {
			Date            string
			RequestID       string `json:"request-id"`
			ClientRequestID string `json:"client-request-id"`
		}
	}
}

func (r reply) envelope(tb testing.TB) envelope {
	tb.Helper()
	var e envelope
	if err := json.Unmarshal([]byte(r.body), &e); err != nil {
		tb.Fatalf("status %d, body %q: %v", r.status, r.body, err)
	}
	return e
}

// refusal is what an error says first of all.
type refusal struct {
	status        int
	code, message string
}

func (r reply) refusal(tb testing.TB) refusal {
	tb.Helper()
	e := r.envelope(tb).Error
	return refusal{r.status, e.Code, e.Message}
}

// expectMembers compares some members of an object. One that is wanted as nil may be absent.
func expectMembers(tb testing.TB, what string, object, want map[string]any) {
	tb.Helper()
	for name, value := range want {
		if got := object[name]; got != value {
			tb.Errorf("%s: %s is %v, want %v", what, name, got, value)
		}
	}
}

func expectLen(tb testing.TB, what string, object map[string]any, want int) {
	tb.Helper()
	if len(object) != want {
		tb.Errorf("%s: %d members, want %d: %v", what, len(object), want, object)
	}
}

// expectPrompts compares how often the users of a tenant were asked.
func expectPrompts(tb testing.TB, what string, tenant *intunetest.Tenant, want int) {
	tb.Helper()
	if n := tenant.TotalPrompts(); n != want {
		tb.Errorf("%s: %d prompts, want %d", what, n, want)
	}
}

// nested is the sentence that Intune puts into the message.
func (r reply) nested(tb testing.TB) string {
	tb.Helper()
	var inner struct {
		Version  int `json:"_version"`
		Message  string
		Phrase   *string `json:"CustomApiErrorPhrase"`
		Source   *string `json:"ErrorSourceService"`
		Headers  *string `json:"HttpHeaders"`
		RetryAft *string `json:"RetryAfter"`
	}
	message := r.envelope(tb).Error.Message
	if err := json.Unmarshal([]byte(message), &inner); err != nil {
		tb.Fatalf("message %q: %v", message, err)
	}
	there := [...]bool{inner.Phrase != nil, inner.Source != nil, inner.Headers != nil, inner.RetryAft != nil}
	if want := [...]bool{true, true, true, false}; inner.Version != 3 || there != want {
		tb.Errorf("not of version 3: %s", message)
	}
	return inner.Message
}

var (
	guid    = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	trailer = regexp.MustCompile(` - Operation ID \(for customer support\): 00000000-0000-0000-0000-000000000000` +
		` - Activity ID: [-0-9a-f]{36}` +
		`` +
		` - Url: https://fef\.[a-z0-9]+\.manage\.microsoft\.com/DeviceFE/StatelessDeviceFEService/\S*\?api-version=[-0-9]+$`)
)

// send is a plain request with any bearer token.
func send(tb testing.TB, client *http.Client, method, url, body string, change ...func(*http.Request)) reply {
	tb.Helper()
	r, err := try(tb, client, method, url, body, change...)
	if err != nil {
		tb.Fatalf("%s %s: %v", method, url, err)
	}
	return r
}

func try(tb testing.TB, client *http.Client, method, url, body string, change ...func(*http.Request)) (reply, error) {
	tb.Helper()
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(body)
	}
	req, err := http.NewRequestWithContext(tb.Context(), method, url, reader)
	if err != nil {
		tb.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer opaque")
	for _, f := range change {
		f(req)
	}
	resp, err := client.Do(req)
	if err != nil {
		return reply{}, err
	}
	defer resp.Body.Close()
	if resp.Request == nil || resp.Request.URL == nil {
		tb.Errorf("%s %s: the response does not name its request", method, url)
	}
	text, err := io.ReadAll(resp.Body)
	return reply{resp.StatusCode, resp.Header, string(text)}, err
}

func get(tb testing.TB, client *http.Client, url string) map[string]any {
	tb.Helper()
	r := send(tb, client, http.MethodGet, url, "")
	if r.status != http.StatusOK {
		tb.Fatalf("GET %s: %d %s", url, r.status, r.body)
	}
	return r.json(tb)
}

func header(name, value string) func(*http.Request) {
	return func(req *http.Request) { req.Header.Set(name, value) }
}
