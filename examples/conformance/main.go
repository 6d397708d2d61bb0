// Command conformance checks on a tenant what package intune and its test kit take for facts about Microsoft Graph, because
// nobody who wrote them has a tenant. It prints for each fact whether it is confirmed, contradicted, or was not tried, with
// what was seen and where the fact comes from:
//
//	go run ./examples/conformance -demo
//	go run ./examples/conformance -auth browser -tenant TENANT -client-id APP -report report.txt
//
// It only reads, unless -i-own-this-device is given. The report holds nothing of the tenant but hashes, so that it can be
// attached to an issue; README.md says how.
//
// The exit code is 0 if nothing is contradicted, 1 if something is, and 2 if the command line cannot be used, the sign-in
// failed, the check was interrupted, or the report could not be written.
package main

import (
	"context"
	"errors"
	"flag"
	"io"
	"os"
	"os/signal"
	"slices"
	"syscall"
)

const (
	exitOK = iota
	exitContradicted
	exitUnusable
)

func main() {
	os.Exit(start())
}

// start is main without the exit, which would skip what is deferred.
func start() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return run(ctx, os.Args[1:], os.Stdout, os.Stderr, demo{})
}

// run is the whole command. With -demo, it looks at the in-memory tenant d.
func run(ctx context.Context, args []string, stdout, stderr io.Writer, d demo) int {
	o, err := parseFlags(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		printf(stdout, "%s", usage)
		return exitOK
	case err != nil:
		printf(stderr, "conformance: %v\nRun it with -h for help.\n", err)
		return exitUnusable
	}
	file, err := createReport(o.report)
	if err != nil {
		printf(stderr, "conformance: %v\n", err)
		return exitUnusable
	}
	var at place
	if o.demo {
		at, err = d.place(ctx, o)
	} else {
		at, err = livePlace(ctx, o, stderr)
	}
	if err != nil {
		discard(file)
		printf(stderr, "conformance: cannot sign in: %v\n", err)
		return exitUnusable
	}
	p := newProbe(at, o)
	out := newOutput(stdout, file)
	out.show(p.heading())
	results := p.run(ctx, func(r result) { out.show(entry(r)) })
	out.show(summary(results))
	if err := out.close(); err != nil {
		printf(stderr, "conformance: the report cannot be written: %v\n", err)
		return exitUnusable
	}
	if file != nil {
		printf(stderr, "\nThe report is in %s. Read it, then attach it to an issue: https://github.com/go-intune/intune/issues\n", o.report)
	}
	switch {
	case ctx.Err() != nil:
		return exitUnusable
	case slices.ContainsFunc(results, func(r result) bool { return r.finding.verdict == contradicted }):
		return exitContradicted
	default:
		return exitOK
	}
}
