package main

import (
	_ "embed" // for openapi.yaml
	"net/http"
	"net/url"
	"strings"
)

//go:embed openapi.yaml
var description string

// getDescription serves openapi.yaml with the address of this service, and with the types of its problems, which are below
// that address.
func getDescription(public *url.URL) http.HandlerFunc {
	text := strings.NewReplacer(
		"url: https://assist.example.com", "url: "+public.String(),
		"- /problems/", "- "+public.Path+"/problems/",
	).Replace(description)
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/yaml")
		w.Header().Set("Cache-Control", "no-cache")
		_, _ = w.Write([]byte(text)) // the caller may be gone
	}
}
