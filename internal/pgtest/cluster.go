//go:build unix

// Package pgtest starts PostgreSQL and pgbouncer for the tests of modules that need them, and breaks the network before them. It
// uses no driver, so that each module chooses its own.
package pgtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// startWithin is how long a server may take to answer.
const startWithin = 10 * time.Second

// Cluster is a PostgreSQL of the tests' own, on a free port of loopback.
type Cluster struct {
	folder, port string
	as           *syscall.Credential // nil if the tests are not run by root

	mu     sync.Mutex
	leash  io.Closer // the server dies when it is closed, also if the tests do
	server int       // its process id
	exited chan struct{}
}

// New makes a cluster and starts it; settings are more lines of its postgresql.conf. The error says what is missing if there is no
// PostgreSQL. Stop it with [Cluster.Stop].
func New(settings ...string) (_ *Cluster, err error) {
	c := &Cluster{}
	initdb, err := program("initdb")
	if err != nil {
		return nil, err
	}
	if c.folder, c.as, err = folder(); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			c.Stop()
		}
	}()
	options := []string{"-D", c.data(), "-U", "owner", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync"}
	made := exec.Command(initdb, options...) //nolint:gosec,noctx // a program for tests, which ends by itself
	made.SysProcAttr, made.Dir = &syscall.SysProcAttr{Credential: c.as}, c.folder
	if text, err := made.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w: %s", err, text)
	}
	if c.port, err = freePort(); err != nil {
		return nil, err
	}
	lines := append([]string{
		"listen_addresses = '127.0.0.1'", "port = " + c.port, "unix_socket_directories = ''", "max_connections = 300",
		"shared_buffers = 64MB", "log_min_messages = fatal", "synchronous_commit = off", "default_transaction_isolation = 'serializable'",
	}, settings...)
	file, err := os.OpenFile(filepath.Join(c.data(), "postgresql.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return nil, err
	}
	_, err = file.WriteString("\n" + strings.Join(lines, "\n") + "\n")
	if err := errors.Join(err, file.Close()); err != nil {
		return nil, err
	}
	return c, c.Start()
}

func (c *Cluster) data() string { return filepath.Join(c.folder, "data") }

// DSN is that of a database, such as "postgres", with the rights of an administrator.
func (c *Cluster) DSN(database string) string {
	return "postgres://owner@127.0.0.1:" + c.port + "/" + database + "?sslmode=disable"
}

// Start starts the server again after [Cluster.Kill], and waits until it answers. It tries more than once, because those who served
// connections may be there for a moment after the server was killed, and keep the new one out.
func (c *Cluster) Start() (err error) {
	for range 6 {
		if err = c.startOnce(); err == nil {
			return nil
		}
		if c.leash == nil {
			return err
		}
		c.mu.Lock()
		_ = c.leash.Close()
		<-c.exited
		c.mu.Unlock()
	}
	log, _ := os.ReadFile(filepath.Join(c.folder, "log"))
	return fmt.Errorf("the server does not start: %w: %s", err, log)
}

func (c *Cluster) startOnce() error {
	postgres, err := program("postgres")
	if err != nil {
		return err
	}
	leash, pid, exited, err := leashed(c.as, c.folder, postgres, "-D", c.data())
	if err != nil {
		return err
	}
	c.mu.Lock()
	c.leash, c.server, c.exited = leash, pid, exited
	c.mu.Unlock()
	return answers(c.port, "owner", "postgres")
}

// Kill sends the server a signal, and waits until it has ended and its port is closed.
func (c *Cluster) Kill(signal syscall.Signal) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := syscall.Kill(c.server, signal); err != nil {
		return err
	}
	_ = c.leash.Close()
	<-c.exited
	return c.silent()
}

// silent waits until nobody listens any more: a process that the server has just forked does so for a moment, and outlives it.
func (c *Cluster) silent() error {
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); <-time.After(10 * time.Millisecond) {
		conn, _ := (&net.Dialer{Timeout: time.Second}).DialContext(context.Background(), "tcp", net.JoinHostPort("127.0.0.1", c.port))
		if conn == nil {
			return nil
		}
		_ = conn.Close()
	}
	return errors.New("somebody listens after the server was killed")
}

// Stop ends the server and removes its files.
func (c *Cluster) Stop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.leash != nil {
		_ = c.leash.Close()
		<-c.exited
	}
	_ = os.RemoveAll(c.folder)
}

// program finds a program of PostgreSQL. Debian has them in a folder for each version, and not in PATH.
func program(name string) (string, error) {
	if found, err := exec.LookPath(name); err == nil {
		return found, nil
	}
	list, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + name)
	if len(list) == 0 {
		return "", fmt.Errorf("there is no %s: install PostgreSQL, Debian's package postgresql", name)
	}
	return slices.MaxFunc(list, func(a, b string) int { return len(a) - len(b) + strings.Compare(a, b) }), nil
}

// folder is a new one, which the user that a server runs as can enter.
func folder() (path string, as *syscall.Credential, err error) {
	if as, err = unprivileged(); err != nil {
		return "", nil, err
	}
	if path, err = os.MkdirTemp("", "pgtest"); err != nil || as == nil {
		return path, nil, err
	}
	return path, as, os.Chown(path, int(as.Uid), int(as.Gid))
}

// unprivileged is whom a server runs as, since initdb refuses root; nil for the user of the tests.
func unprivileged() (*syscall.Credential, error) {
	if os.Getuid() != 0 {
		return nil, nil //nolint:nilnil // the user of the tests will do
	}
	for _, name := range []string{"postgres", "nobody"} {
		found, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err := strconv.ParseUint(found.Uid, 10, 32)
		if err != nil {
			return nil, err
		}
		gid, err := strconv.ParseUint(found.Gid, 10, 32)
		if err != nil {
			return nil, err
		}
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
	}
	return nil, errors.New("PostgreSQL does not run as root, and there is no user nobody")
}

func freePort() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // nothing that could take long
	if err != nil {
		return "", err
	}
	defer func() { _ = listener.Close() }()
	_, port, err := net.SplitHostPort(listener.Addr().String())
	return port, err
}
