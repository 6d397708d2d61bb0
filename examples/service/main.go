// Command service is for a team that offers remote assistance to its own people: an API that other systems call, and one
// page for technicians, who work with their own sign-in.
//
//	service -demo
//	service -h
//
// With -demo it runs on an in-memory tenant, without a network and without an account. README.md of this folder explains
// the API, the sign-in, and how to run the service.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

func main() { os.Exit(start()) }

// start is main without [os.Exit], which would skip what is deferred.
func start() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	return run(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Stderr)
}

// run is the whole program. It gives the exit code: 0, 1 for a failure, 2 for flags that cannot be used. The log goes to
// out, and talk to talk.
func run(ctx context.Context, args []string, env func(string) string, out, talk io.Writer) int {
	o, err := readOptions(args, env, talk)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		_, _ = fmt.Fprintln(talk, "service:", err)
		return 2
	}
	work := serve
	if o.database.onlyMigrate {
		work = migrateOnly
	}
	if err := work(ctx, o, newLog(out, o.logLevel), talk); err != nil {
		_, _ = fmt.Fprintln(talk, "service:", err)
		return 1
	}
	return 0
}
