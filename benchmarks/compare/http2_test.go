package compare

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// pageOfServer names the variable of the environment that makes this program a server of the page in a file.
const pageOfServer = "COMPARE_PAGE"

// servePage serves over HTTP/2 until standard input ends. It tells its address and its certificate first.
func servePage(file string) error {
	page, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor != 2 {
			http.Error(w, "not over HTTP/2", http.StatusHTTPVersionNotSupported)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(page)
	}))
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	fmt.Println(server.Listener.Addr(), base64.StdEncoding.EncodeToString(server.Certificate().Raw))
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// overHTTP2 is a transport that gets a page from another process, so that the time of the server is not counted.
func overHTTP2(b *testing.B, page []byte) http.RoundTripper {
	b.Helper()
	file := filepath.Join(b.TempDir(), "page.json")
	if err := os.WriteFile(file, page, 0o600); err != nil {
		b.Fatal(err)
	}
	server := exec.CommandContext(b.Context(), os.Args[0])
	server.Env = append(os.Environ(), pageOfServer+"="+file)
	_, err := server.StdinPipe() // its end ends the server
	if err != nil {
		b.Fatal(err)
	}
	out, err := server.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := server.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = server.Process.Kill(); _ = server.Wait() })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	address, encoded, _ := strings.Cut(strings.TrimSpace(line), " ")
	raw, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		b.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(raw)
	if err != nil {
		b.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(certificate)
	return &http.Transport{
		ForceAttemptHTTP2: true,
		TLSClientConfig:   &tls.Config{RootCAs: roots, ServerName: "example.com"},
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, address)
		},
	}
}
