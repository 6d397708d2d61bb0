// Command quickstart shows the main job of package intune in one go: it finds a device, asks for remote assistance through
// each of its three addresses, waits for the session's link, and shows what becomes of an error of Intune's.
//
// It runs on an in-memory tenant, without a network and without an account, unless -live is given:
//
//	go run ./examples/quickstart
//	go run ./examples/quickstart -live -auth browser -tenant TENANT -client-id APP -device ID -yes
//
// The exit code is 0 if all went well, 1 if something failed, 2 if the command line cannot be used.
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"

	"github.com/go-intune/intune"
)

const (
	exitOK = iota
	exitFailure
	exitUsage
)

func main() {
	os.Exit(start())
}

// start is main without the exit, which would skip what is deferred.
func start() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	return run(ctx, os.Args[1:], os.Stdout, os.Stderr)
}

// run is the whole command.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	o, err := parseFlags(args)
	out := &watched{w: stdout}
	switch {
	case errors.Is(err, errHelp):
		printf(out, "%s", usage)
		err = nil
	case err != nil:
		printf(stderr, "quickstart: %v\nRun it with -h for help.\n", err)
		return exitUsage
	case o.live:
		err = runLive(ctx, o, out, stderr)
	default:
		err = tour(ctx, o, out)
	}
	if err == nil && out.err != nil {
		err = fmt.Errorf("write to standard output: %w", out.err)
	}
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, intune.ErrInvalidArgument):
		printf(stderr, "quickstart: %v\n", err)
		return exitUsage
	default:
		printf(stderr, "quickstart: %v\n", err)
		return exitFailure
	}
}

// watched is a writer that remembers that it failed, for those who write without looking.
type watched struct {
	w   io.Writer
	err error
}

// Write implements [io.Writer].
func (w *watched) Write(p []byte) (int, error) {
	n, err := w.w.Write(p)
	w.err = cmp.Or(w.err, err)
	return n, err
}
