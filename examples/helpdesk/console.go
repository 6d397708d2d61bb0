package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"

	"golang.org/x/term"
)

// lineWidth is how wide talk and help are at most, whatever the terminal: it fits everywhere, and in mails and tickets.
const lineWidth = 70

// console is the terminal, or what stands in for it: answers go to out, talk goes to err.
type console struct {
	out, err io.Writer

	mu  sync.Mutex
	bar bool // on the last line of err

	// asks says that a person can be asked: what they type and what they read are terminals.
	asks bool

	// live says that err can rewrite its last line.
	live bool

	color   bool
	width   int // of talk; 0 in a pipe, where a message is one line
	columns int // of the terminal of out; 0 in a pipe, where nothing is cut

	in    io.Reader
	lines chan string // what is typed, once somebody was asked
	once  sync.Once
}

func newConsole(in, out, err *os.File) *console {
	c := &console{in: in, out: &watched{w: out}, err: err, columns: columnsOf(out)}
	if !term.IsTerminal(int(err.Fd())) {
		return c
	}
	c.width = min(columnsOf(err), lineWidth)
	c.asks = term.IsTerminal(int(in.Fd()))
	c.live = takesEscapes(err)
	c.color = c.live && os.Getenv("NO_COLOR") == ""
	return c
}

// columnsOf is how wide a terminal is, and 0 for what is none.
func columnsOf(file *os.File) int {
	if !term.IsTerminal(int(file.Fd())) {
		return 0
	}
	if width, _, err := term.GetSize(int(file.Fd())); err == nil && width > 20 {
		return width - 1 // some terminals break the line after the last column
	}
	return lineWidth
}

// say tells the technician something.
func (c *console) say(format string, args ...any) {
	c.talk(wrapped(clean(fmt.Sprintf(format, args...)), c.width, ""))
}

// warn tells of something that is not as it should be. The name of the tool marks it in the logs of a script.
func (c *console) warn(format string, args ...any) {
	text := wrapped("helpdesk: "+clean(strings.Join(strings.Fields(fmt.Sprintf(format, args...)), " ")), c.width, "  ")
	if rest, ok := strings.CutPrefix(text, "helpdesk:"); ok && c.color {
		text = "\x1b[31mhelpdesk:\x1b[0m" + rest
	}
	c.talk(text)
}

// talk writes whole lines. A bar makes room and comes back below them.
func (c *console) talk(text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.bar {
		text = "\r\x1b[K" + text
	}
	_, _ = io.WriteString(c.err, text) // nobody is left to be told
}

// showsBar is for a bar that is rewritten through barWriter.
func (c *console) showsBar(yes bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.bar = yes
}

// barWriter is where a bar is written, which others talk across.
type barWriter struct{ c *console }

// Write implements [io.Writer].
func (w barWriter) Write(p []byte) (int, error) {
	w.c.mu.Lock()
	defer w.c.mu.Unlock()
	return w.c.err.Write(p)
}

// strong marks what matters most in a line of talk.
func (c *console) strong(text string) string {
	if !c.color {
		return text
	}
	return "\x1b[1m" + text + "\x1b[0m"
}

// errNoAnswer is the end of the input where an answer was expected.
var errNoAnswer = errors.New("no answer")

// ask shows a question and gives the answer. It ends with the context, although reading a terminal does not.
func (c *console) ask(ctx context.Context, question string) (string, error) {
	fmt.Fprint(c.err, strings.TrimSuffix(wrapped(clean(question), c.width, ""), "\n")+" ")
	c.once.Do(func() {
		c.lines = make(chan string)
		go func() {
			defer close(c.lines)
			for scanner := bufio.NewScanner(c.in); scanner.Scan(); {
				c.lines <- scanner.Text()
			}
		}()
	})
	select {
	case line, ok := <-c.lines:
		if !ok {
			fmt.Fprintln(c.err)
			return "", errNoAnswer
		}
		return strings.TrimSpace(line), nil
	case <-ctx.Done():
		fmt.Fprintln(c.err)
		return "", ctx.Err()
	}
}

// print writes an answer in one go. A disk that is full is an error like any other.
func (c *console) print(text string) error {
	if text == "" {
		return nil
	}
	if _, err := io.WriteString(c.out, text); err != nil {
		return fmt.Errorf("write to standard output: %w", err)
	}
	return nil
}
