//go:build unix

package main

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// TestSecondSignal has a file that keeps the tool: the first signal asks it to stop, the next ends it.
func TestSecondSignal(t *testing.T) {
	t.Parallel()
	d := bare(t)
	authority := filepath.Join(d.folder, "ca.pem")
	if err := syscall.Mkfifo(authority, 0o600); err != nil {
		t.Fatal(err)
	}
	r := d.start("find", "S-NEW", "--graph", "https://127.0.0.1:1", "--ca", authority)
	held, err := os.OpenFile(authority, os.O_WRONLY, 0) // returns once the tool reads
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	ended := make(chan outcome, 1)
	go func() { ended <- r.wait() }()
	for limit := time.After(patience); ; {
		select {
		case got := <-ended:
			if got.code >= 0 {
				t.Errorf("exit code %d, want an end by the signal", got.code)
			}
			return
		case <-time.After(20 * time.Millisecond):
			_ = r.cmd.Process.Signal(syscall.SIGINT) // it may have ended by now
		case <-limit:
			_ = r.cmd.Process.Kill()
			t.Fatal("the signals did not end it")
		}
	}
}

// Under nohup, the end of the terminal does not stop the tool.
func TestHangupIgnored(t *testing.T) {
	t.Parallel()
	d := newDesk(t, office(never))
	cmd := d.command("connect", "S-NEW", "-yes")
	cmd.Args = append([]string{"sh", "-c", `trap '' HUP; exec "$0" "$@"`}, cmd.Args...)
	cmd.Path = "/bin/sh"
	r := d.startCommand(cmd, nil, "")
	comes(t, "a look", d.reads)
	r.signal(syscall.SIGHUP)
	r.signal(syscall.SIGTERM)
	r.wait().wants(t, exitSignal+int(syscall.SIGTERM), nil, []string{"stopped"})
}
