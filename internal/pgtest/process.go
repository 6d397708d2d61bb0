//go:build unix

package pgtest

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// leashed starts a server, which gets SIGINT when the leash is closed, and so when this process dies in any way.
func leashed(as *syscall.Credential, folder string, command ...string) (leash io.Closer, pid int, exited chan struct{}, err error) {
	const script = `"$@" </dev/null >>log 2>&1 & server=$!; echo $server; read -r _; kill -INT $server 2>/dev/null; wait $server`
	shell := exec.Command("sh", append([]string{"-c", script, "sh"}, command...)...) //nolint:gosec,noctx // the leash ends it
	shell.SysProcAttr, shell.Dir = &syscall.SysProcAttr{Credential: as, Setpgid: true}, folder
	stdin, err := shell.StdinPipe()
	if err != nil {
		return nil, 0, nil, err
	}
	stdout, err := shell.StdoutPipe()
	if err != nil {
		return nil, 0, nil, err
	}
	if err := shell.Start(); err != nil {
		return nil, 0, nil, err
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		return nil, 0, nil, err
	}
	if pid, err = strconv.Atoi(strings.TrimSpace(line)); err != nil {
		return nil, 0, nil, err
	}
	exited = make(chan struct{})
	go func() {
		_ = shell.Wait()
		close(exited)
	}()
	return stdin, pid, exited, nil
}

// answers waits until a server lets a user into a database.
func answers(port, name, database string) error {
	for end := time.Now().Add(startWithin); ; {
		err := greet(port, name, database)
		if err == nil || time.Now().After(end) {
			return err
		}
		<-time.After(20 * time.Millisecond)
	}
}

// greet sends the first message of PostgreSQL's protocol. A server that starts, or recovers, answers with an error.
func greet(port, name, database string) error {
	conn, err := (&net.Dialer{}).DialContext(context.Background(), "tcp", "127.0.0.1:"+port)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	if err := conn.SetDeadline(time.Now().Add(startWithin)); err != nil {
		return err
	}
	body := "\x00\x03\x00\x00user\x00" + name + "\x00database\x00" + database + "\x00\x00"
	message := append(binary.BigEndian.AppendUint32(nil, uint32(len(body)+4)), body...)
	if _, err := conn.Write(message); err != nil {
		return err
	}
	answer := make([]byte, 1)
	if _, err := io.ReadFull(conn, answer); err != nil {
		return err
	}
	if answer[0] != 'R' {
		return fmt.Errorf("the server on port %s lets %s not in yet", port, name)
	}
	return nil
}
