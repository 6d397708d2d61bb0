package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// proxy stands between the browser and the service, as nginx does.
type proxy struct {
	*httptest.Server
	requests atomic.Int64

	mu     sync.Mutex
	broken map[string]http.HandlerFunc // instead of the service, by the path's beginning
	cut    context.CancelFunc          // ends what is under way
	life   context.Context
}

func newProxy(t *testing.T, at string) *proxy {
	t.Helper()
	to, err := url.Parse(at)
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{}
	p.breakDown(nil)
	pass := &httputil.ReverseProxy{FlushInterval: -1, Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(to)
		if r.In.Header.Get("Origin") != "" {
			r.Out.Header.Set("Origin", at)
		}
	}}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.requests.Add(1)
		p.mu.Lock()
		broken, life := p.broken, p.life
		p.mu.Unlock()
		for path, instead := range broken {
			if strings.HasPrefix(r.URL.Path, path) {
				instead(w, r)
				return
			}
		}
		ctx, cancel := context.WithCancel(r.Context())
		defer cancel()
		defer context.AfterFunc(life, cancel)() //nolint:contextcheck // the request ends with either
		pass.ServeHTTP(w, r.WithContext(ctx))
	}))
	t.Cleanup(func() {
		p.breakDown(nil)
		p.Close()
	})
	return p
}

// breakDown ends what is under way, and answers for the service from now on. Without handlers, the service is back.
func (p *proxy) breakDown(broken map[string]http.HandlerFunc) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cut != nil {
		p.cut()
	}
	p.life, p.cut = context.WithCancel(context.Background())
	p.broken = broken
}

// badGateway is nginx's answer for a service that is not there.
func badGateway(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html")
	w.WriteHeader(http.StatusBadGateway)
	_, _ = w.Write([]byte("<html><body><h1>502 Bad Gateway</h1></body></html>"))
}

func hangUp(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

// asked is how many requests the page sends in five seconds.
func (p *proxy) asked(b *tab) int64 {
	b.t.Helper()
	before := p.requests.Load()
	b.do(holds("five seconds", `(window.began ??= performance.now()) < performance.now() - 5000 && delete window.began`))
	return p.requests.Load() - before
}

// A page that has lost the service says so, asks for it with pauses, and tells the truth within seconds of its return.
func TestPageInABrowser_LostConnection(t *testing.T) {
	t.Parallel()
	b, service := demoIn(t, danaUPN)
	p := newProxy(t, service.at)
	b.do(step{"the page through the proxy", chromedp.Navigate(p.URL)}, visible("#q"),
		searchFor("LT-SALES-11"), visible("#card"), click("#ask"),
		text("state", "The user is being asked"), text("clock", "since you asked"))
	isLost := holds("it is lost", `!document.getElementById("lost").hidden && document.getElementById("clock").textContent === ""`)
	isBack := holds("it is back", `document.getElementById("lost").hidden && document.getElementById("clock").textContent !== ""`)
	for what, broken := range map[string]http.HandlerFunc{"502": badGateway, "a closed connection": hangUp} {
		p.breakDown(map[string]http.HandlerFunc{"/": broken})
		b.do(isLost, text("lost", "Connection lost since"), pageTitle("Connection lost · LT-SALES-11"), text("as-of", "As of"))
		if what == "502" {
			b.accessible("lost")
			b.pictures("lost")
		}
		if got := p.asked(b); got < 1 || got > 15 {
			t.Errorf("%s: %d requests in five seconds", what, got)
		}
		p.breakDown(nil)
		begin := time.Now()
		b.do(isBack, pageTitle("Waiting · LT-SALES-11"))
		if late := time.Since(begin); late > 10*time.Second {
			t.Errorf("%s: the page was right after %v", what, late)
		}
	}

	// The reverse case: the service answers, and only the streams end at once.
	p.breakDown(map[string]http.HandlerFunc{"/events": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) }})
	if got := p.asked(b); got > 30 {
		t.Errorf("streams that end at once: %d requests in five seconds", got)
	}

	// What happened meanwhile is there on return.
	p.breakDown(nil)
	b.do(isBack, searchFor("PHONE-ANNA"), visible("#card"), text("card-title", "PHONE-ANNA"), click("#ask"),
		text("session-title", "PHONE-ANNA"), text("state", "The user is being asked"))
	p.breakDown(map[string]http.HandlerFunc{"/": badGateway})
	b.do(isLost, step{"the link comes", chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		look := time.NewTicker(50 * time.Millisecond)
		defer look.Stop()
		for !strings.Contains(service.log.String(), `"state":"ready"`) {
			select {
			case <-look.C:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})}, text("state", "The user is being asked"))
	p.breakDown(nil)
	b.do(text("state", "The link is ready"), pageTitle("Link ready · PHONE-ANNA"))

	// A click while the service is gone is answered beside the button.
	p.breakDown(map[string]http.HandlerFunc{"/": badGateway})
	b.do(click("#open"), text("session-error", "The service does not answer"))
}
