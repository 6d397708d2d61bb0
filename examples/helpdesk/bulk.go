package main

import (
	"math"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// bulkOptions is a command line of bulk.
type bulkOptions struct {
	file      string // "-" is standard input, "" with --app and in the demo
	column    string
	by        kind
	header    bool // the first line is a heading, and no device
	noHeader  bool // it is a device
	delimiter rune // 0 for the one of the first line
	appName   string

	dryRun, yes, strict, wait, writeLinks, askAgain bool

	reference string
	maxWait   time.Duration

	results string // "-" is standard output, as is ""; "" also lets a person have a table
	round   string // "" for none, in the demo and with --dry-run

	perSecond float64
	giveUp    int
}

const bulkHelp = "Asks the users of many devices for remote assistance: a list of devices in, a CSV of results out. " +
	"Started again with the same FILE, or the same --round, it goes on, and asks nobody a second time: not after Ctrl-C, and " +
	"not after kill -9 either."

const bulkExits = `Exit codes of bulk; the highest of 3 to 7 counts:
  0  every user was asked, now or before; with --wait, links came
  1  failed, or you said no
  2  the command line cannot be used
  3  lines that name no device
  4  lines that name several devices
  5  devices that were refused or not sent
  6  links that have not come yet; the same command goes on
  7  users who may have been asked; nobody knows
130  stopped with Ctrl-C; the same command goes on
`

func (a *app) bulkCommand() *cobra.Command {
	var o bulkOptions
	var by, delimiter string
	cmd := &cobra.Command{
		Use:   "bulk [FILE]",
		Short: "ask the users of many devices",
		Long: wrapped(bulkHelp, lineWidth, "") + "\n" +
			wrapped("FILE is a CSV, \"-\" standard input. A device is named by its Intune id, its Entra device id, its serial number, its "+
				"name, or the sign-in name of a user who has one device; which one is recognized by itself. Excel's \"CSV UTF-8\" and "+
				"\"Unicode Text\" can be read as they are.", lineWidth, "") + "\n" + bulkExits,
		Example: "  helpdesk bulk --demo --yes\n  helpdesk bulk --dry-run devices.csv\n  helpdesk bulk -o results.csv devices.csv\n" +
			"  helpdesk bulk --app \"Contoso VPN\" --round vpn.round -o vpn.csv",
		Args: noMore(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.by = kind(by)
			given := map[string]bool{}
			cmd.Flags().Visit(func(f *pflag.Flag) { given[f.Name] = true })
			o.noHeader = given["header"] && !o.header
			for _, check := range []func() error{
				func() error { return o.takeFile(args, a.demo) },
				func() error { return o.takeDelimiter(delimiter) },
				func() error { return o.checkInput(a, given) },
				func() error { return o.checkWork(given) },
				func() error { return o.checkFiles(a) },
				func() error { return o.checkReference(a) },
			} {
				if err := check(); err != nil {
					return err
				}
			}
			return (&job{app: a, bulkOptions: o}).run()
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.column, "column", "", "`COLUMN` of FILE: a heading or a number from 1 (default: the one whose heading says what "+
		"it is, or the only one)")
	flags.StringVar(&by, "by", "", "`KIND` that the column holds: id, serial, name, user (a sign-in name), or entra, the id that the device "+
		"has in Entra (default: as the heading says, else recognized line by line)")
	flags.BoolVar(&o.header, "header", false, "the first line is a heading; --header=false: it is a device (default: if it looks so)")
	flags.StringVar(&delimiter, "delimiter", "", "`CHARACTER` between columns, or \"tab\" (default: that of a line sep=;, else the comma, "+
		"semicolon or tab of the first line)")
	flags.StringVar(&o.appName, "app", "", "the devices of this detected `APP`: a name, for all of its versions, or the id of one")
	flags.BoolVar(&o.dryRun, "dry-run", false, "look the devices up, write the results, and ask nobody")
	flags.BoolVarP(&o.yes, "yes", "y", false, "do not ask me first; needed where nobody can be asked")
	flags.StringVar(&o.reference, "reference", "", referenceHelp)
	flags.BoolVar(&o.askAgain, "ask-again", false, askAgainHelp)
	flags.BoolVar(&o.strict, "strict", false, "ask nobody if a line names no device, or several")
	flags.BoolVar(&o.wait, "wait", false, "also wait for the link of each session")
	flags.DurationVar(&o.maxWait, "max-wait", defaultWait, "how long to wait for each")
	flags.BoolVar(&o.writeLinks, "write-links", false, "write the links into the results; whoever has a link can join the session")
	flags.StringVarP(&o.results, "output", "o", "", "`file` for the results, as CSV; \"-\" is standard output (default: a table on "+
		"a terminal, CSV in a pipe)")
	flags.StringVar(&o.round, "round", "", "`file` that remembers this round (default: FILE.round beside the input; needed with --app "+
		"and standard input)")
	flags.Float64Var(&o.perSecond, "per-second", 5, "`N` devices a second; the service allows an app 10. It adapts when the service throttles")
	flags.IntVar(&o.giveUp, "give-up", 10, "stop after `N` failures in a row that are not the fault of a device; 0 is never")
	completeBulk(cmd)
	return cmd
}

func (o *bulkOptions) takeFile(files []string, demo bool) error {
	switch {
	case len(files) == 1 && o.appName != "":
		return failed(exitUsage, "give FILE or --app, not both")
	case len(files) == 1 && files[0] == "":
		return failed(exitUsage, `FILE is blank; "-" is standard input`)
	case len(files) == 1:
		o.file = files[0]
	case o.appName == "" && !demo:
		return failed(exitUsage, "say which devices: a CSV file, \"-\" for standard input, or --app; to try it: helpdesk bulk --demo")
	}
	return nil
}

func (o *bulkOptions) takeDelimiter(text string) error {
	if text == "tab" {
		text = "\t"
	}
	if text == "" {
		return nil
	}
	r, ok := delimiterOf(text)
	if !ok {
		return failed(exitUsage, "--delimiter must be one character, such as ';', or the word tab")
	}
	o.delimiter = r
	return nil
}

func (o *bulkOptions) checkInput(a *app, given map[string]bool) error {
	switch {
	case o.by != kindAny && !slices.Contains(kindNames(), string(o.by)):
		return failed(exitUsage, "unknown --by %q: it is id, serial, name, user or entra", string(o.by))
	case given["app"] && strings.TrimSpace(o.appName) == "":
		return failed(exitUsage, "--app is blank; give the name or the id of a detected app")
	case given["column"] && strings.TrimSpace(o.column) == "":
		return failed(exitUsage, "--column is blank; give a heading or a number from 1")
	}
	if o.appName != "" {
		for _, name := range []string{"column", "by", "header", "delimiter"} {
			if given[name] {
				return failed(exitUsage, "--%s is about a file; leave it out with --app", name)
			}
		}
	}
	if o.round == "" && o.file != "" && o.file != "-" && !a.demo {
		o.round = strings.TrimSuffix(linkless(o.file)+"."+a.pretended(), ".") + ".round"
	}
	if o.round == "" && !a.demo && !o.dryRun {
		return failed(exitUsage,
			"with --app and standard input, name the --round: it keeps users from being asked twice when this is started again")
	}
	return nil
}

func (o *bulkOptions) checkWork(given map[string]bool) error {
	switch {
	case math.IsNaN(o.perSecond) || o.perSecond <= 0 || o.perSecond > 1000:
		return failed(exitUsage, "--per-second must be above zero, and at most 1000")
	case o.giveUp < 0:
		return failed(exitUsage, "--give-up must not be negative; 0 is never")
	case o.writeLinks && !o.wait:
		return failed(exitUsage, "--write-links needs --wait: without it there are no links")
	case given["max-wait"] && !o.wait:
		return failed(exitUsage, "--max-wait needs --wait")
	case o.maxWait <= 0 || o.maxWait > oldest:
		return failed(exitUsage, "--max-wait must be above zero, such as 5m, and at most 24h")
	}
	return nil
}

// checkFiles refuses one file for two things. Results in the place of the journal would make it forget who was asked.
func (o *bulkOptions) checkFiles(a *app) error {
	var record [][2]string
	if name, err := a.journalName(); err == nil { // else openRecord says so
		record = [][2]string{
			{name, "the journal"}, {notesName(name), "the notes of the journal"}, {lockName(name), "the lock of the journal"},
		}
	}
	same := func(flag, name string, others ...[2]string) error {
		for _, other := range others {
			if name != "" && other[0] != "" && sameFile(name, other[0]) {
				return failed(exitUsage, "%s is the same file as %s; name another", flag, other[1])
			}
		}
		return nil
	}
	input := [2]string{o.file, "the input"}
	if o.toFile() {
		round, lock := [2]string{o.round, "the round"}, [2]string{lockName(o.round), "the lock of the round"}
		if err := same("--output", o.results, append(record, input, round, lock)...); err != nil {
			return err
		}
	}
	return same("--round", o.round, append(record, input)...)
}

func (o *bulkOptions) checkReference(a *app) error {
	if o.dryRun {
		return nil
	}
	return a.checkReference(o.reference)
}

// toFile reports that the results go to a file.
func (o *bulkOptions) toFile() bool { return o.results != "" && o.results != "-" }
