package main

import (
	"bytes"
	_ "embed"
	"html/template"
	"net/http"
	"time"
)

//go:embed page.html
var markup string

//go:embed page.css
var styles []byte

//go:embed page.js
var behavior []byte

var pages = template.Must(template.New("page").Parse(markup))

// shownDevices bounds the page, not the tenant.
const shownDevices = 200

// view is what the page shows.
type view struct {
	state

	Hidden int           // devices that are not shown
	Ahead  time.Duration // of the tenant's clock
}

// page is for a browser. It is whole without its script, which keeps it up to date and sends the forms.
func (s *simulator) page(w http.ResponseWriter, _ *http.Request) { s.render(w, "page") }

// live is the part of the page that changes.
func (s *simulator) live(w http.ResponseWriter, _ *http.Request) { s.render(w, "live") }

// contentPolicy lets the page run its own script and nothing else: names of devices and bodies of requests come from anywhere.
const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

func (s *simulator) render(w http.ResponseWriter, name string) {
	v := view{state: s.state()}
	v.Ahead = time.Until(v.Time).Round(time.Second)
	if n := len(v.Devices); n > shownDevices {
		v.Devices, v.Hidden = v.Devices[:shownDevices], n-shownDevices
	}
	var text bytes.Buffer
	if err := pages.ExecuteTemplate(&text, name, v); err != nil {
		refuse(w, http.StatusInternalServerError, err.Error())
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", contentPolicy)
	_, _ = w.Write(text.Bytes()) // the browser may have gone
}

func asset(contentType string, data []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		_, _ = w.Write(data)
	}
}
