package main

import (
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/go-intune/intune/intunetest"
)

// simulator is a tenant with what this program adds to it.
type simulator struct {
	content *content
	options intunetest.TenantOptions
	log     *exchangeLog
	signIns *signIns

	mu     sync.Mutex
	tenant *intunetest.Tenant // replaced by a reset
}

func newSimulator(c *content, options intunetest.TenantOptions) *simulator {
	s := &simulator{content: c, options: options, log: &exchangeLog{}, signIns: newSignIns()}
	s.tenant = c.tenant(&s.options)
	return s
}

// current is the tenant since the last reset.
func (s *simulator) current() *intunetest.Tenant {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tenant
}

// reset makes everything as it was at the start: devices, prompts, faults, clock, requests, sign-ins.
func (s *simulator) reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tenant = s.content.tenant(&s.options)
	s.log.clear()
	s.signIns.clear()
}

// controlPrefix is where the tenant is looked at and interfered with. No path of Graph begins so.
const controlPrefix = "/_tenant"

// handler serves Graph, the sign-in and the control interface. There is no [http.ServeMux] around Graph, because that
// rewrites paths.
func (s *simulator) handler(open bool) http.Handler {
	control := s.controlHandler(open)
	clock := func() time.Time { return s.current().Now() }
	graph := s.log.around(clock, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.current().ServeHTTP(w, r) }))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch endpoint := signInEndpoint(r.URL.Path); {
		case endpoint != "":
			s.signIn(w, r, endpoint)
		case r.URL.Path == controlPrefix:
			http.Redirect(w, r, controlPrefix+"/", http.StatusMovedPermanently)
		case strings.HasPrefix(r.URL.Path, controlPrefix+"/"):
			control.ServeHTTP(w, r)
		default:
			graph.ServeHTTP(w, r)
		}
	})
}

// controlHandler is the control interface. Web pages of elsewhere that are open in the same browser cannot use it: what
// they send is told by its origin, and names that they could make point here are not answered.
func (s *simulator) controlHandler(open bool) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+controlPrefix+"/{$}", s.page)
	mux.HandleFunc("GET "+controlPrefix+"/live", s.live)
	mux.HandleFunc("GET "+controlPrefix+"/page.css", asset("text/css; charset=utf-8", styles))
	mux.HandleFunc("GET "+controlPrefix+"/page.js", asset("text/javascript; charset=utf-8", behavior))
	mux.HandleFunc("GET "+controlPrefix+"/state", s.getState)
	mux.HandleFunc("POST "+controlPrefix+"/reset", s.postReset)
	mux.HandleFunc("POST "+controlPrefix+"/fault", s.postFault)
	mux.HandleFunc("DELETE "+controlPrefix+"/fault", s.deleteFaults)
	mux.HandleFunc("POST "+controlPrefix+"/clock", s.postClock)
	mux.HandleFunc("POST "+controlPrefix+"/sign-in", s.postSignIn)
	mux.HandleFunc(controlPrefix+"/", func(w http.ResponseWriter, r *http.Request) {
		refuse(w, http.StatusNotFound, "there is nothing at "+r.Method+" "+r.URL.Path+"; docs/testing.md lists what there is")
	})
	protected := http.NewCrossOriginProtection().Handler(mux)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		if !open && !isLoopback(hostOf(r.Host)) {
			refuse(w, http.StatusMisdirectedRequest, "use the address that the server printed when it was ready")
			return
		}
		protected.ServeHTTP(w, r)
	})
}

func hostOf(hostPort string) string {
	if host, _, err := net.SplitHostPort(hostPort); err == nil {
		return host
	}
	return strings.Trim(hostPort, "[]")
}
