package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/go-intune/intune/benchmarks/internal/document"
)

// Parts of what the simulations print: a duration, and a number.
const (
	long   = `(\d[^ ;]*s)`
	number = `(\d+)`
)

// The tests that print them.
const (
	helpDesk = "TestOpenRemoteAssistance_SimulationOfAHelpDesk/"
	many     = "TestOpenRemoteAssistanceMany_Simulation"
	waits    = "TestOpenRemoteAssistanceMany_Waits"
)

// links makes the table of how long after it appears a link is handed out, from what the library's own simulations print. They
// run on fake time, so what else the machine does changes only the last figure.
func links(ctx context.Context) error {
	cmd := exec.CommandContext(ctx, "go", "test", "-count=1", "-json", "-run=Open.*(_Simulation|Many_Waits)", ".")
	cmd.Dir = ".."
	out, err := output(cmd)
	if err != nil {
		return err
	}
	printed, err := outputs(out)
	if err != nil {
		return err
	}
	var text strings.Builder
	text.WriteString("| | middle or mean | 95th percentile | latest | reads in a second, at most |\n| --- | --- | --- | --- | --- |\n")
	for _, row := range []struct{ title, test, kind, most string }{
		{"this library: 50 waits of one client all the time, links after 20 s to 2 min", helpDesk + "OpenRemoteAssistance", "mean", ""},
		{"a loop of five seconds for each of 50 waits", helpDesk + "by_hand", "mean", ""},
		{"this library: 500 waits that begin at once", "TestOpenRemoteAssistance_SimulationOfManyWaits/500_waits", "mean", ""},
		{
			"this library: 1,000 devices in one `OpenRemoteAssistanceMany`, links after 10 s to 5 min, another app taking half of " +
				"the tenant, 2% of reads broken and 2% answered with 503", many, "middle", "25, its budget",
		},
	} {
		late, err := find(printed, row.test, `late by `+long+`[^,]*, `+long+` at the 95th percentile, `+long+` at most`)
		if err != nil {
			return err
		}
		if row.most == "" {
			reads, err := find(printed, row.test, number+` reads in a second at most`)
			if err != nil {
				return err
			}
			row.most = reads[0]
		}
		fmt.Fprintf(&text, "| %s | %s %s | %s | %s | %s |\n", row.title, row.kind, short(late[0]), short(late[1]), short(late[2]), row.most)
	}
	run, err := find(printed, many, long+` for 1000 devices, `+number+` waits at most`)
	if err != nil {
		return err
	}
	size, err := find(printed, waits, number+` bytes for a wait`)
	if err != nil {
		return err
	}
	minute, err := find(printed, waits, `a minute of waiting takes `+long)
	if err != nil {
		return err
	}
	fmt.Fprintf(&text, "\nThe 1,000 devices were asked at five a second and took %s, with up to %s waits at once. A wait takes %s bytes "+
		"and no goroutine; a minute of 10,000 waits takes %s of real time.\n\n%s", short(run[0]), run[1], size[0], short(minute[0]), machine())
	fmt.Println(text.String())
	return document.SetTable(file, "links", text.String())
}

// outputs are what each test printed.
func outputs(events string) (map[string]string, error) {
	printed := map[string]string{}
	for line := range strings.Lines(events) {
		if !strings.HasPrefix(line, "{") {
			continue // the go command's own
		}
		var event struct{ Test, Output string }
		if err := json.Unmarshal([]byte(line), &event); err != nil {
			return nil, err
		}
		printed[event.Test] += event.Output
	}
	return printed, nil
}

// find gives what the parentheses of a pattern hold in what a test printed.
func find(printed map[string]string, test, pattern string) ([]string, error) {
	found := regexp.MustCompile(pattern).FindStringSubmatch(printed[test])
	if found == nil {
		return nil, fmt.Errorf("%s prints nothing like %q; it printed:\n%s", test, pattern, printed[test])
	}
	return found[1:], nil
}

// short writes a duration of Go's with three digits that mean something.
func short(duration string) string {
	d, err := time.ParseDuration(duration)
	switch {
	case err != nil:
		return duration
	case d >= time.Minute:
		d = d.Round(time.Second)
		return fmt.Sprintf("%d min %d s", int(d.Minutes()), int(d.Seconds())%60)
	default:
		return strconv.FormatFloat(d.Seconds(), 'g', 3, 64) + " s"
	}
}
