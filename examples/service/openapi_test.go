package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/go-intune/intune/intunetest"
)

// undescribed are the addresses of the page, which is no API: what other programs call is in openapi.yaml.
var undescribed = regexp.MustCompile(`^/(auth/(login|callback|logout)|[a-z-]*(\.(css|js|svg|png))?)$`)

// unseen are the answers in openapi.yaml that no test has to bring about, with the reason.
var unseen = map[string]string{
	"500": "the service would have a fault",
}

// operation is one of openapi.yaml.
type operation struct {
	route *routers.Route
	path  *regexp.Regexp
}

// openAPI is the document as it was read, and which of its answers were seen, by "METHOD PATH STATUS".
type openAPI struct {
	doc        *openapi3.T
	operations []operation

	mu   sync.Mutex
	seen map[string]bool
}

// theOpenAPI is read once. It panics instead of failing a test, because all tests use it.
var theOpenAPI = sync.OnceValue(func() *openAPI {
	doc, err := openapi3.NewLoader().LoadFromData([]byte(description))
	if err != nil {
		panic(err)
	}
	for _, schema := range doc.Components.Schemas {
		describeAll(schema.Value)
	}
	a := &openAPI{doc: doc, seen: map[string]bool{}}
	for path, item := range doc.Paths.Map() {
		pattern := regexp.MustCompile("^" + regexp.MustCompile(`\\\{(\w+)\\\}`).ReplaceAllString(regexp.QuoteMeta(path), `(?P<$1>[^/]+)`) + "$")
		for method, op := range item.Operations() {
			a.operations = append(a.operations, operation{
				&routers.Route{Spec: doc, Path: path, PathItem: item, Method: method, Operation: op}, pattern,
			})
		}
	}
	return a
})

// describeAll makes members that are not described an error in the tests. Clients have to expect them.
func describeAll(schema *openapi3.Schema) {
	if len(schema.Properties) > 0 {
		schema.AdditionalProperties = openapi3.BoolSchema{Has: new(false)}
	}
	for _, property := range schema.Properties {
		describeAll(property.Value)
	}
	if schema.Items != nil {
		describeAll(schema.Items.Value)
	}
}

// find is the operation of a request, nil if none is described.
func (a *openAPI) find(method, path string) (*routers.Route, map[string]string) {
	for _, o := range a.operations {
		match := o.path.FindStringSubmatch(path)
		if match == nil || o.route.Method != method {
			continue
		}
		values := map[string]string{}
		for i, name := range o.path.SubexpNames()[1:] {
			values[name] = match[i+1]
		}
		return o.route, values
	}
	return nil, nil
}

// exchangeSeen is a request and its answer, both read.
type exchangeSeen struct {
	request *http.Request
	sent    []byte
	status  int
	header  http.Header
	body    []byte
}

// check says how an exchange differs from what openapi.yaml allows. A request that it does not allow has to be refused.
func (a *openAPI) check(ctx context.Context, x *exchangeSeen) error {
	method, path := x.request.Method, x.request.URL.Path
	route, values := a.find(method, path)
	if route == nil {
		if x.status < 400 && !undescribed.MatchString(path) && method != http.MethodHead {
			return errors.New("the address is not described")
		}
		return nil
	}
	if x.status == http.StatusConflict && bytes.Contains(x.body, []byte("/problems/"+kindOtherPerson.name)) {
		return nil // what only a cookie brings about is no part of the API
	}
	if strings.HasPrefix(x.header.Get("Content-Type"), "text/html") && x.status >= 400 {
		return nil // a refusal as a person reads it, who followed a link
	}
	a.mu.Lock()
	a.seen[fmt.Sprintf("%s %s %d", method, route.Path, x.status)] = true
	a.mu.Unlock()
	request := x.request.Clone(ctx)
	request.Body = io.NopCloser(bytes.NewReader(x.sent))
	options := &openapi3filter.Options{
		AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, IncludeResponseStatus: true, MultiError: true,
	}
	input := &openapi3filter.RequestValidationInput{Request: request, PathParams: values, Route: route, Options: options}
	if err := openapi3filter.ValidateRequest(ctx, input); err != nil && x.status < 400 {
		return fmt.Errorf("the request is not as described, and was not refused: %w", err)
	}
	isStream := strings.HasPrefix(x.header.Get("Content-Type"), "text/event-stream")
	answered := *options
	answered.ExcludeResponseBody = isStream
	err := openapi3filter.ValidateResponse(ctx, &openapi3filter.ResponseValidationInput{
		RequestValidationInput: input, Status: x.status, Header: x.header, Body: io.NopCloser(bytes.NewReader(x.body)), Options: &answered,
	})
	if err == nil && isStream {
		err = a.checkEvents(x.body)
	}
	return err
}

