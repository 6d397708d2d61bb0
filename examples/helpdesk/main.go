// Command helpdesk is a tool for technicians who look after devices that Microsoft Intune manages. So far it has one
// command, which finds the device of somebody who calls:
//
//	go run ./examples/helpdesk find -demo -name LT-4F7K2
//	go run ./examples/helpdesk find -auth browser -tenant TENANT -client-id APP -user anna.berg@contoso.com
//	go run ./examples/helpdesk find -h
//
// With -demo it runs on an in-memory tenant, without a network and without an account.
//
// The exit code is 0 if devices were found, 1 if something failed, 2 if the command line cannot be used, and 3 if no
// device matches.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"time"

	"github.com/go-intune/intune"
)

const (
	exitFound = iota
	exitFailure
	exitUsage
	exitNothing // apart from exitFailure, so that a script can tell "there is none" from "could not look"
)

// environment is what the tool takes from the machine it runs on. Tests give it something else.
type environment struct {
	now     func() time.Time
	connect func(ctx context.Context, c connection, stderr io.Writer) (*intune.Client, error)
}

// command is one thing that the tool can do.
type command struct {
	name, summary, help string
	run                 func(ctx context.Context, args []string, stdout, stderr io.Writer, env environment) int
}

// commands is the table to add to when the tool learns something new.
func commands() []command {
	return []command{
		{name: "find", summary: "find devices by serial number, name, user or app", help: findHelp, run: runFind},
	}
}

func main() {
	os.Exit(start())
}

// start is main without [os.Exit], which would skip what is deferred.
func start() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	return run(ctx, os.Args[1:], os.Stdout, os.Stderr, environment{now: time.Now, connect: connect})
}

// run is the whole tool.
func run(ctx context.Context, args []string, stdout, stderr io.Writer, env environment) int {
	if len(args) == 0 {
		fmt.Fprint(stderr, usage())
		return exitUsage
	}
	name, rest := args[0], args[1:]
	switch name {
	case "-h", "-help", "--help":
		fmt.Fprint(stdout, usage())
		return exitFound
	case "help":
		if len(rest) == 0 {
			fmt.Fprint(stdout, usage())
			return exitFound
		}
		name, rest = rest[0], []string{"-h"}
	}
	for _, c := range commands() {
		if c.name == name {
			return c.run(ctx, rest, stdout, stderr, env)
		}
	}
	fmt.Fprintf(stderr, "helpdesk: unknown command %q\n\n%s", name, usage())
	return exitUsage
}

func usage() string {
	var b strings.Builder
	b.WriteString("helpdesk finds devices that Microsoft Intune manages.\n\nUsage: helpdesk COMMAND [FLAGS]\n\nCommands:\n")
	for _, c := range commands() {
		fmt.Fprintf(&b, "    %-8s %s\n", c.name, c.summary)
	}
	b.WriteString("\nhelpdesk COMMAND -h explains a command. To try it without an account:\n\n" +
		"    helpdesk find -demo -name LT-4F7K2\n")
	return b.String()
}
