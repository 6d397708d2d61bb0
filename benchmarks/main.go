// Command benchmarks measures this library beside its peers and writes the tables of docs/comparison.md:
//
//	go run .                  # everything: ten minutes on a quiet machine of two cores, once everything is compiled
//	go run . -only calls      # what calls cost: two minutes
//	go run . -only pages      # a page on two releases of Go: two minutes
//	go run . -only links      # from the link to the hand: half a minute
//	go run . -only builds     # cold builds, binaries, start-up: five minutes, half of them for msgraph-sdk-go
//	go run . -only faults     # what becomes of a call when something fails, and what goes over the wire: seconds
//
// It has to be run in this folder. Builds take up to five gigabytes of memory, and start-up is measured on Unix, but not on
// a Mac, whose programs do not heed SSL_CERT_FILE.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/go-intune/intune/benchmarks/internal/document"
	"github.com/go-intune/intune/benchmarks/internal/peer"
)

const file = "../docs/comparison.md"

// peers are the names of the programs under programs/ and of the benchmarks.
var peers = peer.Names

func main() {
	only := flag.String("only", "calls,pages,links,builds,faults", "which tables to make")
	rounds := flag.Int("rounds", 9, "how often each call is measured, each peer in turn")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, strings.Split(*only, ","), *rounds); err != nil {
		fmt.Fprintln(os.Stderr, err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, tables []string, rounds int) error {
	if rounds < 1 {
		return errors.New("-rounds should be 1 or more: without figures, the tables would hold zeros")
	}
	if _, err := os.Stat(file); err != nil {
		return fmt.Errorf("run it in the folder of the benchmarks: %w", err)
	}
	folder, err := os.MkdirTemp("", "benchmarks")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	for _, name := range tables {
		switch name {
		case "calls":
			err = calls(ctx, folder, rounds)
		case "pages":
			err = pages(ctx, folder, rounds)
		case "links":
			err = links(ctx)
		case "builds":
			err = compareBuilds(ctx, folder)
		case "faults":
			_, err = output(exec.CommandContext(ctx, "go", "test", "-vet=off", "-run=^(TestFaults.*|TestSameWire)$", "./compare", "-update"))
		default:
			err = fmt.Errorf("there is no table %q: calls, pages, links, builds and faults are", name)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// output runs a command; an error holds what it printed.
func output(cmd *exec.Cmd) (string, error) {
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, out)
	}
	return string(out), nil
}

// write puts a table into the document, with what was measured where and when.
func write(name string, rows []row, notes ...string) error {
	text := render(rows) + "\n" + strings.Join(append(notes, machine()), "\n")
	fmt.Println(text)
	return document.SetTable(file, name, text)
}

func machine() string {
	model := runtime.GOARCH
	if info, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		if _, after, found := strings.Cut(string(info), "model name"); found {
			model, _, _ = strings.Cut(strings.TrimLeft(after, "\t :"), "\n")
		}
	}
	day := time.Now().Format(time.DateOnly)
	return fmt.Sprintf("%s, %s, %s, %d cores (%s).", day, runtime.Version(), runtime.GOOS, runtime.NumCPU(), model)
}

func program(folder, kind, peer string) string { return filepath.Join(folder, kind+"-"+peer) }
