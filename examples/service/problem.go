package main

import (
	"cmp"
	"encoding/json"
	"net/http"
	"strconv"
	"time"
)

// problem is an answer that is no success, as RFC 9457 writes it. It is also an error. Its texts are for technicians: they
// come from the table of kinds and never from an error of the library, whose hints are for operators.
type problem struct {
	kind
	extra problemExtra
	about string // instead of the kind's detail
	cause error  // for the log only
}

// problemExtra are members beyond those of the kind.
type problemExtra struct {
	Session    string        // the session that stands in the way
	RetryAfter time.Duration // 0 for none
	SignedInAs string        // who the browser's sign-in is of now
}

// Error is for the log, and shows no cause.
func (p *problem) Error() string { return p.kind.name + ": " + p.kind.detail }

func (p *problem) Unwrap() error { return p.cause }

// problemBody is the JSON of a problem.
type problemBody struct {
	Type      string `json:"type"`
	Title     string `json:"title"`
	Status    int    `json:"status"`
	Detail    string `json:"detail,omitempty"`
	Instance  string `json:"instance,omitempty"`
	RequestID string `json:"requestId,omitempty"`
	Session   string `json:"session,omitempty"`

	SignedInAs string `json:"signedInAs,omitempty"`
}

// body is the JSON of the problem. The prefix is that of all addresses of the service.
func (p *problem) body(prefix, requestID string) problemBody {
	body := problemBody{
		Type: prefix + "/problems/" + p.name, Title: p.title, Status: p.status, Detail: cmp.Or(p.about, p.detail),
		RequestID: requestID, Session: p.extra.Session, SignedInAs: p.extra.SignedInAs,
	}
	if p.extra.Session != "" {
		body.Instance = prefix + "/sessions/" + p.extra.Session
	}
	return body
}

// refuse answers with a problem and leaves its cause to the log. It is a page for a person who came here with a browser.
func refuse(w http.ResponseWriter, r *http.Request, p *problem) {
	noteProblem(r.Context(), p)
	header := w.Header()
	header.Set("Cache-Control", "no-store")
	if p.status == http.StatusUnauthorized {
		header.Set("WWW-Authenticate", `Bearer realm="remote assistance"`)
	}
	if p.extra.RetryAfter > 0 {
		header.Set("Retry-After", strconv.Itoa(int((p.extra.RetryAfter+time.Second-1)/time.Second)))
	}
	if wantsPage(r) {
		header.Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(p.status)
		showRefusal(w, r, p)
		return
	}
	header.Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.status)
	_ = json.NewEncoder(w).Encode(p.body(prefixOf(r.Context()), requestIDOf(r.Context()))) //nolint:errchkjson // the caller may be gone
}

// answer writes a success as JSON, which nobody may keep.
func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) //nolint:errchkjson // the caller may be gone
}
