package main

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
)

func TestUsage(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]string{
		"-demo more":                      `unexpected argument "more"`,
		"-demo -cloud china":              "-cloud: not together with -demo",
		"-auth pigeon":                    `unknown -auth "pigeon"`,
		"-cloud moon":                     `unknown -cloud "moon"`,
		"-demo -timeout 0s":               "must be above zero",
		"-demo -audit-wait -1s":           "must be above zero",
		"-i-own-this-device":              "-i-own-this-device needs -device",
		"-device a -prompt-again user":    "-prompt-again needs -i-own-this-device",
		"-demo -prompt-again user,anna":   `unknown way "anna"`,
		"-demo -device ..":                "-device: ",
		"-demo -app a/b":                  "-app: ",
		"-auth browser":                   "cannot sign in: ",
		"-demo -report /nowhere/at/all/x": "-report: ",
	} {
		t.Run(args, func(t *testing.T) {
			t.Parallel()
			code, out, errs := conformance(t, demo{devices: 3}, strings.Fields(args)...)
			if code != exitUnusable || out != "" {
				t.Errorf("exit code %d, stdout %q", code, out)
			}
			if !strings.Contains(errs, want) {
				t.Errorf("stderr %q, want %q", errs, want)
			}
		})
	}
	code, out, _ := conformance(t, demo{}, "-h")
	if code != exitOK || !strings.Contains(out, "-i-own-this-device") {
		t.Errorf("exit code %d: %s", code, out)
	}
}

func TestReportFile(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "report.txt")
	code, out, errs := conformance(t, demo{devices: 3}, "-demo", "-report", name)
	if code != exitOK || !strings.Contains(errs, "Read it, then attach it to an issue") {
		t.Fatalf("exit code %d: %s", code, errs)
	}
	data, err := os.ReadFile(name)
	if err != nil || string(data) != out {
		t.Errorf("the file (%v) differs from what is printed", err)
	}
	info, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	if mode := info.Mode().Perm(); mode != 0o600 && runtime.GOOS != "windows" {
		t.Errorf("mode %v", mode)
	}
	code, out, _ = conformance(t, demo{devices: 3}, "-demo", "-report", name)
	if code != exitUnusable || out != "" {
		t.Errorf("the file exists: exit code %d, stdout %q", code, out)
	}
	if after, _ := os.ReadFile(name); string(after) != string(data) {
		t.Errorf("the file that existed became %q", after)
	}
}

// TestReportIsWrittenAsItGoes reads the file when the user is asked: what was seen before must be there if the program is
// killed now.
func TestReportIsWrittenAsItGoes(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "report.txt")
	var then atomic.Value
	d := demo{devices: 3, change: func(tenant policy.Transporter) policy.Transporter {
		return transport(func(req *http.Request) (*http.Response, error) {
			if req.Method == http.MethodPost {
				data, _ := os.ReadFile(name)
				then.Store(string(data))
			}
			return tenant.Do(req)
		})
	}}
	conformance(t, d, "-demo", "-i-own-this-device", "-report", name)
	if text, _ := then.Load().(string); verdicts(t, text)["list-devices"] != confirmed {
		t.Errorf("when the user was asked, the report was %q", text)
	}
}

// fullDisk takes a number of parts.
type fullDisk struct{ left int }

func (f *fullDisk) Write(p []byte) (int, error) {
	if f.left--; f.left < 0 {
		return 0, syscall.ENOSPC
	}
	return len(p), nil
}

// TestStandardOutputFull fills the disk below standard output: the file is still whole, and the exit code tells.
func TestStandardOutputFull(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "report.txt")
	var errs strings.Builder
	code := run(t.Context(), []string{"-demo", "-report", name}, &fullDisk{left: 3}, &errs, demo{devices: 3})
	if code != exitUnusable || !strings.Contains(errs.String(), "the report cannot be written: no space left") {
		t.Errorf("exit code %d: %s", code, errs.String())
	}
	data, err := os.ReadFile(name)
	if found := verdicts(t, string(data)); err != nil || len(found) != len(allFacts()) {
		t.Errorf("%v, %d verdicts", err, len(found))
	}
}

// TestNoReportWithoutSignIn leaves no file, whose name could not be used again.
func TestNoReportWithoutSignIn(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "report.txt")
	code, _, errs := conformance(t, demo{}, "-auth", "browser", "-report", name)
	if code != exitUnusable || !strings.Contains(errs, "cannot sign in") {
		t.Errorf("exit code %d, %s", code, errs)
	}
	if _, err := os.Stat(name); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the file: %v", err)
	}
}

// TestInterrupted ends the program when the user was asked: the report must still be there, and must not look complete.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	d := demo{devices: 3, change: func(tenant policy.Transporter) policy.Transporter {
		return transport(func(req *http.Request) (*http.Response, error) {
			if req.Method == http.MethodPost {
				defer cancel()
			}
			return tenant.Do(req)
		})
	}}
	var out, errs strings.Builder
	code := run(ctx, allFlags, &out, &errs, d)
	found := verdicts(t, out.String())
	if code != exitUnusable || len(found) != len(allFacts()) {
		t.Errorf("exit code %d, %d verdicts, want %d", code, len(found), len(allFacts()))
	}
	if before, after := found["list-devices"], found["again-user"]; before != confirmed || after != notTried {
		t.Errorf("list-devices: %s, again-user: %s", before, after)
	}
}

