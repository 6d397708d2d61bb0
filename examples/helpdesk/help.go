package main

import (
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

const firstSteps = `First steps:
  helpdesk connect LT-4F7K2 --demo
      a made-up tenant in memory, no account, no network
  go run ./examples/tenant
      in a checkout of the repository: a tenant on this machine, to
      rehearse with; it prints the helpdesk command to paste
  helpdesk login -h
      how to make the app registration and sign in
`

// help is the help of a command.
func (a *app) help(cmd *cobra.Command) string {
	return a.fitting(strings.TrimRight(firstOf(cmd.Long, cmd.Short), "\n")+"\n\n") + a.usage(cmd)
}

// usage is how a command is written, with its flags.
func (a *app) usage(cmd *cobra.Command) string {
	var b strings.Builder
	section := func(title, text string) {
		if text = strings.Trim(text, "\n"); text != "" {
			b.WriteString("\n" + title + ":\n" + text + "\n")
		}
	}
	line := cmd.UseLine() + " [FLAGS]"
	if cmd.HasAvailableSubCommands() {
		line = cmd.CommandPath() + " COMMAND [FLAGS]"
	}
	b.WriteString("Usage:\n  " + line + "\n")
	section("Examples", a.fitting(cmd.Example))
	if cmd.HasAvailableSubCommands() {
		var list strings.Builder
		for _, sub := range cmd.Commands() {
			if sub.IsAvailableCommand() {
				list.WriteString("  " + sub.Name() + strings.Repeat(" ", max(1, sub.NamePadding()-len(sub.Name()))) + " " + sub.Short + "\n")
			}
		}
		section("Commands", a.fitting(list.String()))
	}
	cmd.InitDefaultHelpFlag()
	own, others := pflag.NewFlagSet("", pflag.ContinueOnError), pflag.NewFlagSet("", pflag.ContinueOnError)
	own.SortFlags, others.SortFlags = false, false
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if _, ok := f.Annotations[shared]; ok {
			others.AddFlag(f)
		} else {
			own.AddFlag(f)
		}
	})
	section("Flags", own.FlagUsagesWrapped(a.helpWidth()-2))
	section("Flags that other commands have too", others.FlagUsagesWrapped(a.helpWidth()-2))
	if cmd.HasAvailableSubCommands() {
		b.WriteString("\n\"" + cmd.CommandPath() + " COMMAND -h\" explains a command.\n")
	}
	return strings.ReplaceAll(b.String(), " \n", "\n")
}

// helpWidth is how wide the help may be: less than usual on a narrow terminal.
func (a *app) helpWidth() int {
	if a.width > 0 {
		return a.width
	}
	return lineWidth
}

// fitting breaks the lines of a text that was laid out for the usual width. Paragraphs flow; lines with an indent go on
// below themselves.
func (a *app) fitting(text string) string {
	width := a.helpWidth()
	if width >= lineWidth {
		return text
	}
	var b strings.Builder
	for i, paragraph := range strings.Split(text, "\n\n") {
		if i > 0 {
			b.WriteByte('\n')
		}
		lines := strings.Split(strings.TrimSuffix(paragraph, "\n"), "\n")
		if !strings.Contains("\n"+paragraph, "\n ") {
			lines = []string{strings.Join(lines, " ")}
		}
		for _, line := range lines {
			bare := strings.TrimLeft(line, " ")
			indent := line[:len(line)-len(bare)]
			b.WriteString(indent + wrapped(bare, width-len(indent), indent+"    "))
		}
	}
	return b.String()
}

func (a *app) helpCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND]",
		Short: "show the help of a command",
		RunE: func(cmd *cobra.Command, args []string) error {
			about := cmd.Root()
			for _, name := range args {
				next := subCommand(about, name)
				if next == nil {
					return unknownCommand(about, name)
				}
				about = next
			}
			return a.print(a.help(about))
		},
		ValidArgsFunction: func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
			var names []string
			for _, sub := range cmd.Root().Commands() {
				if len(args) == 0 && sub.IsAvailableCommand() {
					names = append(names, cobra.CompletionWithDesc(sub.Name(), sub.Short))
				}
			}
			return begunWith(typed, names), cobra.ShellCompDirectiveNoFileComp
		},
	}
}

func subCommand(of *cobra.Command, name string) *cobra.Command {
	for _, sub := range of.Commands() {
		if sub.Name() == name {
			return sub
		}
	}
	return nil
}

// arranged lets flags be written as people do: with one dash, as the flags of Go programs are (-yes is --yes), and before
// the command.
func arranged(root *cobra.Command, args []string) []string {
	end := slices.Index(args, "--")
	if end < 0 {
		end = len(args)
	}
	out, rest := slices.Clone(args[:end]), args[end:]
	at, valued := commandAt(root, out)
	if at > 0 {
		out = slices.Concat(out[at:at+1], out[:at], out[at+1:])
	}
	value := false // the next one is a value
	for i, arg := range out {
		name, _, whole := strings.Cut(strings.TrimLeft(arg, "-"), "=")
		takes, known := valued[name]
		switch {
		case value:
			value = false
		case strings.HasPrefix(arg, "-"):
			if !strings.HasPrefix(arg, "--") && len(name) > 1 && known {
				out[i] = "-" + arg
			}
			value = takes && !whole
		}
	}
	return append(out, rest...)
}

// commandAt is where the command is named, -1 if nowhere, with its flags and whether they take a value: a flag may take one
// in another command only.
func commandAt(root *cobra.Command, args []string) (at int, valued map[string]bool) {
	all := map[string]bool{"help": false, "version": false}
	for _, sub := range root.Commands() {
		maps.Copy(all, valuedFlags(sub))
	}
	for i, arg := range args {
		if cmd := subCommand(root, arg); cmd != nil {
			valued = maps.Clone(all)
			maps.Copy(valued, valuedFlags(cmd))
			if firstWord(args, valued) == i {
				return i, valued
			}
		}
	}
	return firstWord(args, all), all
}

func valuedFlags(cmd *cobra.Command) map[string]bool {
	valued := map[string]bool{}
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		valued[f.Name] = f.NoOptDefVal == ""
		if f.Shorthand != "" {
			valued[f.Shorthand] = f.NoOptDefVal == ""
		}
	})
	return valued
}

// firstWord is the first argument that is no flag and no value of one, -1 if there is none.
func firstWord(args []string, valued map[string]bool) int {
	value := false
	for i, arg := range args {
		name, _, whole := strings.Cut(strings.TrimLeft(arg, "-"), "=")
		switch {
		case value:
			value = false
		case !strings.HasPrefix(arg, "-"):
			return i
		default:
			value = valued[name] && !whole
		}
	}
	return -1
}
