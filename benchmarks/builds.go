package main

import (
	"context"
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

// build is what building a program took.
type build struct {
	wall, cpu float64 // seconds
	peak      float64 // bytes, of the largest process
}

// cold builds the two programs of a peer, the whole job from an empty build cache.
func cold(ctx context.Context, folder, peer string) (b build, err error) {
	cache, err := os.MkdirTemp(folder, "cache")
	if err != nil {
		return b, err
	}
	defer os.RemoveAll(cache)
	for _, kind := range []string{"job", "action"} {
		cmd := exec.CommandContext(ctx, "go", "build", "-o", program(folder, kind, peer), "./programs/"+kind+"/"+peer)
		cmd.Env = append(os.Environ(), "GOCACHE="+cache)
		start := time.Now()
		if _, err := output(cmd); err != nil {
			return b, err
		}
		if kind == "job" {
			state := cmd.ProcessState
			b = build{time.Since(start).Seconds(), (state.UserTime() + state.SystemTime()).Seconds(), peakMemory(state)}
		}
	}
	return b, nil
}

func compareBuilds(ctx context.Context, folder string, rounds int) error {
	if _, err := output(exec.CommandContext(ctx, "go", "mod", "download")); err != nil {
		return err
	}
	best := make([]build, len(peers))
	for round := range max(rounds, 1) {
		for i, peer := range peers {
			if peer == "msgraph" && round > 0 {
				continue
			}
			b, err := cold(ctx, folder, peer)
			if err != nil {
				return err
			}
			fmt.Fprintf(os.Stderr, "%s: %.0f s, CPU %.0f s, %.0f MiB\n", peer, b.wall, b.cpu, b.peak/(1<<20))
			if round == 0 || b.cpu < best[i].cpu {
				best[i] = b
			}
		}
	}
	starts, err := startUps(ctx, folder)
	if err != nil {
		return err
	}
	own := best[0]
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
	cpu := func(i int) float64 { return best[i].cpu }
	peak := func(i int) float64 { return best[i].peak }
	rows := []row{
		{"build from an empty cache, CPU time", unit(own.cpu, "s"), against(cpu)},
		{"memory of its largest process", unit(own.peak/(1<<20), "MiB"), against(peak)},
		{"program with the action alone", unit(size("action")(0), "B", "kB", "MB"), against(size("action"))},
		{"program with list, action and session", unit(size("job")(0), "B", "kB", "MB"), against(size("job"))},
		{"its start up to the first request", unit(starts[0], "ms"), against(func(i int) float64 { return starts[i] })},
	}
	return write("builds", rows,
		verdict(fmt.Sprintf("- Expected of a build at most an eighth of msgraph-sdk-go's time; its CPU time is 1/%.1f of it", cpu(1)/cpu(0)), cpu(1) >= 8*cpu(0)),
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
	if err := os.WriteFile(certificate, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600); err != nil {
		return nil, err
	}
	took := make([][]float64, len(peers))
	for range 31 {
		for i, peer := range peers {
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
