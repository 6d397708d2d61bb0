package main

import (
	"fmt"
	"sync"
	"time"
)

// progress shows one line that is written anew each second, until stop takes it away. In a pipe there is none.
func (c *console) progress(text func(elapsed time.Duration) string) (stop func()) {
	if !c.live {
		return func() {}
	}
	done := make(chan struct{})
	var gone sync.WaitGroup
	gone.Go(func() {
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
	})
	var once sync.Once
	return func() {
		once.Do(func() { close(done) })
		gone.Wait()
	}
}
