package main

import (
	"embed"
	"net/http"
)

//go:embed page.html page.css page.js icon.svg
var files embed.FS

// getFile serves a file of the page. The files hold no data: the page asks the API for it.
func getFile(name, mediaType string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		text, err := files.ReadFile(name)
		if err != nil {
			refuse(w, r, kindInternal.because(err))
			return
		}
		w.Header().Set("Content-Type", mediaType)
		w.Header().Set("Cache-Control", "no-cache")
		_, _ = w.Write(text) // the caller may be gone
	}
}
