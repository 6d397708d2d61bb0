package main

import (
	"context"
	"html/template"
	"net/http"
	"net/url"
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

// refusalPage is a problem as a person reads it: one sentence, and one button that leads on.
type refusalPage struct {
	Title, Sentence string
	Button, Href    string
	Home            string // where the files of the page are
	RequestID       string
}

// refusalTexts are the sentence and the button of problems in which a person can do something else than go to the start.
var refusalTexts = map[string]struct{ sentence, button, path string }{
	kindNotSignedIn.name:       {"You have to sign in to see this.", "Sign in", "/auth/login"},
	kindSignInAgain.name:       {"Microsoft does not accept this sign-in any more.", "Sign in again", "/auth/login"},
	kindSignInFailed.name:      {"You were not signed in: it took too long, or is not allowed.", "Sign in again", "/auth/login"},
	kindSignInUnavailable.name: {"Microsoft's sign-in cannot be reached at the moment.", "Try again", "/auth/login"},
	kindNotFound.name:          {"There is no such page or session, or it is not yours.", "Go to the start page", "/"},
	kindWrongHost.name:         {"This is not the address of the service.", "Go to the service", "/"},
}

var refusalTemplate = template.Must(template.New("refusal").Parse(`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{{.Title}} – Remote assistance</title>
<link rel="icon" href="{{.Home}}/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="{{.Home}}/page.css">
</head>
<body>
<header class="top">
  <div class="bar">
    <a class="brand" href="{{.Home}}/"><span class="product">Remote assistance</span></a>
  </div>
</header>
<main id="main">
  <section class="card enter" aria-labelledby="title">
    <h1 id="title">{{.Title}}</h1>
    <p class="lead">{{.Sentence}}</p>
    <p><a class="button wide" href="{{.Href}}">{{.Button}}</a></p>
    {{with .RequestID}}<p class="sub">Request id: {{.}}</p>{{end}}
  </section>
</main>
</body>
</html>
`))

// showRefusal writes the page of a problem. The status is set already.
func showRefusal(w http.ResponseWriter, r *http.Request, p *problem) {
	page := refusalPage{Title: p.title, Sentence: p.detail, Button: "Go to the start page", RequestID: requestIDOf(r.Context())}
	path := "/"
	if texts, ok := refusalTexts[p.name]; ok {
		page.Sentence, page.Button, path = texts.sentence, texts.button, texts.path
	}
	page.Home = homeOf(r.Context())
	page.Href = page.Home + path
	_ = refusalTemplate.Execute(w, page) // the caller may be gone
}

type homeKey struct{}

// atHome lets pages of refusals name the address of the service, since they stand at any path, and at other hosts too.
func atHome(public *url.URL, next http.Handler) http.Handler {
	home := strings.TrimSuffix(public.String(), "/")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), homeKey{}, home)))
	})
}

func homeOf(ctx context.Context) string {
	home, _ := ctx.Value(homeKey{}).(string)
	return home
}
