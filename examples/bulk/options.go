package main

import (
	"errors"
	"flag"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-intune/intune"
)

const usage = `bulk asks the users of many Intune devices for remote assistance.

    bulk -demo                      try it: a made-up tenant in memory
    bulk -dry-run devices.csv       look, and ask nobody
    bulk -o results.csv devices.csv
    bulk -app "Contoso VPN" -journal vpn.journal -o results.csv

Started again with the same journal, it goes on, and asks nobody a
second time: not after Ctrl-C, and not after kill -9 either.

Devices, from FILE ("-" is standard input) or -app:
  -column C     column of FILE: a heading or a number from 1 (default:
                the one whose heading says what it is, else the first)
  -by KIND      what it holds: id, serial, name, or entra, the id that
                the device has in Entra (default: as the heading says,
                else recognized line by line)
  -header       the first line is a heading (default: if it looks so)
  -delimiter D  between columns: a character or "tab" (default: the
                comma, semicolon or tab of the first line)
  -app APP      the devices of this detected app: a name, for all of
                its versions, or the id of one

What is done:
  -dry-run      look the devices up, write the results, and ask nobody
  -yes          do not ask me first; needed where nobody can be asked
  -strict       ask nobody if a line names no device, or several
  -wait         also wait for the link of each session
  -max-wait T   how long to wait for each (default 10m)
  -write-links  write the links into the results; whoever has a link
                can join the session

Files:
  -o FILE       results, as CSV (default: standard output)
  -journal FILE who was asked (default: FILE.journal beside the input;
                needed with -app and standard input). A new round of
                the same devices needs a new journal

Pace:
  -per-second N devices a second (default 5; the service allows an app
                10). It adapts when the service throttles
  -give-up N    stop after this many failures in a row that are not
                the fault of a device (default 10; 0 is never)

Tenant:
  -demo         a made-up tenant in memory: no account, no network
  -auth METHOD  default, browser, devicecode, azurecli,
                managedidentity or environment (default "default")
  -tenant ID    Entra tenant, an id or a domain
  -client-id ID app registration; needed with browser and devicecode
  -cloud CLOUD  public, usgov, dod, china, france or germany

Exit codes; the highest of 3 to 7 counts:
    0  every user was asked, now or before; with -wait, links came
    1  failed, or you said no
    2  the command line cannot be used
    3  lines that name no device
    4  lines that name several devices
    5  devices that were refused or not sent
    6  links that have not come yet; the same command goes on
    7  users who may have been asked; nobody knows
  130  stopped with Ctrl-C; the same command goes on
`

// options is a command line that can be used.
type options struct {
	help bool

	file      string // "-" is standard input, "" with -app and in the demo
	column    string
	by        kind
	header    bool
	delimiter rune // 0 for the one of the first line
	app       string

	dryRun, yes, strict, wait, writeLinks bool
	maxWait                               time.Duration

	results string // "" is standard output
	journal string // "" for none, in the demo and with -dry-run

	perSecond float64
	giveUp    int

	demo       bool
	connection connection
}

