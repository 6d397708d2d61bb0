package main

import "net/http"

// routes are all addresses of the service. Without a sign-in there are only the page itself, the way to sign in, what
// problems mean, and whether the service is up.
func (s *service) routes(entry *signIn, o *settings) *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", getFile("page.html", "text/html; charset=utf-8"))
	mux.HandleFunc("GET /page.css", getFile("page.css", "text/css; charset=utf-8"))
	mux.HandleFunc("GET /page.js", getFile("page.js", "text/javascript; charset=utf-8"))
	mux.HandleFunc("GET /icon.svg", getFile("icon.svg", "image/svg+xml"))
	mux.HandleFunc("GET /livez", getAlive)
	mux.HandleFunc("GET /readyz", s.health.getReady)
	mux.HandleFunc("GET /healthz", s.health.getReady)
	mux.HandleFunc("GET /problems/{name}", getProblem)
	mux.HandleFunc("GET /openapi.yaml", getDescription(o.public))
	mux.HandleFunc("GET /auth/login", entry.begin)
	mux.HandleFunc("GET /auth/callback", entry.finish)

	require := entry.auth.require
	mux.HandleFunc("POST /auth/logout", require(entry.leave))
	mux.HandleFunc("GET /me", require(getMe(o.references)))
	mux.HandleFunc("GET /devices", require(getDevices))
	mux.HandleFunc("GET /devices/{id}", require(getDevice))
	mux.HandleFunc("GET /devices/{id}/readiness", require((&readinessAPI{log: o.log}).get))

	a := &sessionAPI{desk: s.desk, sites: s.streams, references: o.references}
	mux.HandleFunc("POST /sessions", require(a.post))
	mux.HandleFunc("GET /sessions", require(a.list))
	mux.HandleFunc("GET /sessions/{id}", require(a.one(a.get)))
	mux.HandleFunc("GET /sessions/{id}/events", require(entry.auth.whileSignedIn(a.one(a.events))))
	mux.HandleFunc("POST /sessions/{id}/wait", require(a.one(a.wait)))
	mux.HandleFunc("POST /sessions/{id}/link", require(a.one(a.link)))
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { refuse(w, r, kindNotFound.with(problemExtra{})) })
	return mux
}

// meView is the JSON of /me.
type meView struct {
	Name      string         `json:"name"`
	CSRFToken string         `json:"csrfToken,omitempty"`
	Reference referenceRules `json:"reference"`
}

// getMe is whose sign-in it is. The page gets the token here that it has to send with what changes something: other sites
// can make the browser send the cookie, and cannot read this answer.
func getMe(rules referenceRules) func(http.ResponseWriter, *http.Request, *identity) {
	return func(w http.ResponseWriter, _ *http.Request, who *identity) {
		me := meView{Name: who.name, Reference: rules}
		if who.login != nil {
			me.CSRFToken = who.login.csrf
		}
		answer(w, http.StatusOK, me)
	}
}
