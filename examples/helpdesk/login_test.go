//go:build unix

package main

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-intune/intune"
)

// tenantServer builds the program examples/tenant, once.
var tenantServer = sync.OnceValues(func() (string, error) {
	name := filepath.Join(filepath.Dir(binary), "tenant")
	output, err := exec.Command("go", "build", "-o", name, "github.com/go-intune/intune/examples/tenant").CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%w\n%s", err, output)
	}
	return name, err
})

// entra is a desk whose tenant and sign-in are the program examples/tenant.
func entra(t *testing.T) (d *desk, answer func(code string, decline bool)) {
	t.Helper()
	d = bare(t)
	server, err := tenantServer()
	if err != nil {
		t.Fatal(err)
	}
	authority := filepath.Join(d.folder, "ca.pem")
	cmd := exec.Command(server, "-addr", "127.0.0.1:0", "-ca", authority)
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	ready, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	words := strings.Fields(ready)
	if len(words) < 2 || words[0] != "ready" {
		t.Fatalf("the server said %q", ready)
	}
	d.env["HELPDESK_TEST_GRAPH"], d.env["HELPDESK_TEST_AUTHORITY"], d.env["SSL_CERT_FILE"] = words[1], words[1], authority
	pem, err := os.ReadFile(authority)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}}
	return d, func(code string, decline bool) {
		body, _ := json.Marshal(map[string]any{"userCode": code, "userPrincipalName": "tech@contoso.com", "decline": decline})
		resp, err := client.Post(words[1]+"/_tenant/sign-in", "application/json", bytes.NewReader(body))
		if err != nil {
			t.Error(err)
			return
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusNoContent {
			text, _ := io.ReadAll(resp.Body)
			t.Errorf("%d %s", resp.StatusCode, text)
		}
	}
}

var userCode = regexp.MustCompile(`approve\s+the code\s+(\S+)\.`)

// shownCode is the code that the terminal shows, in a line that may be broken anywhere.
func (x *terminal) shownCode() string {
	x.t.Helper()
	for limit := time.After(patience); ; {
		if found := userCode.FindStringSubmatch(x.screen()); found != nil {
			return found[1]
		}
		select {
		case <-x.more:
		case <-limit:
			x.t.Fatalf("no code:\n%s", x.screen())
		}
	}
}

const registration = "22222222-2222-4222-8222-222222222222"

// TestLogin signs a person in with a code; the commands after it ask for nothing.
func TestLogin(t *testing.T) {
	t.Parallel()
	d, answer := entra(t)
	x := d.terminal("login", "--tenant", "contoso.com", "--client-id", registration, "--device-code")
	answer(x.shownCode(), false)
	if strings.Index(x.screen(), "Signing in …") > strings.Index(x.screen(), "approve") {
		t.Errorf("said too late:\n%s", x.screen())
	}
	x.shows("Signed in as tech@contoso.com")
	screen := x.ends(exitDone)
	if strings.Contains(screen, "cannot be kept") {
		t.Skip("this machine has no place for secrets")
	}

	got := d.run("whoami")
	got.wants(t, exitDone, []string{"tech@contoso.com", "delegated", "contoso.com", "connect     yes", "history     yes"}, nil)
	if strings.Contains(got.stderr, "Signing in") {
		t.Errorf("asked again:\n%s", got.stderr)
	}
	d.run("find", "LT-4F7K2").wants(t, exitDone, []string{"LT-4F7K2"}, nil)
	d.run("connect", "LT-4F7K2", "-yes").wants(t, exitDone, []string{"https://get.teamviewer.com/"}, nil)
	if !strings.Contains(d.read("journal.jsonl"), `"actor":"tech@contoso.com"`) {
		t.Errorf("the journal does not say who it was:\n%s", d.read("journal.jsonl"))
	}
	saved, err := os.ReadFile(filepath.Join(d.folder, "config", folderName, "account.json"))
	if err != nil || strings.Contains(string(saved), "eyJ") {
		t.Errorf("%v, or a token is in the file:\n%s", err, saved)
	}

	d.run("logout").wants(t, exitDone, nil, nil)
	d.run("logout").wants(t, exitDone, nil, []string{"No account was kept."})
	d.run("login").wants(t, exitUsage, nil, []string{"needs --client-id"})
}

