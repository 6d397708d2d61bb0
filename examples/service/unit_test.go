package main

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// unit is the file for systemd, with lines that go on put together.
func unit(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("service.service")
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(text), "\\\n", "")
}

// systemd's own check, and its opinion of how much the unit exposes.
func TestUnitIsGood(t *testing.T) {
	t.Parallel()
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("systemd-analyze is not installed")
	}
	// The check wants a program that is there.
	text := strings.ReplaceAll(unit(t), "/usr/local/bin/service", os.Args[0])
	file := filepath.Join(t.TempDir(), "service.service")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"verify", "--man=no", "--recursive-errors=no", file}, {"security", "--offline=yes", "--threshold=25", file},
	} {
		if said, err := exec.CommandContext(t.Context(), analyze, args...).CombinedOutput(); err != nil {
			t.Errorf("%v: %v\n%s", args, err, said)
		}
	}
}

// The program takes the flags of the unit, and ends before systemd kills it.
func TestUnitFitsTheProgram(t *testing.T) {
	t.Parallel()
	text := unit(t)
	found := regexp.MustCompile(`(?m)^ExecStart=/usr/local/bin/service (.*)$`).FindStringSubmatch(text)
	if found == nil {
		t.Fatal("there is no ExecStart")
	}
	secret := filepath.Join(t.TempDir(), "client-secret")
	if err := os.WriteFile(secret, []byte("s3cr3t\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	flags := strings.Fields(strings.NewReplacer("${SERVICE_PUBLIC}", "https://assist.example.com", "%S", t.TempDir()).Replace(found[1]))
	env := map[string]string{"AZURE_TENANT_ID": anyTenant, "AZURE_CLIENT_ID": "c", "AZURE_CLIENT_SECRET_FILE": secret}
	o, err := readOptions(flags, func(name string) string { return env[name] }, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if o.secret != "s3cr3t" {
		t.Error("the secret was not read from its file")
	}
	stop := regexp.MustCompile(`(?m)^TimeoutStopSec=(\d+)$`).FindStringSubmatch(text)
	if stop == nil {
		t.Fatal("there is no TimeoutStopSec in seconds")
	}
	if most, err := time.ParseDuration(stop[1] + "s"); err != nil || most < stopWithin+5*time.Second {
		t.Errorf("systemd kills after %s, and the service takes up to %s: %v", most, stopWithin, err)
	}
}
