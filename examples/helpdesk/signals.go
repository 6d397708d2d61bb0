package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"
)

// stops are the two contexts of the tool. The first signal ends soft. Then the next one ends the tool at once, unless a
// command was gentle: it finishes what is under way, which ends with hard, after the second signal or a grace, since a
// request that is broken off leaves a user of whom nobody knows whether they were asked. The third signal ends the tool.
type stops struct {
	soft, hard context.Context //nolint:containedctx // they are the ends of the program

	stopSoft, stopHard context.CancelCauseFunc
	came               chan os.Signal
	finishes           atomic.Bool
}

// grace is how long requests under way may take after the first signal. They take less than a second, unless the service
// throttles, and then they are not under way.
const grace = 10 * time.Second

// stopped is why a context ended: somebody or the system told the tool to stop.
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

// gentle is for a command that finishes what is under way.
func (s *stops) gentle() { s.finishes.Store(true) }

func (s *stops) listen() {
	var first os.Signal
	select {
	case first = <-s.came:
	case <-s.hard.Done():
		return
	}
	number, _ := first.(syscall.Signal)
	if !s.finishes.Load() {
		signal.Stop(s.came)
		s.stopHard(&stopped{number})
		return
	}
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

// stoppedBy is the signal that ended the context, if one did.
func stoppedBy(ctx context.Context) (*stopped, bool) {
	return errors.AsType[*stopped](context.Cause(ctx))
}
