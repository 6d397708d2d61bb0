package main

import (
	"mime"
	"net/http"
)

// isJSON also keeps out forms of other sites, which cannot send this type without asking first.
func isJSON(r *http.Request) bool {
	mediaType, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return err == nil && mediaType == "application/json"
}
