package main

import (
	"context"
	"errors"
	"io"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/go-intune/intune"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// app is the tool while it runs: the terminal, and the flags that several commands have.
type app struct {
	*console

	stops      *stops
	connection connection
	configured settings
	demo       bool
	journal    string
	timeout    time.Duration

	checked bool   // cobra had nothing against the command line
	given   string // flags of the connection, as they were given
}

// commands is the tree of commands. A new command is added here, with the shared flags that do something for it.
func (a *app) commands() *cobra.Command {
	root := a.rootCommand()
	const reads = takesDemo | takesConnection | takesRehearsal
	for _, c := range []struct {
		*cobra.Command
		takes flagGroup
	}{
		{a.connectCommand(), reads | takesJournal | takesTimeout},
		{a.resumeCommand(), reads | takesJournal},
		{a.bulkCommand(), reads | takesJournal},
		{a.findCommand(), reads | takesTimeout},
		{a.showCommand(), reads | takesTimeout},
		{a.checkCommand(), reads | takesTimeout},
		{a.historyCommand(), reads | takesJournal | takesTimeout},
		{a.connectorCommand(), reads | takesTimeout},
		{a.loginCommand(), takesConnection | takesRehearsal},
		{a.logoutCommand(), takesRehearsal},
		{a.whoamiCommand(), reads},
		{a.configCommand(), 0},
	} {
		c.DisableFlagsInUseLine = true
		c.Flags().SortFlags = false
		a.addShared(c.Command, c.takes)
		a.completeDevices(c.Command)
		root.AddCommand(c.Command)
	}
	root.SetHelpCommand(a.helpCommand())
	root.InitDefaultCompletionCmd()
	if completion, _, err := root.Find([]string{"completion"}); err == nil {
		completion.Short = "print the completion script of a shell"
	}
	return root
}

func (a *app) rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "helpdesk",
		Short: "Open remote-assistance sessions on devices that Intune manages",
		Long: wrapped("helpdesk finds the device of somebody who calls, asks that person for remote assistance through Microsoft Intune, "+
			"and gives you the link of the session.", lineWidth, "") + "\n" + firstSteps + "\n" + exitHelp,
		Example:       "  helpdesk connect LT-4F7K2 --demo\n\n  helpdesk login --tenant contoso.com --client-id APP\n  helpdesk connect LT-4F7K2",
		SilenceErrors: true,
		SilenceUsage:  true,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return unknownCommand(cmd, args[0])
			}
			return nil
		},
		Version: version(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			_ = cmd.Help()
			return failed(exitUsage, "say what to do, such as: helpdesk connect LT-4F7K2 --demo")
		},
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error { return a.check(cmd) },
	}
	root.SetOut(a.out)
	root.SetErr(a.err)
	root.SetHelpFunc(func(cmd *cobra.Command, _ []string) { _ = a.print(a.help(cmd)) }) // conclude looks for failed writes
	root.SetUsageFunc(func(cmd *cobra.Command) error { return a.print(a.usage(cmd)) })
	root.SetFlagErrorFunc(badFlag)
	return root
}

// flagGroup is flags that several commands share. A command has those that do something for it.
type flagGroup int

const (
	takesDemo flagGroup = 1 << iota
	takesConnection
	takesRehearsal
	takesJournal
	takesTimeout
)

// shared marks the flags of groups.
const shared = "shared"

