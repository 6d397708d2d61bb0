//go:build unix

package pgtest_test

import (
	"io"
	"net"
	"testing"
	"time"

	"github.com/go-intune/intune/internal/pgtest"
)

// A wire passes on what is sent, forgets connections without a word, and takes no new ones once it is cut.
func TestWire(t *testing.T) {
	t.Parallel()
	echo, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer echo.Close()
	go func() {
		for {
			conn, err := echo.Accept()
			if err != nil {
				return
			}
			go func() { _, _ = io.Copy(conn, conn) }()
		}
	}()
	wire, through, err := pgtest.NewWire("postgres://" + echo.Addr().String() + "/any")
	if err != nil {
		t.Fatal(err)
	}
	at := through[len("postgres://") : len(through)-len("/any")]
	const long, short = 10 * time.Second, 100 * time.Millisecond
	dial := func() (ask func(within time.Duration) error) {
		t.Helper()
		conn, err := net.Dial("tcp", at)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		return func(within time.Duration) error {
			_, _ = conn.Write([]byte("?"))
			_ = conn.SetReadDeadline(time.Now().Add(within))
			_, err := io.ReadFull(conn, make([]byte, 1))
			return err
		}
	}
	isTimeout := func(err error) bool {
		slow, ok := err.(net.Error) //nolint:errorlint // of a connection
		return ok && slow.Timeout()
	}
	first := dial()
	if err := first(long); err != nil {
		t.Errorf("an answer through the wire: %v", err)
	}
	if n := wire.Forget(); n != 1 {
		t.Errorf("%d connections were forgotten, want 1", n)
	}
	second := dial()
	if err := first(short); !isTimeout(err) {
		t.Errorf("a connection that was forgotten: %v", err)
	}
	if err := second(long); err != nil {
		t.Errorf("a new connection: %v", err)
	}
	wire.Cut()
	if err := second(long); err == nil || isTimeout(err) {
		t.Errorf("a connection that was cut: %v", err)
	}
	if conn, err := net.Dial("tcp", at); err == nil {
		_ = conn.Close()
		t.Error("a wire that was cut takes a connection")
	}
}
