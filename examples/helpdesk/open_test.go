//go:build unix

package main

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// opener puts a program on the path that prints its arguments in both ways, keeps them, and ends with a code.
func (d *desk) opener(code string) (arguments func() string) {
	d.t.Helper()
	arguments, _ = d.program("xdg-open")
	at := filepath.Join(d.folder, "bin", "xdg-open")
	script := "#!/bin/sh\necho \"cannot open $*\" | /usr/bin/tee /dev/stderr\nprintf %s \"$*\" > " + at + ".part\n" +
		"/bin/mv " + at + ".part " + at + ".args\nexit " + code + "\n"
	if err := os.WriteFile(at, []byte(script), 0o700); err != nil {
		d.t.Fatal(err)
	}
	return arguments
}

// fetched is what a browser gets at the address that it was started with.
func fetched(t *testing.T, arguments func() string) (status int, location string) {
	t.Helper()
	for limit := time.After(patience); arguments() == ""; {
		select {
		case <-time.After(5 * time.Millisecond):
		case <-limit:
			t.Fatal("nothing was opened")
		}
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Get(arguments())
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	return resp.StatusCode, resp.Header.Get("Location")
}

// TestOpen has a browser come for the link. The link is among nobody's arguments, and what the opener prints nowhere.
func TestOpen(t *testing.T) {
	t.Parallel()
	d := newDesk(t, office())
	arguments := d.opener("0")
	_, copied := d.program("wl-copy")
	r := d.start("connect", "S-NEW", "-yes", "-open", "-copy")
	status, location := fetched(t, arguments)
	if status != http.StatusFound {
		t.Errorf("status %d", status)
	}
	if location != link {
		t.Errorf("the browser is led to %q", location)
	}
	got := r.wait()
	got.wants(t, exitDone, nil, []string{"opened in the browser and copied"})
	if copied() != link+"END\n" {
		t.Errorf("copied %q", copied())
	}
	for what, text := range map[string]string{"the arguments": arguments(), "standard error": got.stderr} {
		if strings.Contains(text, "teamviewer") {
			t.Errorf("the link is in %s: %s", what, text)
		}
	}
	if strings.Contains(got.stderr, "cannot open") {
		t.Errorf("what the opener prints is passed on:\n%s", got.stderr)
	}
}

// TestOpenFails prints the link instead, once and on standard output alone.
func TestOpenFails(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*desk){
		"it fails":     func(d *desk) { d.opener("3") },
		"it is absent": func(*desk) {},
		"no screen":    func(d *desk) { d.opener("0"); delete(d.env, "DISPLAY") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, office())
			change(d)
			got := d.run("connect", "S-NEW", "-yes", "-open", "-copy")
			got.wants(t, exitDone, []string{link}, []string{"browser could not be started", "could not be copied"})
			if got.stdout != link+"\n" {
				t.Errorf("standard output: %q", got.stdout)
			}
			for _, word := range []string{"SECRET", "cannot open"} {
				if strings.Contains(got.stderr, word) {
					t.Errorf("%q is on standard error:\n%s", word, got.stderr)
				}
			}
		})
	}
}

// TestOpenIsGoodForOnce gives the link to the first who comes, and to nobody at another address.
func TestOpenIsGoodForOnce(t *testing.T) {
	t.Parallel()
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	statuses := make(chan int, 3)
	err := openOnce(t.Context(), link, func(url string) error {
		for _, at := range []string{url[:len(url)-1], url} {
			resp, err := client.Get(at)
			if err != nil {
				return err
			}
			statuses <- resp.StatusCode
			resp.Body.Close()
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if first := <-statuses; first != http.StatusGone {
		t.Errorf("another address: %d", first)
	}
	if second := <-statuses; second != http.StatusFound {
		t.Errorf("the address: %d", second)
	}
	if err := openOnce(t.Context(), link, func(string) error { return errors.New("no screen") }); err == nil || err.Error() != "no screen" {
		t.Errorf("it failed with %v", err)
	}
}