// checkEvents compares the data of a stream's events with the schema of sessions. The last line may be cut.
func (a *openAPI) checkEvents(stream []byte) error {
	for line := range bytes.Lines(stream) {
		data, isData := bytes.CutPrefix(line, []byte("data: "))
		if !isData || !bytes.HasSuffix(line, []byte("\n")) {
			continue
		}
		var value any
		if err := json.Unmarshal(data, &value); err != nil {
			return err
		}
		schema := a.doc.Components.Schemas["Session"].Value
		if err := schema.VisitJSON(value, openapi3.EnableJSONSchema2020(), openapi3.VisitAsResponse()); err != nil {
			return fmt.Errorf("event %s: %w", data, err)
		}
	}
	return nil
}

// described is a handler whose exchanges are compared with openapi.yaml.
func described(tb testing.TB, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sent, err := io.ReadAll(r.Body)
		if err != nil {
			return // the caller is gone
		}
		request := r.Clone(r.Context())
		r.Body = io.NopCloser(bytes.NewReader(sent))
		copied := &copyWriter{statusWriter: statusWriter{ResponseWriter: w}}
		next.ServeHTTP(copied, r)
		x := &exchangeSeen{request, sent, copied.code(), w.Header(), copied.body.Bytes()}
		if err := theOpenAPI().check(context.WithoutCancel(r.Context()), x); err != nil {
			tb.Errorf("%s %s: %d %s\nis not what openapi.yaml says: %v", r.Method, r.URL.Path, x.status, x.body, err)
		}
	})
}

// copyWriter keeps a copy of what it passes on.
type copyWriter struct {
	statusWriter
	body bytes.Buffer
}

func (w *copyWriter) Write(p []byte) (int, error) {
	w.body.Write(p)
	return w.statusWriter.Write(p)
}

// notSeen are the answers of openapi.yaml that no test has brought about.
func (a *openAPI) notSeen() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	var list []string
	for _, o := range a.operations {
		for status := range o.route.Operation.Responses.Map() {
			answer := o.route.Method + " " + o.route.Path + " " + status
			if !a.seen[answer] && unseen[answer] == "" && unseen[status] == "" {
				list = append(list, answer)
			}
		}
	}
	slices.Sort(list)
	return list
}

func TestDescriptionIsValid(t *testing.T) {
	t.Parallel()
	doc := theOpenAPI().doc
	if err := doc.Validate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(theOpenAPI().operations) < 10 {
		t.Errorf("%d operations", len(theOpenAPI().operations))
	}
	var types []any
	for _, k := range kinds() {
		types = append(types, "/problems/"+k.name)
	}
	if got := doc.Components.Schemas["Problem"].Value.Properties["type"].Value.Enum; !slices.Equal(got, types) {
		t.Errorf("types of problems are\n%q, want\n%q", got, types)
	}
	for _, s := range doc.Components.Schemas["State"].Value.Enum {
		if text, _ := s.(string); !strings.Contains(doc.Components.Schemas["State"].Value.Description, text+":") {
			t.Errorf("the state %q is not explained", text)
		}
	}
}

// A generator of clients can rely on the address and on the types of problems.
func TestDescriptionIsServed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		got := newPlace(t).nobody().get("/openapi.yaml")
		if got.status != http.StatusOK {
			t.Fatalf("%d %s", got.status, got.body)
		}
		doc, err := openapi3.NewLoader().LoadFromData([]byte(got.body))
		if err != nil {
			t.Fatal(err)
		}
		if at := doc.Servers[0].URL; at != serviceAt {
			t.Errorf("the address is %q, want %q", at, serviceAt)
		}
	})
}