// TestLoginStopped gives up before the code was typed.
func TestLoginStopped(t *testing.T) {
	t.Parallel()
	d, _ := entra(t)
	d.terminal("login", "--tenant", "t", "--client-id", registration, "--device-code").
		shows("the code ").types("\x03").ends(130)
	if _, err := os.Stat(filepath.Join(d.folder, "config", folderName, "account.json")); err == nil {
		t.Error("an account was kept")
	}
}

// TestSignInWithoutLogin is a command that is told to sign a person in.
func TestSignInWithoutLogin(t *testing.T) {
	t.Parallel()
	d, answer := entra(t)
	x := d.terminal("find", "LT-4F7K2", "--auth", "devicecode", "--tenant", "t", "--client-id", registration)
	answer(x.shownCode(), false)
	x.shows("SERIAL").ends(exitDone)
	if _, err := os.Stat(filepath.Join(d.folder, "config", folderName, "account.json")); err == nil {
		t.Error("an account was kept without login")
	}
}

// TestLoginDeclined has a person who types the code and then says no.
func TestLoginDeclined(t *testing.T) {
	t.Parallel()
	d, answer := entra(t)
	x := d.terminal("login", "--tenant", "t", "--client-id", registration, "--device-code")
	answer(x.shownCode(), true)
	screen := strings.Join(strings.Fields(x.ends(exitRefused)), " ")
	if !strings.Contains(screen, "the sign-in failed") || !strings.Contains(screen, "it was declined") {
		t.Errorf("screen:\n%s", screen)
	}
}

// TestLoginWithBrowser sees that the person is told before the browser opens, and that Ctrl-C ends the wait for it.
func TestLoginWithBrowser(t *testing.T) {
	t.Parallel()
	d, _ := entra(t)
	opened, done := d.program("xdg-open")
	x := d.terminal("login", "--tenant", "t", "--client-id", registration).shows("Signing in … a browser window opens")
	for limit := time.After(patience); !strings.Contains(done(), "END"); {
		select {
		case <-time.After(10 * time.Millisecond):
		case <-limit:
			t.Fatal(x.screen())
		}
	}
	if !strings.Contains(opened(), "/oauth2/v2.0/authorize?") || !strings.Contains(opened(), "client_id="+registration) {
		t.Errorf("the browser got %q", opened())
	}
	x.types("\x03").ends(130)
}

// TestLoginTellsWhatIsMissing looks at the warning alone: the sign-in of the tests gives every permission.
func TestLoginTellsWhatIsMissing(t *testing.T) {
	t.Parallel()
	var talk strings.Builder
	a := &app{console: &console{err: &talk}}
	a.sayLacks(intune.TokenInfo{Scopes: []string{"devicemanagementmanageddevices.readwrite.all", "DeviceManagementApps.Read.All"}})
	if got := talk.String(); got != "helpdesk: connector will not work fully: the token lacks DeviceManagementServiceConfig.Read.All\n" {
		t.Errorf("got %q", got)
	}
}

// TestWhoamiLacks is a token without permissions.
func TestWhoamiLacks(t *testing.T) {
	t.Parallel()
	d := newDesk(t, office())
	d.as(d.tenant.CredentialWith(map[string]any{"roles": []string{"DeviceManagementManagedDevices.Read.All"}}))
	d.run("whoami").wants(t, exitDone, []string{
		"application", "connect     no, lacks DeviceManagementManagedDevices.ReadWrite.All", "find        yes", "connector   no, lacks",
	}, nil)
	d.run("whoami", "-json").wants(t, exitDone, []string{`"connect": false`, `"find": true`}, nil)
}

func TestDamagedAccount(t *testing.T) {
	t.Parallel()
	d := newDesk(t, office())
	folder := filepath.Join(d.folder, "config", folderName)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "account.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	d.run("find", "S-NEW").wants(t, exitFailure, nil, []string{"account.json cannot be read", "helpdesk login"})
	d.run("logout").wants(t, exitDone, nil, nil)
}
