package main

import (
	"net/http"
	"net/url"
)

// guard refuses requests that other sites make, and requests for other hosts, as a rebound name in the DNS makes them.
func guard(public *url.URL, next http.Handler) http.Handler {
	crossOrigin := http.NewCrossOriginProtection()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		setSecurityHeaders(w.Header(), public.Scheme == "https")
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

func setSecurityHeaders(h http.Header, overTLS bool) {
	h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "+
		"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "+
		"require-trusted-types-for 'script'; trusted-types 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=(), payment=(), usb=()")
	if overTLS {
		h.Set("Strict-Transport-Security", "max-age=63072000; includeSubDomains")
	}
}
