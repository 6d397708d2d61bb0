// Command bulk asks the users of many devices for remote assistance through Microsoft Intune: a CSV of devices, or the
// devices of a detected app, in; a CSV of results out. A journal keeps it from asking anybody twice, also when it was
// killed and started again.
//
//	bulk -dry-run devices.csv
//	bulk -o results.csv devices.csv
//	bulk -h
//
// With -demo it runs on an in-memory tenant, without a network and without an account. README.md of this folder explains
// the flags, the results and the exit codes.
package main

import (
	"context"
	"os"
)

func main() { os.Exit(start()) }

// start is main without [os.Exit], which would skip what is deferred.
func start() int {
	stops := untilSignals(context.Background())
	defer stops.release()
	return run(stops, os.Args[1:], newConsole(os.Stdin, os.Stdout, os.Stderr))
}

// run is the whole program. It gives the exit code.
func run(stops *stops, args []string, c *console) int {
	o, err := parse(args)
	if o.help {
		if err := c.print(usage); err != nil {
			return c.conclude(stops, err)
		}
		return exitDone
	}
	if err == nil {
		err = (&job{console: c, options: o, stops: stops}).run()
	}
	return c.conclude(stops, err)
}
