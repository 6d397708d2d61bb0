package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"
)

// stopped is why the context ended: somebody or the system told the tool to stop.
type stopped struct{ signal syscall.Signal }

// Error implements error.
func (s *stopped) Error() string { return "stopped by signal: " + s.signal.String() }

// untilSignal is a context that ends at the first signal to stop. The second ends the tool at once.
func untilSignal(parent context.Context) (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancelCause(parent)
	came := make(chan os.Signal, 1)
	for _, s := range []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP} {
		if !signal.Ignored(s) { // nohup and background jobs of a shell ask for that
			signal.Notify(came, s)
		}
	}
	go func() {
		select {
		case s := <-came:
			signal.Stop(came)
			number, _ := s.(syscall.Signal)
			cancel(&stopped{number})
		case <-ctx.Done():
		}
	}()
	return ctx, func() {
		signal.Stop(came)
		cancel(nil)
	}
}

// stoppedBy is the signal that ended the context, if one did.
func stoppedBy(ctx context.Context) (*stopped, bool) {
	return errors.AsType[*stopped](context.Cause(ctx))
}
