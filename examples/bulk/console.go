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

// lineWidth is how wide the talk is at most, whatever the terminal: it fits everywhere, and in mails and tickets.
const lineWidth = 70

// console is the terminal, or what stands in for it: results go to out, talk goes to err.
type console struct {
	in     *os.File
	out    io.Writer
	err    *screen
	asks   bool // a person can be asked: what they type and what they read are terminals
	live   bool // err can rewrite its last line
	color  bool
	width  int // of talk; 0 in a pipe, where a message is one line
	typing sync.Once
	typed  chan string
}

// screen is standard error, on which a progress bar may be.
type screen struct {
	mu  sync.Mutex
	w   io.Writer
	bar bool
}

// Write implements [io.Writer]. It is for the bar.
func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.w.Write(p)
}

// talk writes whole lines. The bar makes room and comes back below them.
func (s *screen) talk(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bar {
		text = "\r\x1b[K" + text
	}
	_, _ = io.WriteString(s.w, text) // nobody is left to be told
}

func (s *screen) showsBar(yes bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bar = yes
}

func newConsole(in, out, err *os.File) *console {
	c := &console{in: in, out: out, err: &screen{w: err}}
	if !term.IsTerminal(int(err.Fd())) {
		return c
	}
	c.width = lineWidth
	if width, _, sizeErr := term.GetSize(int(err.Fd())); sizeErr == nil && width > 20 {
		c.width = min(width-1, lineWidth) // some terminals break the line after the last column
	}
	c.asks = term.IsTerminal(int(in.Fd()))
	c.live = takesEscapes(err)
	c.color = c.live && os.Getenv("NO_COLOR") == ""
	return c
}

// say tells the person something.
func (c *console) say(format string, args ...any) {
	c.err.talk(wrapped(clean(fmt.Sprintf(format, args...)), c.width, ""))
}

// warn tells of something that is not as it should be. The name of the program marks it in the logs of a script.
func (c *console) warn(format string, args ...any) {
	text := wrapped("bulk: "+clean(strings.Join(strings.Fields(fmt.Sprintf(format, args...)), " ")), c.width, "  ")
	if rest, ok := strings.CutPrefix(text, "bulk:"); ok && c.color {
		text = "\x1b[31mbulk:\x1b[0m" + rest
	}
	c.err.talk(text)
}

// errNoAnswer is the end of the input where an answer was expected.
var errNoAnswer = errors.New("no answer")

// ask shows a question and gives the answer. It ends with the context, although reading a terminal does not.
func (c *console) ask(ctx context.Context, question string) (string, error) {
	c.err.talk(strings.TrimSuffix(wrapped(clean(question), c.width, ""), "\n") + " ")
	c.typing.Do(func() {
		c.typed = make(chan string)
		go func() {
			defer close(c.typed)
			for scanner := bufio.NewScanner(c.in); scanner.Scan(); {
				c.typed <- scanner.Text()
			}
		}()
	})
	select {
	case line, ok := <-c.typed:
		if !ok {
			c.err.talk("\n")
			return "", errNoAnswer
		}
		return strings.TrimSpace(line), nil
	case <-ctx.Done():
		c.err.talk("\n")
		return "", ctx.Err()
	}
}

// print writes to standard output in one go. A disk that is full is an error like any other.
func (c *console) print(text string) error {
	if _, err := io.WriteString(c.out, text); err != nil {
		return fmt.Errorf("write to standard output: %w", err)
	}
	return nil
}
