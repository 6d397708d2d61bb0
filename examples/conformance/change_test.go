package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
)

// change stands between the tenant and what is sent to it.
type change = func(tenant policy.Transporter) policy.Transporter

type transport func(*http.Request) (*http.Response, error)

func (t transport) Do(req *http.Request) (*http.Response, error) { return t(req) }

// asked is a request as the conditions of changes see it.
type asked struct {
	method, path, query string // the query is decoded
	raw                 string
	anonymous           bool
}

func askedBy(req *http.Request) asked {
	query, _ := url.QueryUnescape(req.URL.RawQuery)
	return asked{req.Method, req.URL.Path, query, req.URL.RawQuery, req.Header.Get("Authorization") == ""}
}

// reply is an answer that can be changed.
type reply struct {
	status int
	header http.Header
	body   record
}

func (r *reply) rows() []record { return r.body.rows() }

func (r *reply) setRows(rows ...record) {
	list := make([]any, 0, len(rows))
	for _, row := range rows {
		list = append(list, map[string]any(row))
	}
	r.body["value"] = list
}

// answers changes the answers to some requests.
func answers(which func(asked) bool, edit func(*reply)) change {
	return func(tenant policy.Transporter) policy.Transporter {
		return transport(func(req *http.Request) (*http.Response, error) {
			resp, err := tenant.Do(req)
			if err != nil || !which(askedBy(req)) {
				return resp, err
			}
			data, err := io.ReadAll(resp.Body)
			if err != nil {
				return nil, err
			}
			r := &reply{resp.StatusCode, resp.Header, (&answer{body: data}).record()}
			had := r.body != nil
			edit(r)
			if had || r.body != nil {
				if data, err = json.Marshal(r.body); err != nil {
					return nil, err
				}
			}
			changed := *resp
			changed.Header = r.header
			changed.StatusCode, changed.Status = r.status, http.StatusText(r.status)
			changed.Body, changed.ContentLength = io.NopCloser(bytes.NewReader(data)), int64(len(data))
			return &changed, nil
		})
	}
}

// without takes an option out of the queries of some requests, as a service does that ignores it.
func without(option string, which func(asked) bool) change {
	return func(tenant policy.Transporter) policy.Transporter {
		return transport(func(req *http.Request) (*http.Response, error) {
			if !which(askedBy(req)) {
				return tenant.Do(req)
			}
			var kept []string
			for part := range strings.SplitSeq(req.URL.RawQuery, "&") {
				if !strings.HasPrefix(part, option) {
					kept = append(kept, part)
				}
			}
			changed := req.Clone(req.Context())
			changed.URL.RawQuery = strings.Join(kept, "&")
			return tenant.Do(changed)
		})
	}
}

// Conditions.

func is(path, query string) func(asked) bool {
	return func(a asked) bool { return a.method == http.MethodGet && a.path == "/v1.0"+path && a.query == query }
}

func has(path, query string) func(asked) bool {
	return func(a asked) bool {
		return a.method == http.MethodGet && strings.HasPrefix(a.path, "/v1.0"+path) && strings.Contains(a.query, query)
	}
}

func posts(part string) func(asked) bool {
	return func(a asked) bool { return a.method == http.MethodPost && strings.Contains(a.path, part) }
}

// Edits.

func status(code int) func(*reply) { return func(r *reply) { r.status = code } }

func noRows(r *reply) { r.setRows() }

func set(name string, value any) func(*reply) { return func(r *reply) { r.body[name] = value } }

func inRows(name string, value any) func(*reply) {
	return func(r *reply) {
		for _, row := range r.rows() {
			row[name] = value
		}
	}
}

func header(name, value string) func(*reply) {
	return func(r *reply) {
		r.header = r.header.Clone()
		r.header.Set(name, value)
	}
}
