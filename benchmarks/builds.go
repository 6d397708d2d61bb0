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
	"sync"
	"time"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
)

const deviceID = "705c034c-034c-705c-4c03-5c704c035c70"

// build is what building a program from an empty cache took.
type build struct {
	Peer string
	Wall float64 // seconds
	CPU  float64 // seconds
	Peak float64 // bytes, of the largest process
}

func cold(ctx context.Context, folder, name string) (b build, err error) {
	cache, err := os.MkdirTemp(folder, "cache")
	if err != nil {
		return b, err
	}
	defer os.RemoveAll(cache)
	cmd := exec.CommandContext(ctx, "go", "build", "-o", program(folder, "cold", name), "./programs/job/"+name)
	cmd.Env = append(os.Environ(), "GOCACHE="+cache)
	start := time.Now()
	if _, err := output(cmd); err != nil {
		return b, err
	}
	state := cmd.ProcessState
	return build{name, time.Since(start).Seconds(), (state.UserTime() + state.SystemTime()).Seconds(), peakMemory(state)}, nil
}

// coldBuilds builds each peer in turn, but for those that the state has.
func coldBuilds(ctx context.Context, folder string, rounds int, state string) ([]build, error) {
	var done []build
	if text, err := os.ReadFile(state); err == nil {
		if err := json.Unmarshal(text, &done); err != nil {
			return nil, fmt.Errorf("%s: %w", state, err)
		}
	}
	for round := range rounds {
		for _, name := range peers {
			if len(of(done, name)) > round || name == "msgraph" && round > 0 {
				continue
			}
			b, err := cold(ctx, folder, name)
			if err != nil {
				return nil, err
			}
			fmt.Fprintf(os.Stderr, "%s: %.0f s, CPU %.0f s, %.0f MiB\n", name, b.Wall, b.CPU, b.Peak/(1<<20))
			done = append(done, b)
			if state == "" {
				continue
			}
			text, err := json.MarshalIndent(done, "", "  ")
			if err != nil {
				return nil, err
			}
			if err := os.WriteFile(state, text, 0o600); err != nil {
				return nil, err
			}
		}
	}
	return done, nil
}

func of(builds []build, name string) (list []build) {
	for _, b := range builds {
		if b.Peer == name {
			list = append(list, b)
		}
	}
	return list
}

func compareBuilds(ctx context.Context, folder string, rounds int, state string) error {
	if _, err := output(exec.CommandContext(ctx, "go", "mod", "download")); err != nil {
		return err
	}
	builds, err := coldBuilds(ctx, folder, rounds, state)
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
	middle := func(i int, value func(build) float64) float64 {
		var values []float64
		for _, b := range of(builds, peers[i]) {
			values = append(values, value(b))
		}
		return median(values)
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
	cpu := func(i int) float64 { return middle(i, func(b build) float64 { return b.CPU }) }
	peak := func(i int) float64 { return middle(i, func(b build) float64 { return b.Peak }) }
	rows := []row{
		{"build from an empty cache, CPU time", unit(cpu(0), "s"), against(cpu)},
		{"memory of its largest process", unit(peak(0)/(1<<20), "MiB"), against(peak)},
		{"program with the action alone", unit(size("action")(0), "B", "kB", "MB"), against(size("action"))},
		{"program with list, action and session", unit(size("job")(0), "B", "kB", "MB"), against(size("job"))},
		{"its start up to the first request", unit(starts[0], "ms"), against(func(i int) float64 { return starts[i] })},
	}
	return write("builds", rows,
		verdict(fmt.Sprintf("- Expected of a build at most an eighth of msgraph-sdk-go's time; "+
			"its CPU time is 1/%.1f of it", cpu(1)/cpu(0)), cpu(1) >= 8*cpu(0)),
		verdict(fmt.Sprintf("- Expected at most a tenth of its memory; it is 1/%.1f", peak(1)/peak(0)), peak(1) >= 10*peak(0)), "")
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
