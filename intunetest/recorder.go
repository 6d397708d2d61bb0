package intunetest

import (
	"bytes"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// RecordedRequest is one request that arrived at a [Tenant], whichever way it came.
type RecordedRequest struct {
	// Method is the HTTP method.
	Method string

	// Path is the path with its percent escapes, as it arrived.
	Path string

	// RawQuery is the query without the question mark, as it arrived. An option that was sent as %24select is recorded so.
	RawQuery string

	// Host is the host that the request was sent to.
	Host string

	// Header are the headers, including the Authorization with its token.
	Header http.Header

	// Body is the body without its compression (Content-Encoding), nil if there was none.
	Body []byte

	// Status is the status of the answer; 0 while there is none, and if the connection broke before one.
	Status int

	// BatchID is the id of an item of a $batch, "" for a request that is not an item. An item has its path below the
	// version, like any other request, and the token of the batch.
	BatchID string

	// Time is when the request arrived, on the tenant's clock.
	Time time.Time
}

// String is one line for failure messages: method, address, status, and the id within a batch. It leaves out the
// headers, and with them the token.
func (r RecordedRequest) String() string {
	query := ""
	if r.RawQuery != "" {
		query = "?" + r.RawQuery
	}
	status := "no answer"
	if r.Status != 0 {
		status = strconv.Itoa(r.Status)
	}
	item := ""
	if r.BatchID != "" {
		item = "item " + r.BatchID + ": "
	}
	return fmt.Sprintf("%s%s %s%s%s: %s", item, r.Method, r.Host, r.Path, query, status)
}

// GoString is [RecordedRequest.String], so that %#v does not show the token either.
func (r RecordedRequest) GoString() string { return r.String() }

func (r RecordedRequest) clone() RecordedRequest {
	r.Header = r.Header.Clone()
	r.Body = bytes.Clone(r.Body)
	return r
}

// recorded is an entry of the log. Of its request only the status changes, which the tenant's lock guards.
type recorded struct{ request RecordedRequest }

// record adds a request that has arrived to the log.
func (t *Tenant) record(x *exchange) *recorded {
	entry := &recorded{request: x.request}
	t.mu.Lock()
	defer t.mu.Unlock()
	switch keep := t.options.KeepRequests; {
	case len(t.requests) < keep:
		t.requests = append(t.requests, entry)
	case keep > 0:
		t.requests[t.arrived%keep] = entry
	}
	t.arrived++
	return entry
}

// answered notes how a request was answered.
func (t *Tenant) answered(entry *recorded, status int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	entry.request.Status = status
}

// Requests are the requests that have arrived since the tenant was made or [Tenant.ResetRequests] was called, in order
// of arrival; the items of a $batch come after the batch. A connection refused by [DropConnect] is not a request. Only
// the latest [TenantOptions.KeepRequests] requests are kept. The result is a copy.
func (t *Tenant) Requests() []RecordedRequest {
	t.mu.Lock()
	defer t.mu.Unlock()
	list := make([]RecordedRequest, 0, len(t.requests))
	for i := range t.requests {
		oldest := t.arrived - len(t.requests)
		list = append(list, t.requests[(oldest+i)%len(t.requests)].request.clone())
	}
	return list
}

// RequestCount is how many requests [Tenant.Requests] would return without a limit.
func (t *Tenant) RequestCount() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.arrived
}

// ResetRequests forgets the requests so far. Everything else stays: devices, sessions, [Tenant.Prompts], throttling.
func (t *Tenant) ResetRequests() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.requests, t.arrived = nil, 0
}