// TestTokenStaysHere gives the program next links to other hosts; one differs by a long s, which case folding takes for an s.
func TestTokenStaysHere(t *testing.T) {
	t.Parallel()
	for _, host := range []string{"graph.example.com", "graph.micro%C5%BFoft.com"} {
		t.Run(host, func(t *testing.T) {
			t.Parallel()
			var elsewhere atomic.Int32
			d := demo{devices: 30, change: func(tenant policy.Transporter) policy.Transporter {
				links := answers(func(a asked) bool { return a.method == http.MethodGet }, func(r *reply) {
					if _, list := r.body["value"].([]any); list {
						r.body["@odata.nextLink"] = "https://" + host + "/v1.0" + devicesPath + "?$skiptoken=1"
					}
				})(tenant)
				return transport(func(req *http.Request) (*http.Response, error) {
					if req.URL.Host != "graph.microsoft.com" {
						elsewhere.Add(1)
					}
					return links.Do(req)
				})
			}}
			_, out, _ := conformance(t, d, allFlags...)
			if elsewhere.Load() != 0 {
				t.Errorf("%d requests went elsewhere", elsewhere.Load())
			}
			if v := verdicts(t, out)["page-link"]; v != contradicted {
				t.Errorf("page-link: %s", v)
			}
		})
	}
}

// TestWithoutPermission gives the program a token for devices only: what it may not read is not contradicted.
func TestWithoutPermission(t *testing.T) {
	t.Parallel()
	d := demo{devices: 30, claims: map[string]any{"roles": []string{"DeviceManagementManagedDevices.Read.All"}}}
	code, out, _ := conformance(t, d, allFlags...)
	found := verdicts(t, out)
	for id, want := range map[string]verdict{
		"connector-permission": confirmed, "connector-states": notTried, "audit-permission": confirmed, "audit-shape": notTried,
		"action-accepted": notTried, "session-link": notTried, "audit-event": notTried, "again-user": notTried, "select-by-id": confirmed,
	} {
		if found[id] != want {
			t.Errorf("%s: %s, want %s", id, found[id], want)
		}
	}
	if code != exitOK {
		t.Errorf("exit code %d", code)
	}
}

// TestNotGraph lets something else answer: nothing is contradicted by it.
func TestNotGraph(t *testing.T) {
	t.Parallel()
	for _, code := range []int{200, 302, 400, 401, 403, 404, 407, 502} {
		d := demo{devices: 3, change: func(policy.Transporter) policy.Transporter {
			return transport(func(req *http.Request) (*http.Response, error) {
				return &http.Response{
					StatusCode: code, Header: http.Header{"Content-Type": {"text/html"}, "Location": {"https://proxy.example/"}},
					Body: io.NopCloser(strings.NewReader("<html>Sign in</html>")), Request: req,
				}, nil
			})
		}}
		exit, out, _ := conformance(t, d, allFlags...)
		for id, v := range verdicts(t, out) {
			if v != notTried {
				t.Errorf("HTTP %d: %s: %s", code, id, section(out, id))
			}
		}
		if exit != exitOK {
			t.Errorf("HTTP %d: exit code %d", code, exit)
		}
	}
}

// TestSignedInUser uses the token of a user.
func TestSignedInUser(t *testing.T) {
	t.Parallel()
	d := demo{devices: 8, claims: map[string]any{
		"scp": "DeviceManagementManagedDevices.ReadWrite.All DeviceManagementServiceConfig.Read.All DeviceManagementApps.Read.All",
		"oid": "50000000-0000-4000-8000-000000000001",
	}}
	code, out, _ := conformance(t, d, allFlags...)
	for id, v := range verdicts(t, out) {
		if v != confirmed && !strings.HasPrefix(id, "page-") {
			t.Errorf("%s", section(out, id))
		}
	}
	if code != exitOK {
		t.Errorf("exit code %d", code)
	}
	// A user may hold the permission and still lack the right in Intune.
	d.change = answers(has(partnersPath, ""), status(http.StatusForbidden))
	if _, out, _ = conformance(t, d, "-demo"); verdicts(t, out)["connector-permission"] != notTried {
		t.Errorf("%s", section(out, "connector-permission"))
	}
}

// TestSmallTenant has fewer devices than a page.
func TestSmallTenant(t *testing.T) {
	t.Parallel()
	code, out, _ := conformance(t, demo{devices: 3}, "-demo")
	found := verdicts(t, out)
	if size, limit := found["page-size"], found["page-top-limit"]; size != notTried || limit != confirmed {
		t.Errorf("page-size: %s, page-top-limit: %s", size, limit)
	}
	if code != exitOK {
		t.Errorf("exit code %d", code)
	}
}

// TestUnknownOutcome breaks the connection after the user was asked: nobody is asked again, whatever the flags say.
func TestUnknownOutcome(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	d := demo{devices: 3, change: func(tenant policy.Transporter) policy.Transporter {
		return transport(func(req *http.Request) (*http.Response, error) {
			resp, err := tenant.Do(req)
			if req.Method == http.MethodPost {
				asked.Add(1)
				return nil, io.ErrUnexpectedEOF
			}
			return resp, err
		})
	}}
	code, out, _ := conformance(t, d, allFlags...)
	if asked.Load() != 1 {
		t.Errorf("asked %d times", asked.Load())
	}
	found := verdicts(t, out)
	for _, f := range allFacts() {
		if f.need != needNothing && found[string(f.id)] != notTried {
			t.Errorf("%s", section(out, string(f.id)))
		}
	}
	if part := section(out, "session-link"); code != exitOK || !strings.Contains(part, "outcome unknown") {
		t.Errorf("exit code %d: %s", code, part)
	}
}
