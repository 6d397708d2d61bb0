package main

import (
	"context"
	"crypto/rand"
	"errors"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"time"
)

// hasBrowser reports whether a browser can be opened here: there is a screen, or somebody set BROWSER, and a program that
// opens it.
func hasBrowser() bool {
	switch runtime.GOOS {
	case "windows", "darwin":
		return true
	}
	screen := false
	for _, name := range []string{"DISPLAY", "WAYLAND_DISPLAY", "BROWSER", "WSL_DISTRO_NAME"} {
		screen = screen || os.Getenv(name) != ""
	}
	for _, opener := range []string{"xdg-open", "x-www-browser", "www-browser"} { // those of pkg/browser
		if _, err := exec.LookPath(opener); err == nil {
			return screen
		}
	}
	return false
}

// browserPatience is how long a browser may take to start and fetch the link.
const browserPatience = 20 * time.Second

// openOnce opens a link in a browser. The link is no argument of any program, where other accounts of this machine could
// read it as long as the browser runs: the browser gets an address of this program, good for once, which leads to the link.
// It returns when the browser has come for it.
func openOnce(ctx context.Context, link string, open func(url string) error) error {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	path, came, opened := "/"+rand.Text(), make(chan struct{}), make(chan error, 1)
	var once sync.Once
	server := &http.Server{
		ReadHeaderTimeout: browserPatience,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			first := false
			if r.Method == http.MethodGet && r.URL.Path == path {
				once.Do(func() { first = true })
			}
			if !first {
				http.Error(w, "There is nothing here, or it was fetched before.", http.StatusGone)
				return
			}
			w.Header().Set("Cache-Control", "no-store")
			w.Header().Set("Referrer-Policy", "no-referrer")
			w.Header().Set("Location", link)
			w.WriteHeader(http.StatusFound)
			close(came)
		}),
	}
	go func() { _ = server.Serve(listener) }() // ends with Shutdown
	defer func() {
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = server.Shutdown(last) // once the answer is sent
	}()
	go func() { opened <- open("http://" + listener.Addr().String() + path) }()
	patience := time.NewTimer(browserPatience)
	defer patience.Stop()
	for {
		select {
		case <-came:
			return nil
		case err := <-opened:
			if err != nil {
				return err
			}
			opened = nil // what opens browsers has ended, and the browser is on its way
		case <-patience.C:
			return errors.New("it did not come for the link")
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