func parse(args []string) (options, error) {
	o := options{}
	var by, delimiter string
	flags := flag.NewFlagSet("bulk", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // run prints the error, and the usage where it was asked for
	flags.StringVar(&o.column, "column", "", "")
	flags.StringVar(&by, "by", "", "")
	flags.BoolVar(&o.header, "header", false, "")
	flags.StringVar(&delimiter, "delimiter", "", "")
	flags.StringVar(&o.app, "app", "", "")
	flags.BoolVar(&o.dryRun, "dry-run", false, "")
	flags.BoolVar(&o.yes, "yes", false, "")
	flags.BoolVar(&o.strict, "strict", false, "")
	flags.BoolVar(&o.wait, "wait", false, "")
	flags.BoolVar(&o.writeLinks, "write-links", false, "")
	flags.DurationVar(&o.maxWait, "max-wait", 10*time.Minute, "")
	flags.StringVar(&o.results, "o", "", "")
	flags.StringVar(&o.journal, "journal", "", "")
	flags.Float64Var(&o.perSecond, "per-second", 5, "")
	flags.IntVar(&o.giveUp, "give-up", 10, "")
	flags.BoolVar(&o.demo, "demo", false, "")
	flags.StringVar(&o.connection.auth, "auth", string(intune.CredentialMethodDefault), "")
	flags.StringVar(&o.connection.tenantID, "tenant", "", "")
	flags.StringVar(&o.connection.clientID, "client-id", "", "")
	flags.StringVar(&o.connection.cloudName, "cloud", "public", "")
	files, err := parseAll(flags, args)
	if errors.Is(err, flag.ErrHelp) {
		return options{help: true}, nil
	}
	if err != nil {
		return o, failed(exitUsage, "%v; see: bulk -h", err)
	}
	given := map[string]bool{}
	flags.Visit(func(f *flag.Flag) { given[f.Name] = true })
	o.by = kind(by)
	for _, check := range []func(map[string]bool) error{
		func(map[string]bool) error { return o.takeFile(files) },
		func(map[string]bool) error { return o.takeDelimiter(delimiter) },
		o.checkInput, o.checkWork, o.checkTenant,
	} {
		if err := check(given); err != nil {
			return o, err
		}
	}
	return o, nil
}

// parseAll allows flags after the file too.
func parseAll(flags *flag.FlagSet, args []string) (files []string, err error) {
	for {
		if err := flags.Parse(args); err != nil {
			return nil, err
		}
		if flags.NArg() == 0 {
			return files, nil
		}
		if taken := len(args) - flags.NArg(); taken > 0 && args[taken-1] == "--" {
			return append(files, flags.Args()...), nil
		}
		files, args = append(files, flags.Arg(0)), flags.Args()[1:]
	}
}

func (o *options) takeFile(files []string) error {
	switch {
	case len(files) > 1:
		return failed(exitUsage, "one FILE at a time, and not also %q; a name with spaces needs quotes", files[1])
	case len(files) == 1 && o.app != "":
		return failed(exitUsage, "give FILE or -app, not both")
	case len(files) == 1 && files[0] == "":
		return failed(exitUsage, `FILE is blank; "-" is standard input`)
	case len(files) == 1:
		o.file = files[0]
	case o.app == "" && !o.demo:
		return failed(exitUsage, "say which devices: a CSV file, \"-\" for standard input, or -app; to try it: bulk -demo")
	}
	return nil
}

func (o *options) takeDelimiter(text string) error {
	if text == "tab" {
		text = "\t"
	}
	if text == "" {
		return nil
	}
	r, size := utf8.DecodeRuneInString(text)
	if size != len(text) || r == utf8.RuneError || strings.ContainsRune("\"\r\n", r) {
		return failed(exitUsage, "-delimiter must be one character, such as ';', or the word tab")
	}
	o.delimiter = r
	return nil
}

func (o *options) checkInput(given map[string]bool) error {
	switch {
	case o.by != kindAny && !slices.Contains([]kind{kindID, kindSerial, kindName, kindEntra}, o.by):
		return failed(exitUsage, "unknown -by %q: it is id, serial, name or entra", string(o.by))
	case given["app"] && strings.TrimSpace(o.app) == "":
		return failed(exitUsage, "-app is blank; give the name or the id of a detected app")
	case given["column"] && strings.TrimSpace(o.column) == "":
		return failed(exitUsage, "-column is blank; give a heading or a number from 1")
	}
	if o.app != "" {
		for _, name := range []string{"column", "by", "header", "delimiter"} {
			if given[name] {
				return failed(exitUsage, "-%s is about a file; leave it out with -app", name)
			}
		}
	}
	if o.journal == "" && o.file != "" && o.file != "-" && !o.demo {
		o.journal = o.file + ".journal"
	}
	if o.journal == "" && !o.demo && !o.dryRun {
		return failed(exitUsage,
			"with -app and standard input, name the -journal: it keeps users from being asked twice when this is started again")
	}
	return nil
}

func (o *options) checkWork(given map[string]bool) error {
	switch {
	case math.IsNaN(o.perSecond) || o.perSecond <= 0 || o.perSecond > 1000:
		return failed(exitUsage, "-per-second must be above zero, and at most 1000")
	case o.giveUp < 0:
		return failed(exitUsage, "-give-up must not be negative; 0 is never")
	case o.writeLinks && !o.wait:
		return failed(exitUsage, "-write-links needs -wait: without it there are no links")
	case given["max-wait"] && !o.wait:
		return failed(exitUsage, "-max-wait needs -wait")
	case o.maxWait <= 0:
		return failed(exitUsage, "-max-wait must be above zero, such as 5m")
	case o.results == "-":
		o.results = ""
	}
	for _, other := range []struct{ name, words string }{
		{o.file, "the input"}, {o.journal, "the journal"}, {lockName(o.journal), "the journal's lock"},
	} {
		if o.results != "" && other.name != "" && sameFile(o.results, other.name) {
			return failed(exitUsage, "-o is the same file as %s; name another", other.words)
		}
	}
	if o.file != "" && o.journal != "" && sameFile(o.file, o.journal) {
		return failed(exitUsage, "-journal is the same file as the input; name another")
	}
	return nil
}

func (o *options) checkTenant(given map[string]bool) error {
	var stray []string
	for _, name := range []string{"auth", "tenant", "client-id", "cloud"} {
		if given[name] {
			stray = append(stray, "-"+name)
		}
	}
	if o.demo && len(stray) > 0 {
		// Nobody should take the demo's devices for those of their tenant.
		return failed(exitUsage, "-demo does not sign in anywhere; leave out %s", strings.Join(stray, ", "))
	}
	if _, ok := clouds()[o.connection.cloudName]; !ok {
		return failed(exitUsage, "unknown -cloud %q: it is one of public, usgov, dod, china, france, germany", o.connection.cloudName)
	}
	method := intune.CredentialMethod(o.connection.auth)
	if !slices.Contains(intune.PossibleCredentialMethodValues(), method) {
		return failed(exitUsage, "unknown -auth %q: it is one of default, browser, devicecode, azurecli, managedidentity, environment",
			o.connection.auth)
	}
	if (method == intune.CredentialMethodBrowser || method == intune.CredentialMethodDeviceCode) && o.connection.clientID == "" {
		return failed(exitUsage, "-auth %s needs -client-id, the application (client) id of an app registration of your own", o.connection.auth)
	}
	return nil
}

// sameFile reports whether two names are those of one file, which may not exist yet.
func sameFile(a, b string) bool {
	one, err := os.Stat(a)
	other, otherErr := os.Stat(b)
	if err == nil && otherErr == nil {
		return one.Mode().IsRegular() && os.SameFile(one, other)
	}
	return wholeName(a) == wholeName(b)
}

// wholeName is the one name of a file in a folder that has several.
func wholeName(name string) string {
	folder, err := filepath.Abs(filepath.Dir(name))
	if err != nil {
		return name
	}
	if real, err := filepath.EvalSymlinks(folder); err == nil {
		folder = real
	}
	return filepath.Join(folder, filepath.Base(name))
}
