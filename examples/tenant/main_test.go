package main

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What the command line may be, and what is said of what it may not be.
func TestCommandLine(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		args []string
		code int
		says string // on standard error
	}{
		{"help", []string{"-h"}, exitDone, "-allow-other-machines"},
		{"unknown flag", []string{"-x"}, exitUsage, "-x"},
		{"an argument", []string{"devices.json"}, exitUsage, `"devices.json" is no flag`},
		{"every network", []string{"-addr", "0.0.0.0:0"}, exitUsage, "add -allow-other-machines"},
		{"every network, IPv6", []string{"-addr", "[::]:0"}, exitUsage, "add -allow-other-machines"},
		{"another name", []string{"-addr", "example.com:0"}, exitUsage, "add -allow-other-machines"},
		{"no port", []string{"-addr", "127.0.0.1"}, exitUsage, "should be like 127.0.0.1:8443"},
		{"no such port", []string{"-addr", "127.0.0.1:99999"}, exitFailure, "invalid port"},
		{"no data", []string{"-data", filepath.Join("testdata", "none.json")}, exitUsage, "none.json"},
		{"a certificate without TLS", []string{"-http", "-ca", "ca.pem"}, exitUsage, "-ca is for TLS"},
		{"somebody's file as -ca", []string{"-addr", ":0", "-ca", "main.go"}, exitFailure, "left alone"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var stdout, stderr bytes.Buffer
			if code := run(t.Context(), c.args, &stdout, &stderr); code != c.code || stdout.Len() > 0 {
				t.Errorf("exit code %d, want %d; standard output: %q", code, c.code, stdout.String())
			}
			contains(t, "standard error", stderr.String(), c.says)
		})
	}
}

// The certificate goes where it is wanted, replaces one of an earlier run, and is removed if nobody named the file.
func TestCertificateFile(t *testing.T) {
	t.Parallel()
	named := filepath.Join(t.TempDir(), "with space.pem")
	for range 2 {
		s := startServer(t, "-ca", named)
		if s.ca != named || s.send(t, http.MethodGet, devicesPath, "").status != http.StatusOK {
			t.Errorf("ca %s", s.ca)
		}
		s.stop()
	}
	if _, err := os.Stat(named); err != nil {
		t.Error(err)
	}
	s := startServer(t)
	s.stop()
	if _, err := os.Stat(filepath.Dir(s.ca)); !os.IsNotExist(err) {
		t.Errorf("%s is still there: %v", s.ca, err)
	}
}

// An address without a host is loopback; localhost is in the certificate.
func TestListensOnLoopback(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	if !strings.HasPrefix(s.root, "https://127.0.0.1:") || s.page != s.root+"/_tenant/" {
		t.Errorf("root %s, page %s", s.root, s.page)
	}
	s.root = strings.Replace(s.root, "127.0.0.1", "localhost", 1)
	if a := s.send(t, http.MethodGet, devicesPath, ""); a.status != http.StatusOK || !strings.Contains(a.body, "LT-4F7K2") {
		t.Errorf("%d %s", a.status, a.body)
	}
}

func TestFlags(t *testing.T) {
	t.Parallel()
	t.Run("-http", func(t *testing.T) {
		t.Parallel()
		s := startServer(t, "-http")
		if !strings.HasPrefix(s.root, "http://127.0.0.1:") || s.ca != "" {
			t.Errorf("root %s, certificate %q", s.root, s.ca)
		}
		if a := s.send(t, http.MethodGet, devicesPath, ""); a.status != http.StatusOK {
			t.Errorf("%s: %d %s", s.root, a.status, a.body)
		}
	})
	t.Run("-strict", func(t *testing.T) {
		t.Parallel()
		for _, args := range [][]string{nil, {"-strict"}} {
			a := startServer(t, args...).send(t, http.MethodGet, devicesPath+"?%24select=id", "")
			if strict := strings.Contains(a.body, "deviceName"); strict != (args != nil) {
				t.Errorf("%v: %s", args, a.body)
			}
		}
	})
	t.Run("-limits", func(t *testing.T) {
		t.Parallel()
		s := startServer(t, "-limits")
		last := answer{}
		for range 201 { // C§7.1: 200 writes in 20 seconds
			last = s.send(t, http.MethodPost, devicesPath+"/"+kiosk+"/requestRemoteAssistance", "")
		}
		if last.status != http.StatusTooManyRequests {
			t.Errorf("the 201st write: %d", last.status)
		}
	})
	t.Run("-allow-other-machines", func(t *testing.T) {
		t.Parallel()
		s := startServer(t, "-addr", "0.0.0.0:0", "-allow-other-machines")
		if a := s.send(t, http.MethodGet, "/_tenant/state", "", func(r *http.Request) { r.Host = "machine.example" }); a.status != http.StatusOK {
			t.Errorf("%d %s", a.status, a.body)
		}
	})
}
