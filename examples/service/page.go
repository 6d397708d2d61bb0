package main

import (
	"bytes"
	"embed"
	"html/template"
	"net/http"
	"path"
)

//go:embed page
var files embed.FS

// pages are page.html, which is the page of the technicians, and refusal.html.
var pages = template.Must(template.ParseFS(files, "page/*.html"))

// pageData is what the templates of the pages show.
type pageData struct {
	Root          string // address of the service, or "" where it is that of the page
	Logo          string // address, relative to the root
	Name, Contact string
	ContactLink   template.URL
	Reference     referenceRules
	Refusal       *refusal
}

// data is that of a page, which finds the service at a root.
func (f *face) data(root string) pageData {
	data := pageData{
		Root: root, Logo: "icon.svg", Name: f.name, Contact: f.contact, ContactLink: f.contactLink, Reference: f.references,
	}
	if f.logo != nil {
		data.Logo = "logo"
	}
	return data
}

// page is the technicians' page. It holds no data: the script asks the API for it.
func (f *face) page(w http.ResponseWriter, r *http.Request) {
	var text bytes.Buffer
	if err := pages.ExecuteTemplate(&text, "page.html", f.data("")); err != nil {
		refuse(w, r, kindInternal.because(err))
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-cache")
	_, _ = w.Write(text.Bytes()) // the caller may be gone
}

// addPages adds the addresses of the page and of its files.
func (f *face) addPages(mux *http.ServeMux) {
	mux.HandleFunc("GET /{$}", f.page)
	mux.HandleFunc("GET /logo", f.getLogo)
	entries, _ := files.ReadDir("page") // an embedded folder can be read
	for _, entry := range entries {
		mediaType := map[string]string{".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}
		if kind, ok := mediaType[path.Ext(entry.Name())]; ok {
			mux.HandleFunc("GET /"+entry.Name(), getFile(entry.Name(), kind))
		}
	}
}

func getFile(name, mediaType string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		text, err := files.ReadFile("page/" + name)
		if err != nil {
			refuse(w, r, kindInternal.because(err))
			return
		}
		w.Header().Set("Content-Type", mediaType)
		w.Header().Set("Cache-Control", "no-cache")
		_, _ = w.Write(text) // the caller may be gone
	}
}
