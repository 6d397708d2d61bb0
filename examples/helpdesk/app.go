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

// app is the tool while it runs: the terminal, and the flags that every command has.
type app struct {
	*console

	stops      *stops
	connection connection
	demo       bool
	journal    string
	timeout    time.Duration

	checked bool   // cobra had nothing against the command line
	given   string // flags of the connection, as they were given
}

// commands is the tree of commands. A new command is added here.
func (a *app) commands() *cobra.Command {
	root := &cobra.Command{
		Use:   "helpdesk",
		Short: "Open remote-assistance sessions on devices that Intune manages",
		Long: wrapped("helpdesk finds the device of somebody who calls, asks that person for remote assistance through Microsoft Intune, "+
			"and gives you the link of the session.", lineWidth, "") + "\n" + exitHelp,
		Example:       "  helpdesk connect LT-4F7K2 --demo\n\n  helpdesk login --tenant contoso.com --client-id APP\n  helpdesk connect LT-4F7K2",
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.NoArgs,
		Version:       version(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			_ = cmd.Help()
			return failed(exitUsage, "say what to do, such as: helpdesk connect LT-4F7K2 --demo")
		},
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error { return a.check(cmd) },
	}
	root.SetOut(a.out)
	root.SetErr(a.err)
	root.SetHelpFunc(func(cmd *cobra.Command, _ []string) {
		_ = a.print(strings.TrimRight(firstOf(cmd.Long, cmd.Short), "\n") + "\n\n" + cmd.UsageString()) // conclude looks for failed writes
	})
	root.SetUsageTemplate(usageTemplate)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return failed(exitUsage, "%v; see: %s -h", err, cmd.CommandPath())
	})
	flags := root.PersistentFlags()
	flags.SortFlags = false
	flags.BoolVar(&a.demo, "demo", false, "use a made-up tenant in memory: no account, no network")
	a.connection.register(flags)
	flags.StringVar(&a.journal, "journal", "", "`file` that records who was asked (default: in your state folder)")
	flags.DurationVar(&a.timeout, "timeout", time.Minute, "how long reads may take; sign-in and waits not counted")
	for _, command := range []*cobra.Command{
		a.connectCommand(), a.resumeCommand(), a.bulkCommand(), a.findCommand(), a.showCommand(), a.checkCommand(), a.historyCommand(),
		a.connectorCommand(),
		a.loginCommand(), a.logoutCommand(), a.whoamiCommand(),
	} {
		command.DisableFlagsInUseLine = true
		command.Flags().SortFlags = false
		root.AddCommand(command)
	}
	root.InitDefaultCompletionCmd()
	if completion, _, err := root.Find([]string{"completion"}); err == nil {
		completion.Short = "print the completion script of a shell"
	}
	return root
}

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
	saved, err := readAccount()
	if err != nil && cmd.Name() != "login" && cmd.Name() != "logout" { // which put an end to a damaged one
		return err
	}
	return a.connection.check(cmd.Flags(), saved)
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

// twoDashes lets flags be written with one dash too, as the flags of Go programs are: -yes is --yes.
func twoDashes(root *cobra.Command, args []string) []string {
	known := map[string]bool{"help": true}
	var learn func(*cobra.Command)
	learn = func(cmd *cobra.Command) {
		note := func(f *pflag.Flag) { known[f.Name] = true }
		cmd.Flags().VisitAll(note)
		cmd.PersistentFlags().VisitAll(note)
		for _, sub := range cmd.Commands() {
			learn(sub)
		}
	}
	learn(root)
	out := make([]string, 0, len(args))
	for i, arg := range args {
		if arg == "--" {
			return append(out, args[i:]...)
		}
		name, _, _ := strings.Cut(strings.TrimPrefix(arg, "-"), "=")
		if strings.HasPrefix(arg, "-") && len(name) > 1 && known[name] {
			arg = "-" + arg
		}
		out = append(out, arg)
	}
	return out
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

const usageTemplate = `Usage:
  {{if .HasAvailableSubCommands}}{{.CommandPath}} COMMAND [FLAGS]{{else}}{{.UseLine}} [FLAGS]{{end}}
{{if .HasExample}}
Examples:
{{.Example}}
{{end}}{{if .HasAvailableSubCommands}}
Commands:{{range .Commands}}{{if .IsAvailableCommand}}
  {{rpad .Name .NamePadding}} {{.Short}}{{end}}{{end}}
{{end}}{{if .HasAvailableLocalFlags}}
Flags:
{{.LocalFlags.FlagUsagesWrapped 68 | trimTrailingWhitespaces}}
{{end}}{{if .HasAvailableInheritedFlags}}
Flags of every command:
{{.InheritedFlags.FlagUsagesWrapped 68 | trimTrailingWhitespaces}}
{{end}}{{if .HasAvailableSubCommands}}
"{{.CommandPath}} COMMAND -h" explains a command.
{{end}}`
