package journalpg_test

import (
	"bufio"
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"flag"
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
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"
	_ "github.com/lib/pq"
)

// cluster is a PostgreSQL of the tests' own, on a free port of loopback.
type cluster struct {
	folder, port string
	as           *syscall.Credential // nil if the tests are not run by root

	mu     sync.Mutex
	leash  io.Closer // the server dies when it is closed, also if the tests do
	server int       // its process id
	exited chan struct{}
}

// binary finds a program of PostgreSQL. Debian has them in a folder for each version, and not in PATH.
func binary(name string) (string, error) {
	if found, err := exec.LookPath(name); err == nil {
		return found, nil
	}
	list, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + name)
	if len(list) == 0 {
		return "", fmt.Errorf("there is no %s: install PostgreSQL, Debian's package postgresql, or set JOURNALPG_DSN", name)
	}
	return slices.MaxFunc(list, func(a, b string) int { return len(a) - len(b) + strings.Compare(a, b) }), nil
}

// unprivileged is whom a server runs as, since initdb refuses root.
func unprivileged() (*syscall.Credential, error) {
	if os.Getuid() != 0 {
		return nil, nil //nolint:nilnil // the user of the tests will do
	}
	for _, name := range []string{"postgres", "nobody"} {
		if found, err := user.Lookup(name); err == nil {
			uid, _ := strconv.ParseUint(found.Uid, 10, 32)
			gid, _ := strconv.ParseUint(found.Gid, 10, 32)
			return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
		}
	}
	return nil, errors.New("PostgreSQL does not run as root, and there is no user nobody")
}

// newCluster makes a cluster and starts it.
func newCluster(settings ...string) (_ *cluster, err error) {
	c := &cluster{}
	initdb, err := binary("initdb")
	if err != nil {
		return nil, err
	}
	if c.as, err = unprivileged(); err != nil {
		return nil, err
	}
	if c.folder, err = os.MkdirTemp("", "journalpg"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			c.stop()
		}
	}()
	if c.as != nil {
		if err := os.Chown(c.folder, int(c.as.Uid), int(c.as.Gid)); err != nil {
			return nil, err
		}
	}
	made := exec.Command(initdb, "-D", c.data(), "-U", "owner", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync")
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
	return c, c.start()
}

func (c *cluster) data() string { return filepath.Join(c.folder, "data") }

func freePort() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer listener.Close()
	_, port, err := net.SplitHostPort(listener.Addr().String())
	return port, err
}

// start starts the server and waits until it answers. It tries again, because those who served connections may be there for a moment
// after the server was killed, and keep the new one out.
func (c *cluster) start() (err error) {
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

func (c *cluster) startOnce() error {
	postgres, err := binary("postgres")
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
	db, err := sql.Open("pgx", c.dsn("postgres"))
	if err != nil {
		return err
	}
	defer db.Close()
	for end := time.Now().Add(10 * time.Second); ; {
		err := db.PingContext(context.Background())
		if err == nil || time.Now().After(end) {
			return err
		}
		<-time.After(20 * time.Millisecond)
	}
}

// leashed starts a server, which gets SIGINT when the leash is closed, and so when this process dies in any way.
func leashed(as *syscall.Credential, folder string, command ...string) (leash io.Closer, pid int, exited chan struct{}, err error) {
	const script = `"$@" </dev/null >>log 2>&1 & server=$!; echo $server; read -r _; kill -INT $server 2>/dev/null; wait $server`
	shell := exec.Command("sh", append([]string{"-c", script, "sh"}, command...)...)
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

// kill sends the server a signal, and waits until it has ended.
func (c *cluster) kill(signal syscall.Signal) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := syscall.Kill(c.server, signal); err != nil {
		return err
	}
	_ = c.leash.Close()
	<-c.exited
	return nil
}

func (c *cluster) stop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.leash != nil {
		_ = c.leash.Close()
		<-c.exited
	}
	_ = os.RemoveAll(c.folder)
}

func (c *cluster) dsn(database string) string {
	return "postgres://owner@127.0.0.1:" + c.port + "/" + database + "?sslmode=disable"
}

// shared is the cluster of the tests that do not kill it.
var shared struct {
	dsn string
	err error
}

func TestMain(m *testing.M) {
	if runChild() {
		return
	}
	_ = flag.Set("rapid.checks", "25") // unless told otherwise
	_ = flag.Set("rapid.nofailfile", "true")
	flag.Parse()
	_ = flag.Set("test.parallel", "16") // most tests wait for a lock, a lease or a network
	shared.dsn = os.Getenv("JOURNALPG_DSN")
	stop := func() {}
	if shared.dsn == "" {
		c, err := newCluster()
		if err != nil {
			shared.err = err
		} else {
			shared.dsn, stop = c.dsn("postgres"), c.stop
		}
	}
	code := m.Run()
	stop()
	os.Exit(code)
}

// server is the DSN of a server with the rights of an administrator.
func server(t *testing.T) string {
	t.Helper()
	if shared.err != nil {
		t.Skip(shared.err)
	}
	return shared.dsn
}

// open opens a pool, which is closed with the test.
func open(t testing.TB, driver, dsn string) *sql.DB {
	t.Helper()
	db, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// schemaName is a name that no other test has.
func schemaName() string { return "test_" + strings.ToLower(rand.Text()[:12]) }
