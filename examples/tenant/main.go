// Command tenant serves the in-memory tenant of package intunetest on a loopback address: a stand-in for Microsoft
// Graph and Intune in tests of programs in any language.
//
//	go run ./examples/tenant
//	go run ./examples/tenant -addr :0 -data devices.json -ca ca.pem -limits -strict
//	go run ./examples/tenant -h
//
// When it is ready it prints one line on standard output, and on standard error how to use it: with curl and others, and with
// examples/helpdesk, whose every command can be rehearsed here:
//
//	ready https://127.0.0.1:8443 page https://127.0.0.1:8443/_tenant/ ca /path/to/ca.pem
//
// It is a test server: it has invented devices, takes any token, and knows nothing of a real tenant. The page shows in
// a browser what happens to it, and docs/testing.md how tests in several languages use it.
//
// The exit code is 0 after an interrupt, 1 if it cannot serve, and 2 if the command line cannot be used.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/go-intune/intune/intunetest"
)

const (
	exitDone = iota
	exitFailure
	exitUsage
)

// settings is what the command line says.
type settings struct {
	addr      string
	data      string
	ca        string
	limits    bool
	strict    bool
	plainHTTP bool
	open      bool
}

func main() { os.Exit(start()) }

// start is main without [os.Exit], which would skip what is deferred.
func start() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return run(ctx, os.Args[1:], os.Stdout, os.Stderr)
}

// run is the whole program. It ends with the context.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	s, err := parse(args, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return exitDone
	case err != nil:
		fmt.Fprintln(stderr, "tenant:", err)
		return exitUsage
	}
	content, err := readData(s.data)
	if err != nil {
		fmt.Fprintln(stderr, "tenant:", err)
		return exitUsage
	}
	simulator := newSimulator(content, intunetest.TenantOptions{ThrottleLimits: s.limits, Strict: s.strict})
	if err := serve(ctx, s, simulator, stdout, stderr); err != nil {
		fmt.Fprintln(stderr, "tenant:", err)
		return exitFailure
	}
	return exitDone
}

func parse(args []string, stderr io.Writer) (settings, error) {
	var s settings
	flags := flag.NewFlagSet("tenant", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&s.addr, "addr", "127.0.0.1:8443", "`address` to listen on; without a host it is 127.0.0.1, and port 0 is any free one")
	flags.StringVar(&s.data, "data", "",
		"JSON `file` of devices, apps, sessions and the connector; without it there are a few invented devices")
	flags.StringVar(&s.ca, "ca", "",
		"`file` to write the certificate to that clients have to trust; without it, one in the folder for temporary files")
	flags.BoolVar(&s.limits, "limits", false, "refuse requests beyond Microsoft's published limits with 429")
	flags.BoolVar(&s.strict, "strict", false,
		"refuse or ignore what the service takes although Microsoft writes that it does not, such as %24select")
	flags.BoolVar(&s.plainHTTP, "http", false, "serve http, without TLS")
	flags.BoolVar(&s.open, "allow-other-machines", false, "let -addr be an address that other machines can reach")
	if err := flags.Parse(args); err != nil {
		return s, err
	}
	if flags.NArg() > 0 {
		return s, fmt.Errorf("%q is no flag; -h lists them", flags.Arg(0))
	}
	if s.plainHTTP && s.ca != "" {
		return s, errors.New("-ca is for TLS; leave it out with -http")
	}
	return s, s.checkAddr()
}

// checkAddr makes sure that only this machine can reach the server, unless the command line says otherwise.
func (s *settings) checkAddr() error {
	host, port, err := net.SplitHostPort(s.addr)
	if err != nil {
		return fmt.Errorf("-addr %q is no address; it should be like 127.0.0.1:8443 or :0", s.addr)
	}
	switch {
	case host == "" && s.open:
	case host == "":
		s.addr = net.JoinHostPort("127.0.0.1", port)
	case !s.open && !isLoopback(host):
		return fmt.Errorf("-addr %s can be reached by other machines, and the server lets everybody in; "+
			"if that is what you want, add -allow-other-machines", s.addr)
	}
	return nil
}

func isLoopback(host string) bool {
	return strings.EqualFold(host, "localhost") || net.ParseIP(host).IsLoopback()
}
