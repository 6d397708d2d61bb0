package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// stops are the two contexts of the program. The first signal ends soft: nobody more is asked, and waits end. What is under
// way ends with hard, after the second signal or a grace: a request that is broken off leaves a user of whom nobody knows
// whether they were asked. The third signal ends the program at once.
type stops struct {
	soft, hard context.Context //nolint:containedctx // they are the ends of the program

	stopSoft, stopHard context.CancelCauseFunc
	came               chan os.Signal
}

// grace is how long requests under way may take after the first signal. They take less than a second, unless the service
// throttles, and then they are not under way.
const grace = 10 * time.Second

// stopped is why a context ended: somebody or the system told the program to stop.
type stopped struct{ signal syscall.Signal }

// Error implements error.
func (s *stopped) Error() string { return "stopped by signal: " + s.signal.String() }

func untilSignals(parent context.Context) *stops {
	s := &stops{came: make(chan os.Signal, 2)}
	s.hard, s.stopHard = context.WithCancelCause(parent)
	s.soft, s.stopSoft = context.WithCancelCause(s.hard)
	for _, stop := range []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP} {
		if !signal.Ignored(stop) { // nohup and background jobs of a shell ask for that
			signal.Notify(s.came, stop)
		}
	}
	go s.listen()
	return s
}

func (s *stops) listen() {
	var first os.Signal
	select {
	case first = <-s.came:
	case <-s.hard.Done():
		return
	}
	number, _ := first.(syscall.Signal)
	s.stopSoft(&stopped{number})
	patience := time.NewTimer(grace)
	defer patience.Stop()
	select {
	case <-s.came:
	case <-patience.C:
	case <-s.hard.Done():
	}
	signal.Stop(s.came)
	s.stopHard(&stopped{number})
}

func (s *stops) release() {
	signal.Stop(s.came)
	s.stopHard(nil)
}

// signaled is the signal that ended the program, if one did.
func (s *stops) signaled() (*stopped, bool) {
	return errors.AsType[*stopped](context.Cause(s.soft))
}
