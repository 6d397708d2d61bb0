package main

import (
	"context"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
)

const deviceID = "705c034c-034c-705c-4c03-5c704c035c70"

// build is what building a program from an empty cache took.
type build struct {
	wall, cpu float64 // seconds
	peak      float64 // bytes, of the largest process
	actions   string  // the file of its action graph
}

func cold(ctx context.Context, folder, name string) (b build, err error) {
	cache, err := os.MkdirTemp(folder, "cache")
	if err != nil {
		return b, err
	}
	defer os.RemoveAll(cache)
	actions := filepath.Join(folder, "actions-"+name)
	cmd := exec.CommandContext(ctx, "go", "build", "-debug-actiongraph="+actions, "-o", program(folder, "cold", name), "./programs/job/"+name)
	cmd.Env = append(os.Environ(), "GOCACHE="+cache)
	start := time.Now()
	if _, err := output(cmd); err != nil {
		return b, err
	}
	state := cmd.ProcessState
	b = build{time.Since(start).Seconds(), (state.UserTime() + state.SystemTime()).Seconds(), peakMemory(state), actions}
	fmt.Fprintf(os.Stderr, "%s: %.0f s, CPU %.0f s, %.0f MiB\n", name, b.wall, b.cpu, b.peak/(1<<20))
	return b, nil
}

// shares say how many hundredths of a build's time compile the standard library, the modules of Azure, and the rest, with the linker.
func shares(actions string) (standard, azure, rest float64, err error) {
	text, err := os.ReadFile(actions)
	if err != nil {
		return 0, 0, 0, err
	}
	var graph []struct {
		Package         string
		CmdUser, CmdSys int64 // nanoseconds
	}
	if err := json.Unmarshal(text, &graph); err != nil {
		return 0, 0, 0, fmt.Errorf("%s: %w", actions, err)
	}
	for _, a := range graph {
		took := float64(a.CmdUser + a.CmdSys)
		first, _, _ := strings.Cut(a.Package, "/")
		switch {
		case !strings.Contains(first, "."):
			standard += took
		case strings.HasPrefix(a.Package, "github.com/Azure"): // and github.com/AzureAD
			azure += took
		default:
			rest += took
		}
	}
	part := func(took float64) float64 { return 100 * took / (standard + azure + rest) }
	return part(standard), part(azure), part(rest), nil
}

func compareBuilds(ctx context.Context, folder string) error {
	if _, err := output(exec.CommandContext(ctx, "go", "mod", "download")); err != nil {
		return err
	}
	builds := make([]build, len(peers))
	for i, name := range peers {
		b, err := cold(ctx, folder, name)
		if err != nil {
			return err
		}
		builds[i] = b
	}
	standard, azure, rest, err := shares(builds[0].actions)
	if err != nil {
		return err
	}
	for _, name := range peers {
		for _, kind := range []string{"job", "action"} {
			build := exec.CommandContext(ctx, "go", "build", "-o", program(folder, kind, name), "./programs/"+kind+"/"+name)
			if _, err := output(build); err != nil {
				return err
			}
		}
	}
	starts, err := startUps(ctx, folder)
	if err != nil {
		return err
	}
	against := func(of func(i int) float64) (ratios []float64) {
		for i := range peers[1:] {
			ratios = append(ratios, of(i+1)/of(0))
		}
		return ratios
	}
	size := func(kind string) func(int) float64 {
		return func(i int) float64 {
			info, err := os.Stat(program(folder, kind, peers[i]))
			if err != nil {
				return 0
			}
			return float64(info.Size())
		}
	}
	cpu := func(i int) float64 { return builds[i].cpu }
	wall := func(i int) float64 { return builds[i].wall }
	peak := func(i int) float64 { return builds[i].peak }
	rows := []row{
		{"build from an empty cache, CPU time", unit(cpu(0), "s"), against(cpu)},
		{"the same, real time", unit(wall(0), "s"), against(wall)},
		{"memory of its largest process", unit(peak(0)/(1<<20), "MiB"), against(peak)},
		{"program with the action alone", unit(size("action")(0), "B", "kB", "MB"), against(size("action"))},
		{"program with list, action and session", unit(size("job")(0), "B", "kB", "MB"), against(size("job"))},
		{"its start up to the first request", unit(starts[0], "ms"), against(func(i int) float64 { return starts[i] })},
	}
	return write("builds", rows,
		verdict(fmt.Sprintf("- Expected of a build at most an eighth of msgraph-sdk-go's time; "+
			"its CPU time is 1/%.1f of it", cpu(1)/cpu(0)), cpu(1) >= 8*cpu(0)),
		verdict(fmt.Sprintf("- Expected at most a tenth of its memory; it is 1/%.1f", peak(1)/peak(0)), peak(1) >= 10*peak(0)),
		fmt.Sprintf("- Of the time for this library, %.0f%% goes into the standard library, %.0f%% into the modules of Azure, and %.0f%% into "+
			"the library, its other dependencies and the linker.", standard, azure, rest), "")
}

// startUps are the median milliseconds from the start of a program to its first request, which includes a TLS handshake.
func startUps(ctx context.Context, folder string) ([]float64, error) {
	var mu sync.Mutex
	var first time.Time
	tenant := intunetest.NewTenant(nil)
	tenant.AddDevice(intune.ManagedDevice{ID: deviceID})
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		if first.IsZero() {
			first = time.Now()
		}
		mu.Unlock()
		tenant.ServeHTTP(w, r)
	}))
	defer server.Close()
	certificate := filepath.Join(folder, "certificate.pem")
	block := &pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}
	if err := os.WriteFile(certificate, pem.EncodeToMemory(block), 0o600); err != nil {
		return nil, err
	}
	took := make([][]float64, len(peers))
	for round := range 31 {
		for turn := range peers {
			i := (turn + round) % len(peers) // nobody always follows the same
			peer := peers[i]
			mu.Lock()
			first = time.Time{}
			mu.Unlock()
			cmd := exec.CommandContext(ctx, program(folder, "job", peer), server.URL+"/v1.0", deviceID)
			cmd.Env = append(os.Environ(), "SSL_CERT_FILE="+certificate)
			start := time.Now()
			if _, err := output(cmd); err != nil {
				return nil, err
			}
			mu.Lock()
			took[i] = append(took[i], float64(first.Sub(start).Microseconds())/1000)
			mu.Unlock()
		}
	}
	medians := make([]float64, 0, len(peers))
	for _, t := range took {
		slices.Sort(t)
		medians = append(medians, median(t))
	}
	return medians, nil
}
