package main

import (
	"net/http"
	"strings"
)

// wantsPage says that a person waits for the answer in a browser's window. Scripts, streams and programs get JSON.
func wantsPage(r *http.Request) bool {
	if !isSafe(r.Method) {
		return false
	}
	if mode := r.Header.Get("Sec-Fetch-Mode"); mode != "" {
		return mode == "navigate"
	}
	return strings.Contains(r.Header.Get("Accept"), "text/html")
}

// refusal is a problem as a person reads it: one sentence, and one button that leads on.
type refusal struct {
	Title, Sentence string
	Button, Path    string // of an address of the service
	RequestID       string
}

// refusalTexts are the sentence and the button of problems in which a person can do something else than go to the start.
var refusalTexts = map[string]struct{ sentence, button, path string }{
	kindNotSignedIn.name: {"You have to sign in to see this.", "Sign in", "auth/login"},
	kindSignInAgain.name: {"Microsoft does not accept this sign-in any more.", "Sign in again", "auth/login"},
	kindSignInFailed.name: {
		"You were not signed in: it was not finished, took too long, or is not allowed.", "Sign in again", "auth/login",
	},
	kindSignInUnavailable.name: {"Microsoft's sign-in cannot be reached at the moment.", "Try again", "auth/login"},
	kindNotFound.name:          {"There is no such page or session, or it is not yours.", "Go to the start page", ""},
	kindWrongHost.name:         {"This is not the address of the service.", "Go to the service", ""},
}

// showRefusal writes the page of a problem. The status is set already.
func showRefusal(w http.ResponseWriter, r *http.Request, p *problem) {
	page := refusal{Title: p.title, Sentence: p.detail, Button: "Go to the start page", RequestID: requestIDOf(r.Context())}
	if texts, ok := refusalTexts[p.name]; ok {
		page.Sentence, page.Button, page.Path = texts.sentence, texts.button, texts.path
	}
	root, f := homeOf(r.Context())
	data := f.data(root)
	data.Refusal = &page
	_ = pages.ExecuteTemplate(w, "refusal.html", data) // the caller may be gone
}
