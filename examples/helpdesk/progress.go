package main

import (
	"fmt"
	"sync"
	"time"
)

// progress shows one line that is written anew each second, until stop takes it away. In a pipe, or on a terminal that
// cannot rewrite a line, there is a plain line each minute, so that a log tells a wait from a program that hangs.
func (c *console) progress(text func(elapsed time.Duration) string) (stop func()) {
	done := make(chan struct{})
	var gone sync.WaitGroup
	gone.Go(func() {
		if c.live {
			c.rewrite(text, done)
		} else {
			c.report(text, done)
		}
	})
	var once sync.Once
	return func() {
		once.Do(func() { close(done) })
		gone.Wait()
	}
}

func (c *console) rewrite(text func(elapsed time.Duration) string, done <-chan struct{}) {
	began, tick := time.Now(), time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		fmt.Fprint(c.err, "\r\x1b[K"+cut(text(time.Since(began)), c.width))
		select {
		case <-tick.C:
		case <-done:
			fmt.Fprint(c.err, "\r\x1b[K")
			return
		}
	}
}

func (c *console) report(text func(elapsed time.Duration) string, done <-chan struct{}) {
	began, tick := time.Now(), time.NewTicker(time.Minute)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			c.say("%s", text(time.Since(began)))
		case <-done:
			return
		}
	}
}
