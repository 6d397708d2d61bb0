package main

import (
	"bufio"
	"context"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// figures are what a run of the test program measured, by "Action/intune ns/op".
type figures map[string]float64

// calls measures in rounds, so that what disturbs the machine disturbs every peer, and takes the median of the ratios.
func calls(ctx context.Context, folder string, rounds int) error {
	binary := filepath.Join(folder, "compare.test")
	if _, err := output(exec.CommandContext(ctx, "go", "test", "-vet=off", "-c", "-o", binary, "./compare")); err != nil {
		return err
	}
	var all []figures
	for round := range rounds {
		cmd := exec.CommandContext(ctx, binary, "-test.v", "-test.run=^TestWaiting$", "-test.bench=.", "-test.benchtime=500ms")
		cmd.Dir = "compare"
		out, err := output(cmd)
		if err != nil {
			return err
		}
		f := parse(out)
		all = append(all, f)
		fmt.Fprintf(os.Stderr, "round %d: %d figures\n", round+1, len(f))
	}
	ratio := func(what string, of, to int) float64 {
		var ratios []float64
		for _, f := range all {
			if base := f[fmt.Sprintf(what, peers[to])]; base > 0 {
				ratios = append(ratios, f[fmt.Sprintf(what, peers[of])]/base)
			}
		}
		return median(ratios)
	}
	line := func(title, what string, units ...string) row {
		var own []float64
		for _, f := range all {
			own = append(own, f[fmt.Sprintf(what, peers[0])])
		}
		r := row{title: title, own: strings.TrimSpace(unit(median(own), units...))}
		for i := range peers[1:] {
			r.ratios = append(r.ratios, ratio(what, i+1, 0))
		}
		return r
	}
	nanos := []string{"ns", "µs", "ms"}
	sizes := []string{"B", "kB", "MB"}
	counts := []string{"", "thousand", "million"}
	const azcore, msgraph = 4, 1
	call, fifth := ratio("Action/%s cpu-ns/op", 0, azcore), ratio("Action/%s cpu-ns/op", msgraph, 0)
	return write("calls", []row{
		line("one call of the action, time", "Action/%s cpu-ns/op", nanos...),
		line("allocations", "Action/%s allocs/op", counts...),
		line("bytes allocated", "Action/%s B/op", sizes...),
		line("a call that fails with a nested Intune error, its text included, time", "Error/%s cpu-ns/op", nanos...),
		line("allocations", "Error/%s allocs/op", counts...),
		line("a page of 1000 devices, time", "Page/%s cpu-ns/op", nanos...),
		line("allocations", "Page/%s allocs/op", counts...),
		line("bytes allocated", "Page/%s B/op", sizes...),
		line("the same page over HTTP/2 and TLS, time", "PageOverHTTP2/%s cpu-ns/op", nanos...),
		line("waiting for a link, requests a minute", "waiting/%s/requests", ""),
		line("allocations a minute", "waiting/%s/allocs", counts...),
		line("bytes allocated a minute", "waiting/%s/bytes", sizes...),
	},
		verdict("- Expected of a call at most 1.25 times azcore alone with the same headers; it is "+small(call), call <= 1.25),
		verdict(fmt.Sprintf("- Expected at most a fifth of msgraph-sdk-go; it is 1/%.1f", fifth), fifth >= 5),
		"")
}

// parse reads the lines of benchmarks, and the attributes of tests.
func parse(out string) figures {
	f := figures{}
	for scanner := bufio.NewScanner(strings.NewReader(out)); scanner.Scan(); {
		fields := strings.Fields(scanner.Text())
		switch {
		case len(fields) == 5 && fields[1] == "ATTR":
			if value, err := strconv.ParseFloat(fields[4], 64); err == nil {
				f[fields[3]] = value
			}
		case len(fields) > 3 && strings.HasPrefix(fields[0], "Benchmark"):
			maps.Copy(f, benchmark(fields))
		}
	}
	return f
}

func benchmark(fields []string) figures {
	f := figures{}
	name := strings.TrimPrefix(fields[0], "Benchmark")
	if at := strings.LastIndex(name, "-"); at > 0 {
		name = name[:at]
	}
	for i := 2; i+1 < len(fields); i += 2 {
		if value, err := strconv.ParseFloat(fields[i], 64); err == nil {
			f[name+" "+fields[i+1]] = value
		}
	}
	return f
}
