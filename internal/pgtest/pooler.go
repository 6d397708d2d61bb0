//go:build unix

package pgtest

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// PoolerPath finds pgbouncer, which Debian has outside of most users' PATH.
func PoolerPath() (string, error) {
	path, err := exec.LookPath("pgbouncer")
	if err == nil {
		return path, nil
	}
	path = "/usr/sbin/pgbouncer"
	if _, err := os.Stat(path); err != nil {
		return "", errors.New("there is no pgbouncer: install Debian's package of that name")
	}
	return path, nil
}

// NewPooler starts a pgbouncer in transaction mode, with three connections of the server for everybody. It returns the DSN that leads
// through it, and what stops it. The error says what is missing if there is no pgbouncer.
func NewPooler(dsn string) (through string, stop func(), err error) {
	path, err := PoolerPath()
	if err != nil {
		return "", nil, err
	}
	at, err := url.Parse(dsn)
	if err != nil {
		return "", nil, err
	}
	folder, as, err := folder()
	if err != nil {
		return "", nil, err
	}
	port, err := freePort()
	if err != nil {
		return "", nil, err
	}
	target := fmt.Sprintf("host=%s port=%s user=%s", at.Hostname(), at.Port(), at.User.Username())
	if password, ok := at.User.Password(); ok {
		target += " password=" + password
	}
	settings := fmt.Sprintf("[databases]\n%s = %s\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = %s\n"+
		"auth_type = any\npool_mode = transaction\ndefault_pool_size = 3\nmax_client_conn = 200\nunix_socket_dir =\nlogfile = %s\n",
		strings.TrimPrefix(at.Path, "/"), target, port, filepath.Join(folder, "pgbouncer.log"))
	file := filepath.Join(folder, "pgbouncer.ini")
	if err := os.WriteFile(file, []byte(settings), 0o644); err != nil { //nolint:gosec // the server's user reads it
		return "", nil, err
	}
	leash, _, exited, err := leashed(as, folder, path, "-q", file)
	if err != nil {
		return "", nil, err
	}
	stop = func() {
		_ = leash.Close()
		<-exited
		_ = os.RemoveAll(folder)
	}
	if err := answers(port, at.User.Username(), strings.TrimPrefix(at.Path, "/")); err != nil {
		stop()
		return "", nil, err
	}
	at.Host = "127.0.0.1:" + port
	return at.String(), stop, nil
}