func (a *app) addShared(cmd *cobra.Command, takes flagGroup) {
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	flags.SortFlags = false
	if takes&takesDemo != 0 {
		flags.BoolVar(&a.demo, "demo", false, "use a made-up tenant in memory: no account, no network")
	}
	if takes&takesConnection != 0 {
		a.connection.register(flags)
	}
	if takes&takesRehearsal != 0 {
		a.connection.rehearsal.register(flags)
	}
	if takes&takesJournal != 0 {
		flags.StringVar(&a.journal, "journal", "", "`file` that records who was asked (default: in your state folder)")
	}
	a.timeout = defaultTimeout
	if takes&takesTimeout != 0 {
		flags.DurationVar(&a.timeout, "timeout", defaultTimeout, "how long reads may take; sign-in and waits not counted")
	}
	flags.VisitAll(func(f *pflag.Flag) { f.Annotations = map[string][]string{shared: nil} })
	cmd.Flags().AddFlagSet(flags)
	offer(cmd, "auth", authNames()...)
	offer(cmd, "cloud", cloudNames()...)
	offer(cmd, "os", "Windows", "iOS", "macOS", "Android")
	for _, name := range []string{"tenant", "client-id", "graph", "authority", "timeout", "wait", "days", "reference"} {
		offer(cmd, name)
	}
}

const defaultTimeout = time.Minute

// version is that of the module, as the go command recorded it; "(devel)" in a checkout that it does not know.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	return info.Main.Version
}

// check finds what makes no sense on the command line, before anything is done.
func (a *app) check(cmd *cobra.Command) error {
	a.checked = true
	if a.timeout <= 0 {
		return failed(exitUsage, "--timeout must be above zero, such as 1m")
	}
	var stray []string
	cmd.Flags().Visit(func(f *pflag.Flag) {
		if isConnectionFlag(f.Name) {
			stray = append(stray, "--"+f.Name)
			a.given += " --" + f.Name + " " + strconv.Quote(f.Value.String())
		}
	})
	if a.demo && len(stray) > 0 {
		// Nobody should take the demo's devices for those of their tenant.
		return failed(exitUsage, "--demo does not sign in anywhere; leave out %s", strings.Join(stray, ", "))
	}
	if cmd.Name() == "logout" { // which puts an end to what is damaged
		return a.connection.rehearsal.check()
	}
	var err error
	if a.configured, err = readSettings(); err != nil {
		return err
	}
	if cmd.Flags().Lookup("graph") == nil { // it goes nowhere
		return nil
	}
	if err := a.connection.rehearsal.check(); err != nil {
		return err
	}
	saved, err := a.connection.readAccount()
	if err != nil && cmd.Name() != "login" { // which writes it anew
		return err
	}
	return a.connection.check(saved, a.configured)
}

// limited is a context for reads.
func (a *app) limited(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, a.timeout, errTooSlow)
}

var errTooSlow = errors.New("too slow")

// inTime says what to do about reads that took too long.
func (a *app) inTime(ctx context.Context, err error) error {
	if err != nil && errors.Is(context.Cause(ctx), errTooSlow) {
		return failed(exitFailure, "not done within %v; allow more time with --timeout, such as --timeout 5m: %v", a.timeout, err)
	}
	return err
}

// client is a client of the tenant, signed in if a person has to do that. The journal may be nil. The policies are per call.
func (a *app) client(ctx context.Context, journal intune.Journal, policies ...policy.Policy) (*intune.Client, error) {
	if a.demo {
		a.warn("demo: a made-up tenant in memory; nobody is really asked")
		return a.demoClient(ctx, journal, policies)
	}
	if a.connection.rehearsal.on() {
		if err := a.sayRehearsal(); err != nil {
			return nil, err
		}
	}
	return a.connection.client(ctx, a.console, journal, policies)
}

// oneOf refuses flags that exclude each other.
func oneOf(cmd *cobra.Command, names ...string) error {
	var given []string
	for _, name := range names {
		if cmd.Flags().Changed(name) {
			given = append(given, "--"+name)
		}
	}
	if len(given) > 1 {
		return failed(exitUsage, "give only one of %s", strings.Join(given, ", "))
	}
	return nil
}

// noMore refuses arguments beyond the most that a command takes. A name with spaces is the usual reason.
func noMore(most int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) > most {
			return failed(exitUsage, "too many arguments: %q; a name with spaces needs quotes; see: %s -h", args[most], cmd.CommandPath())
		}
		return nil
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
	if err != nil && w.err == nil {
		w.err = err
	}
	return n, err
}
