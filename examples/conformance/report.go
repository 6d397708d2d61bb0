package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"time"
)

// heading is what a reader has to know of the run.
func (p *probe) heading() string {
	o := &p.options
	where := p.say("tenant: real, in the cloud "+plain(o.cloudName)+"; the token is %s and holds: %s",
		plain(tokenKind(p)), permissions(p.token))
	if o.demo {
		where = "tenant: in memory; this says nothing about Microsoft's service"
	}
	prompts := plain("nobody was asked for a session")
	if o.owned {
		prompts = plain(fmt.Sprintf("the user of a device may have been asked for a session up to %d times", 1+len(o.again)))
	}
	var b strings.Builder
	b.WriteString("What package github.com/go-intune/intune rests on, checked on a tenant\n\n")
	for _, line := range []plain{
		plain("date: " + time.Now().UTC().Format(time.DateOnly) + "; " + runtime.Version() + " " + runtime.GOOS),
		where,
		"prompts: " + prompts,
		"Ids, names, addresses, links, and hosts of the tenant show as hashes. Within this report, equal values have equal " +
			"hashes; the key of the hashes is gone. Read the report before you give it away.",
	} {
		b.WriteString(wrap(line, "") + "\n")
	}
	return b.String()
}

// tokenKind is one of three words.
func tokenKind(p *probe) string {
	if p.token.Kind == "" {
		return "unknown"
	}
	return string(p.token.Kind)
}

// entry is a result as the report has it.
func entry(r result) string {
	return fmt.Sprintf("\n%-12s  %s\n%s\n%s\n%s\n", strings.ToUpper(string(r.finding.verdict)), r.fact.id,
		wrap(r.fact.claim, "    "), wrap("Seen: "+r.finding.seen, "    "), wrap("Source: "+r.fact.source, "    "))
}

// summary counts the verdicts, and names what is contradicted.
func summary(results []result) string {
	counts := map[verdict]int{}
	var wrong []string
	for _, r := range results {
		counts[r.finding.verdict]++
		if r.finding.verdict == contradicted {
			wrong = append(wrong, string(r.fact.id))
		}
	}
	text := fmt.Sprintf("\n%d facts: %d confirmed, %d contradicted, %d not tried.\n",
		len(results), counts[confirmed], counts[contradicted], counts[notTried])
	if len(wrong) > 0 {
		text += wrap(plain("Contradicted: "+strings.Join(wrong, ", ")), "") + "\n"
	}
	return text
}

// createReport makes the file before anything is sent, so that no prompt and no sign-in is wasted. It overwrites nothing,
// and only its owner can read it until they decide otherwise.
func createReport(name string) (*os.File, error) {
	if name == "" {
		return nil, nil //nolint:nilnil // no report was asked for
	}
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, fmt.Errorf("-report: %w", err)
	}
	return file, nil
}

// discard removes a report in which there is nothing, so that its name can be used again.
func discard(file *os.File) {
	if file != nil {
		_ = errors.Join(file.Close(), os.Remove(file.Name())) // an empty file does no harm
	}
}

// output is where the report goes: to standard output and, if there is one, to the file. Each part is written as soon as it
// is known, so that a program that is killed leaves what was seen: a prompt cannot be taken back.
type output struct {
	file    *os.File
	to      []io.Writer
	failure []error // of each
}

func newOutput(stdout io.Writer, file *os.File) *output {
	o := &output{file: file}
	if file != nil {
		o.to = append(o.to, file) // first, because a closed pipe ends the program
	}
	o.to = append(o.to, stdout)
	o.failure = make([]error, len(o.to))
	return o
}

// show writes a part. Where one could not be written, the report ends.
func (o *output) show(text string) {
	for i, w := range o.to {
		if o.failure[i] == nil {
			_, o.failure[i] = io.WriteString(w, text)
		}
	}
}

// close gives what went wrong.
func (o *output) close() error {
	err := errors.Join(o.failure...)
	if o.file != nil {
		err = errors.Join(err, o.file.Close())
	}
	return err
}

func printf(out io.Writer, format string, values ...any) { _, _ = fmt.Fprintf(out, format, values...) }
