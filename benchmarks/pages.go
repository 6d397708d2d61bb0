package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/go-intune/intune/benchmarks/internal/document"
)

// releases are those of Go that .ci/run tests the library with. Each is had as its toolchain.
var releases = []string{"go1.26.10", "go1.27.4"}

// pages compares this library with msgraph-sdk-go on both releases of Go, which take turns: a page in the process, and one over
// HTTP/2 from another process.
func pages(ctx context.Context, folder string, rounds int) error {
	binary := func(release string) string { return filepath.Join(folder, "compare-"+release+".test") }
	for _, release := range releases {
		cmd := exec.CommandContext(ctx, "go", "test", "-vet=off", "-c", "-o", binary(release), "./compare")
		cmd.Env = append(os.Environ(), "GOTOOLCHAIN="+release)
		if _, err := output(cmd); err != nil {
			return err
		}
	}
	all := map[string][]figures{}
	for round := range rounds {
		for _, release := range releases {
			cmd := exec.CommandContext(ctx, binary(release), "-test.run=^$", "-test.bench=^BenchmarkPage(OverHTTP2)?$/^(intune|msgraph)$",
				"-test.benchtime=20x")
			cmd.Dir = "compare"
			out, err := output(cmd)
			if err != nil {
				return err
			}
			all[release] = append(all[release], parse(out))
		}
		fmt.Fprintf(os.Stderr, "round %d of pages\n", round+1)
	}
	var table strings.Builder
	table.WriteString("| | this library | msgraph-sdk-go | times |\n| --- | --- | --- | --- |\n")
	var verdicts []string
	for _, release := range releases {
		least := 0.0
		for _, way := range []struct{ title, benchmark string }{{"in the process", "Page"}, {"over HTTP/2", "PageOverHTTP2"}} {
			var own, theirs, ratios []float64
			for _, f := range all[release] {
				ours, msgraph := f[way.benchmark+"/intune cpu-ns/op"], f[way.benchmark+"/msgraph cpu-ns/op"]
				own, theirs, ratios = append(own, ours), append(theirs, msgraph), append(ratios, msgraph/ours)
			}
			middle := median(ratios)
			if least == 0 || middle < least {
				least = middle
			}
			fmt.Fprintf(&table, "| %s, %s | %s | %s | %.1f (%.1f to %.1f) |\n", release, way.title, unit(median(own), "ns", "µs", "ms"),
				unit(median(theirs), "ns", "µs", "ms"), middle, slices.Min(ratios), slices.Max(ratios))
		}
		verdicts = append(verdicts, verdict(fmt.Sprintf("- Expected at least 8 times msgraph-sdk-go's speed, over HTTP/2 too; with %s it is %.1f",
			release, least), least >= 8))
	}
	text := table.String() + "\n" + strings.Join(append(verdicts, "", machine()), "\n")
	fmt.Println(text)
	return document.SetTable(file, "pages", text)
}
