package main

import (
	"log/slog"
	"net/http"
)

// routes are all addresses of the service. Without a sign-in there are only the page itself, the way to sign in, what
// problems mean, and whether the service is up.
func (s *service) routes(entry *signIn, log *slog.Logger) *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", getFile("page.html", "text/html; charset=utf-8"))
	mux.HandleFunc("GET /page.css", getFile("page.css", "text/css; charset=utf-8"))
	mux.HandleFunc("GET /page.js", getFile("page.js", "text/javascript; charset=utf-8"))
	mux.HandleFunc("GET /icon.svg", getFile("icon.svg", "image/svg+xml"))
	mux.HandleFunc("GET /healthz", s.getHealth)
	mux.HandleFunc("GET /problems/{name}", getProblem)
	mux.HandleFunc("GET /auth/login", entry.begin)
	mux.HandleFunc("GET /auth/callback", entry.finish)

	require := entry.auth.require
	mux.HandleFunc("POST /auth/logout", require(entry.leave))
	mux.HandleFunc("GET /me", require(entry.auth.getMe))
	mux.HandleFunc("GET /devices", require(s.lookups.limited(useSearch, getDevices)))
	mux.HandleFunc("GET /devices/{id}", require(s.lookups.limited(useDevice, getDevice)))
	mux.HandleFunc("GET /devices/{id}/readiness", require(s.lookups.limited(useReadiness, (&readinessAPI{log: log}).get)))

	a := &sessionAPI{desk: s.desk, sites: s.streams}
	mux.HandleFunc("POST /sessions", require(a.post))
	mux.HandleFunc("GET /sessions", require(a.list))
	mux.HandleFunc("GET /sessions/{id}", require(a.one(a.get)))
	mux.HandleFunc("GET /sessions/{id}/events", require(entry.auth.whileSignedIn(a.one(a.events))))
	mux.HandleFunc("POST /sessions/{id}/wait", require(a.one(a.wait)))
	mux.HandleFunc("POST /sessions/{id}/link", require(s.lookups.limited(useLink, a.one(a.link))))
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { refuse(w, r, kindNotFound.with(problemExtra{})) })
	return mux
}

// getHealth tells a load balancer to send new requests elsewhere while the service stops.
func (s *service) getHealth(w http.ResponseWriter, r *http.Request) {
	s.desk.mu.Lock()
	stopping := s.desk.stopping
	s.desk.mu.Unlock()
	if stopping {
		refuse(w, r, kindStopping.with(problemExtra{}))
		return
	}
	answer(w, http.StatusOK, map[string]string{"status": "ok"})
}
