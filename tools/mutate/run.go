package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// test is one test of one program, with what the clean run said about it.
type test struct {
	program  int
	name     string
	duration time.Duration
	reaches  int
	kills    int
}

// runner runs mutations against the tests that reach them.
type runner struct {
	binaries []binary
	temp     string
	least    time.Duration // the shortest timeout
	workers  int

	mutex  sync.Mutex
	reach  map[int][]*test
	broken []string // tests that fail by themselves
}

// execute runs some tests of one program; noticed means that they failed or did not end in time. The memory of the
// process is bounded, since a loop that never ends often appends.
func (r *runner) execute(ctx context.Context, program int, names []string, timeout time.Duration, environment ...string) (noticed bool, err error) {
	b := r.binaries[program]
	limited, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	cmd := exec.CommandContext(
		limited, "/bin/sh", "-c", `ulimit -v 8000000; exec "$@"`, "sh",
		b.path, "-test.failfast", "-test.run", "^("+strings.Join(names, "|")+")$",
	)
	cmd.Dir = b.dir
	cmd.Env = append(os.Environ(), environment...)
	cmd.WaitDelay = time.Second
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // tests start processes of their own
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	err = cmd.Run()
	if cmd.Process != nil {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	}
	if _, exited := errors.AsType[*exec.ExitError](err); exited || limited.Err() != nil {
		return true, ctx.Err()
	}
	return false, err
}

// trace runs every test alone and notes which mutations it reaches. Tests that fail without a mutation are left out.
func (r *runner) trace(ctx context.Context) error {
	r.reach = map[int][]*test{}
	type job struct {
		program int
		name    string
	}
	var jobs []job
	for i, b := range r.binaries {
		for _, name := range b.tests {
			jobs = append(jobs, job{i, name})
		}
	}
	return each(r.workers, jobs, func(j job) error {
		file := filepath.Join(r.temp, fmt.Sprintf("trace-%d-%s", j.program, j.name))
		start := time.Now()
		failed, err := r.execute(ctx, j.program, []string{j.name}, 5*time.Minute, "MUTATE_TRACE="+file)
		if failed && err == nil { // once more, since a busy machine fails a test now and then
			start = time.Now()
			failed, err = r.execute(ctx, j.program, []string{j.name}, 5*time.Minute, "MUTATE_TRACE="+file)
		}
		if err != nil {
			return err
		}
		t := &test{program: j.program, name: j.name, duration: time.Since(start)}
		text, err := os.ReadFile(file)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		r.mutex.Lock()
		defer r.mutex.Unlock()
		if failed {
			r.broken = append(r.broken, j.name)
			return nil
		}
		for line := range strings.FieldsSeq(string(text)) {
			id, err := strconv.Atoi(line)
			if err != nil {
				return err
			}
			if !slices.Contains(r.reach[id], t) {
				r.reach[id] = append(r.reach[id], t)
				t.reaches++
			}
		}
		return nil
	})
}

// Before all the others that reach a mutation, some tests are tried, and then those that take no longer than quick.
const (
	firstTests = 6
	quick      = 300 * time.Millisecond
)

// noticed reports whether any test fails with the mutation. The tests that noticed most so far go first, then those that
// reach least, and slow ones at last.
func (r *runner) noticed(ctx context.Context, m *mutation) (bool, error) {
	r.mutex.Lock()
	tests := slices.Clone(r.reach[m.ID])
	slices.SortFunc(tests, func(a, b *test) int {
		if isSlow(a) != isSlow(b) {
			if isSlow(b) {
				return -1
			}
			return 1
		}
		if a.kills != b.kills {
			return b.kills - a.kills
		}
		if a.reaches != b.reaches {
			return a.reaches - b.reaches
		}
		return strings.Compare(a.name, b.name)
	})
	r.mutex.Unlock()
	slow := slices.IndexFunc(tests, isSlow)
	if slow < 0 {
		slow = len(tests)
	}
	first := min(slow, firstTests)
	for _, some := range [][]*test{tests[:first], tests[first:slow], tests[slow:]} {
		for program := range r.binaries {
			var names []string
			timeout := r.least
			for _, t := range some {
				if t.program == program {
					names = append(names, t.name)
					timeout += 4 * t.duration
				}
			}
			if len(names) == 0 {
				continue
			}
			failed, err := r.execute(ctx, program, names, timeout, "MUTATE_ACTIVE="+strconv.Itoa(m.ID))
			if err != nil {
				return false, err
			}
			if failed {
				r.mutex.Lock()
				for _, t := range some {
					if len(some) <= firstTests {
						t.kills++
					}
				}
				r.mutex.Unlock()
				return true, nil
			}
		}
	}
	return false, nil
}

func isSlow(t *test) bool { return t.duration > quick }

// each runs jobs on a number of workers and returns the first error.
func each[T any](workers int, jobs []T, do func(T) error) error {
	queue := make(chan T)
	failures := make(chan error, workers)
	var group sync.WaitGroup
	for range workers {
		group.Go(func() {
			for job := range queue {
				if err := do(job); err != nil {
					failures <- err
					for range queue { // the others are passed over
					}
					return
				}
			}
		})
	}
	for _, job := range jobs {
		queue <- job
	}
	close(queue)
	group.Wait()
	close(failures)
	return <-failures
}
