package main

import "net/http"

// routes are all addresses of the service. Without a sign-in there are only the page itself, the way to sign in, what
// problems mean, and whether the service is up.
func (s *service) routes(entry *signIn, o *settings) *http.ServeMux {
	mux := http.NewServeMux()
	s.face.addPages(mux)
	mux.HandleFunc("GET /livez", getAlive)
	mux.HandleFunc("GET /readyz", s.health.getReady)
	mux.HandleFunc("GET /healthz", s.health.getReady)
	mux.HandleFunc("GET /problems/{name}", getProblem)
	mux.HandleFunc("GET /openapi.yaml", getDescription(o.public))
	mux.HandleFunc("GET /auth/login", entry.begin)
	mux.HandleFunc("GET /auth/callback", entry.finish)

	require := entry.auth.require
	mux.HandleFunc("POST /auth/logout", require(entry.leave))
	mux.HandleFunc("GET /me", require(getMe(o)))
	mux.HandleFunc("GET /devices", require(s.lookups.limited(useSearch, getDevices)))
	mux.HandleFunc("GET /devices/{id}", require(s.lookups.limited(useDevice, getDevice)))
	mux.HandleFunc("GET /devices/{id}/readiness", require(s.lookups.limited(useReadiness, (&readinessAPI{log: o.log}).get)))

	a := &sessionAPI{desk: s.desk, streams: s.streams, references: o.face.references}
	mux.HandleFunc("GET /events", require(entry.auth.whileSignedIn(a.ownEvents)))
	mux.HandleFunc("POST /sessions", require(a.post))
	mux.HandleFunc("GET /sessions", require(a.list))
	mux.HandleFunc("GET /sessions/{id}", require(a.one(a.get)))
	mux.HandleFunc("GET /sessions/{id}/events", require(entry.auth.whileSignedIn(a.one(a.events))))
	mux.HandleFunc("POST /sessions/{id}/wait", require(s.lookups.limited(useWait, a.one(a.wait))))
	mux.HandleFunc("POST /sessions/{id}/link", require(s.lookups.limited(useLink, a.one(a.link))))
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { refuse(w, r, kindNotFound.with(problemExtra{})) })
	return mux
}

// meView is the JSON of /me.
type meView struct {
	Name      string         `json:"name"`
	CSRFToken string         `json:"csrfToken,omitempty"`
	Desk      deskView       `json:"desk"`
	Reference referenceRules `json:"reference"`
}

type deskView struct {
	Name    string `json:"name,omitempty"`
	Contact string `json:"contact,omitempty"`
}

// getMe is whose sign-in it is. The page gets the token here that it has to send with what changes something: other sites
// can make the browser send the cookie, and cannot read this answer.
func getMe(o *settings) func(http.ResponseWriter, *http.Request, *identity) {
	return func(w http.ResponseWriter, _ *http.Request, who *identity) {
		me := meView{Name: who.name, Desk: deskView{o.face.name, o.face.contact}, Reference: o.face.references}
		if who.login != nil {
			me.CSRFToken = who.login.csrf
		}
		answer(w, http.StatusOK, me)
	}
}
