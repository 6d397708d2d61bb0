package graphpolicy_test

import (
	"net/http"
	"testing"
)

// The record holds the id and the token of the latest request, and until there is one, the id with which it was made.
func TestRecordOfARequest(t *testing.T) {
	t.Parallel()
	call := newCall(false)
	call.RequestID = "made"
	if record := call.Record(); record.RequestID != "made" || record.Authorization != "" {
		t.Errorf("before: %+v", record)
	}
	req := request(t, call, http.MethodGet)
	req.Header.Set("Client-Request-Id", "own")
	req.Header.Set("Authorization", "Bearer token")
	if _, err := newTransport(t, says(http.StatusOK)).Do(req); err != nil {
		t.Fatal(err)
	}
	if record := call.Record(); record.RequestID != "own" || record.Authorization != "Bearer token" {
		t.Errorf("after: %+v", record)
	}
}

// The other headers of a request that is announced stay as they are.
func TestAnnouncedRequestKeepsItsHeaders(t *testing.T) {
	t.Parallel()
	call := newCall(true)
	call.Before = func(*http.Request) error { return nil }
	var sent http.Header
	transport := newTransport(t, func(req *http.Request) (*http.Response, error) {
		sent = req.Header
		return says(http.StatusNoContent)(req)
	})
	req := request(t, call, http.MethodPost)
	req.Header.Set("Authorization", "Bearer token")
	if _, err := transport.Do(req); err != nil || sent.Get("Authorization") != "Bearer token" {
		t.Errorf("sent %v, error %v", sent, err)
	}
}
