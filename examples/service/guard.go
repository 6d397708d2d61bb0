package main

import (
	"net/http"
	"net/url"
	"strings"
)

// guard refuses requests that other sites make, and requests for other hosts, as a rebound name in the DNS makes them.
func guard(public *url.URL, next http.Handler) http.Handler {
	crossOrigin := http.NewCrossOriginProtection()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		setSecurityHeaders(w.Header(), public)
		if r.Host != public.Host && !isProbe(r) {
			refuse(w, r, kindWrongHost.with(problemExtra{}))
			return
		}
		if err := crossOrigin.Check(r); err != nil {
			refuse(w, r, kindForeignSite.because(plainError("the request came from another origin")))
			return
		}
		// Browsers send an Origin with every request that changes something. Without one, a cookie proves nothing.
		if origin := r.Header.Get("Origin"); origin == "" && !isSafe(r.Method) && r.Header.Get("Authorization") == "" {
			refuse(w, r, kindForeignSite.because(plainError("the header Origin is missing")))
			return
		} else if origin != "" && origin != public.Scheme+"://"+public.Host {
			refuse(w, r, kindForeignSite.because(plainError("the header Origin names another site")))
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		next.ServeHTTP(w, r)
	})
}

// maxBody is more than any request of the API needs.
const maxBody = 4 << 10

// isProbe exempts the probes of an orchestrator, which calls by address.
func isProbe(r *http.Request) bool {
	switch r.URL.Path {
	case "/livez", "/readyz", "/healthz":
		return isSafe(r.Method)
	}
	return false
}

// below takes the prefix of the service's addresses off, which a proxy passes on as it is. What is not below it is another
// program's, and so is what only looks so once it is cleaned.
func below(prefix string, next http.Handler) http.Handler {
	if prefix == "" {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rest, ok := strings.CutPrefix(r.URL.Path, prefix)
		switch {
		case isProbe(r):
		case ok && rest == "" && isSafe(r.Method):
			http.Redirect(w, r, prefix+"/", http.StatusPermanentRedirect)
			return
		case !ok || !strings.HasPrefix(rest, "/") || r.URL.RawPath != "" || strings.Contains(rest, "//") || strings.Contains(rest, "/."):
			refuse(w, r, kindNotFound.with(problemExtra{}))
			return
		default:
			// The request stays the same one: the log reads its route afterwards.
			at := *r.URL
			at.Path = rest
			r.URL = &at
		}
		next.ServeHTTP(w, r)
	})
}

func setSecurityHeaders(h http.Header, public *url.URL) {
	own := "'self'"
	if public.Path != "" { // the rest of the host is somebody else's
		own = public.String() + "/"
	}
	h.Set("Content-Security-Policy", strings.ReplaceAll("default-src 'none'; script-src OWN; style-src OWN; img-src OWN; "+
		"connect-src OWN; form-action OWN; base-uri 'none'; frame-ancestors 'none'; "+
		"require-trusted-types-for 'script'; trusted-types 'none'", "OWN", own))
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=(), payment=(), usb=()")
	if public.Scheme == "https" && !isLoopback(public.Hostname()) { // a browser would hold it against all of localhost
		h.Set("Strict-Transport-Security", "max-age=63072000; includeSubDomains")
	}
}