// Every address refuses other sites, other hosts and people who have not signed in as the description says.
func TestDescribedRefusals(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		device := p.add("LT-1")
		c := p.program(dana)
		id := c.begin(device, anyKey).ID
		time.Sleep(time.Minute)
		for _, o := range theOpenAPI().operations {
			path := strings.ReplaceAll(o.route.Path, "{name}", "internal")
			body := ""
			if strings.HasPrefix(path, "/devices") {
				path = strings.ReplaceAll(path, "{id}", device.DeviceID())
			}
			path = strings.ReplaceAll(path, "{id}", id)
			if path == "/devices" {
				path += "?q=" + url.QueryEscape("LT-1")
			}
			if path == "/sessions" {
				body = `{"device":"` + device.DeviceID() + `"}`
			}
			send := func(c *caller, header http.Header) reply {
				header.Set("Idempotency-Key", anyKey)
				return c.send(o.route.Method, path, body, header)
			}
			responses := o.route.Operation.Responses
			c.refused(send(c, http.Header{"Origin": {"https://evil.example"}}), kindForeignSite)
			if responses.Status(http.StatusMisdirectedRequest) != nil {
				c.refused(send(c, http.Header{"Host": {"evil.example"}}), kindWrongHost)
			}
			if responses.Status(http.StatusUnauthorized) != nil {
				c.refused(send(p.nobody(), http.Header{}), kindNotSignedIn)
			}
			if responses.Status(http.StatusNotFound) == nil {
				continue
			}
			for _, known := range []string{id, device.DeviceID(), "internal"} {
				path = strings.ReplaceAll(path, known, "no-such-id")
			}
			body = strings.ReplaceAll(body, device.DeviceID(), "no-such-id")
			if got := c.send(o.route.Method, path, body, http.Header{"Idempotency-Key": {"another-key"}}); got.status != http.StatusNotFound {
				t.Errorf("%s %s: %d %s", o.route.Method, path, got.status, got.body)
			}
		}
	})
}

// Intune that is busy or down is told apart on each address that asks it.
func TestDescribedOutages(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		device := p.add("LT-1", intunetest.SessionScript{Never: true})
		c := p.program(dana)
		ready := c.begin(p.add("LT-2"), "key-of-ready").ID
		time.Sleep(time.Minute)
		for status, want := range map[int]kind{http.StatusServiceUnavailable: kindUnavailable, http.StatusTooManyRequests: kindThrottled} {
			p.tenant.Inject(intunetest.Fault{Status: status, Times: -1})
			c.refused(c.get("/devices?q=LT-1"), want)
			c.refused(c.get("/devices/"+device.DeviceID()), want)
			c.refused(c.post("/sessions/"+ready+"/link", ""), want)
			p.tenant.ClearFaults()
		}
		id := c.begin(device, anyKey).ID
		time.Sleep(11 * time.Minute)
		p.close()
		c.refused(c.post("/sessions/"+id+"/wait", ""), kindStopping)
		c.refused(c.ask(device, "another-key"), kindStopping)
		if got := c.get("/readyz"); got.status != http.StatusServiceUnavailable {
			t.Errorf("%d %s", got.status, got.body)
		}
	})
}

// The service is up before the keys of Microsoft's tokens are known, says so, and becomes ready by itself.
func TestUpWithoutEntra(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var entra *counted
		p := newPlace(t, func(o *settings) {
			entra = counting(o)
			entra.setAway(true)
		})
		c := p.program(dana)
		for _, o := range theOpenAPI().operations {
			status := http.StatusServiceUnavailable
			switch o.route.Path {
			case "/livez", "/openapi.yaml", "/problems/{name}":
				status = http.StatusOK
			}
			path := strings.NewReplacer("{name}", "internal", "{id}", "any").Replace(o.route.Path)
			if got := c.send(o.route.Method, path, "", nil); got.status != status {
				t.Errorf("%s %s: %d %s", o.route.Method, path, got.status, got.body)
			}
		}
		if got := c.get("/readyz"); !strings.Contains(got.body, `{"name":"signInKeys","ok":false}`) {
			t.Errorf("/readyz: %s", got.body)
		}
		entra.setAway(false)
		time.Sleep(time.Minute)
		if got := c.get("/readyz"); got.status != http.StatusOK {
			t.Errorf("with Entra: %d %s", got.status, got.body)
		}
	})
}

// Each address that reads Intune has a limit for each person.
func TestDescribedLimits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		device := p.add("LT-1")
		c := p.program(dana)
		id := c.begin(device, anyKey).ID
		for path, most := range map[string]int{
			"/devices?q=LT-1": useSearch.most, "/devices/" + device.DeviceID(): useDevice.most,
			"/devices/" + device.DeviceID() + "/readiness": useReadiness.most, "/sessions/" + id + "/link": useLink.most,
		} {
			method := http.MethodGet
			if strings.HasSuffix(path, "/link") {
				method = http.MethodPost
			}
			for range most {
				c.send(method, path, "", nil)
			}
			c.refused(c.send(method, path, "", nil), kindTooFast)
		}
	})
}
