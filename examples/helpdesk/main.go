// Command helpdesk is a technician's tool at a terminal: it finds the device of somebody who calls, asks that person for
// remote assistance through Microsoft Intune, and gives the technician the link of the session.
//
//	helpdesk connect LT-4F7K2
//	helpdesk resume
//	helpdesk bulk -o results.csv devices.csv
//	helpdesk -h
//
// With --demo each command runs on an in-memory tenant, without a network and without an account. README.md of this folder
// explains the commands and the exit codes.
package main

import (
	"context"
	"os"

	"github.com/pkg/browser"
)

func main() { os.Exit(start()) }

// start is main without [os.Exit], which would skip what is deferred.
func start() int {
	stops := untilSignals(context.Background())
	defer stops.release()
	return run(stops, os.Args[1:], newConsole(os.Stdin, os.Stdout, os.Stderr))
}

// run is the whole tool. It gives the exit code.
func run(stops *stops, args []string, c *console) int {
	browser.Stdout, browser.Stderr = nil, nil // what a browser prints may hold a link; the sign-in uses it too
	a := &app{console: c, stops: stops}
	root := a.commands()
	root.SetArgs(arranged(root, args))
	err := root.ExecuteContext(stops.soft)
	return a.conclude(stops.soft, err)
}
