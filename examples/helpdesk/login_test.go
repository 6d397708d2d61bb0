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

// startTenant runs the program examples/tenant until the test ends. The talk is what it says to people.
func startTenant(t *testing.T, authority string) (root, talk string) {
	t.Helper()
	server, err := tenantServer()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(server, "-addr", "127.0.0.1:0", "-ca", authority)
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	stderr, err := cmd.StderrPipe()
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
	var said strings.Builder
	for lines := bufio.NewScanner(stderr); lines.Scan() && !strings.HasPrefix(lines.Text(), "docs/"); { // its last line
		said.WriteString(lines.Text() + "\n")
	}
	ready, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	words := strings.Fields(ready)
	if len(words) < 2 || words[0] != "ready" {
		t.Fatalf("the server said %q", ready)
	}
	return words[1], said.String()
}

// entra is a desk whose tenant and sign-in are the program examples/tenant.
func entra(t *testing.T) (d *desk, answer func(code string, decline bool)) {
	t.Helper()
	d = bare(t)
	authority := filepath.Join(d.folder, "ca.pem")
	root, _ := startTenant(t, authority)
	d.env["HELPDESK_TEST_GRAPH"], d.env["HELPDESK_TEST_AUTHORITY"], d.env["SSL_CERT_FILE"] = root, root, authority
	return d, d.approver(root, authority)
}

// approver answers a sign-in by code, as a person does on the page of the tenant.
func (d *desk) approver(root, authority string) func(code string, decline bool) {
	t := d.t
	pem, err := os.ReadFile(authority)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}}
	return func(code string, decline bool) {
		body, _ := json.Marshal(map[string]any{"userCode": code, "userPrincipalName": "tech@contoso.com", "decline": decline})
		resp, err := client.Post(root+"/_tenant/sign-in", "application/json", bytes.NewReader(body))
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

	// The ids are still there, and enough to come back.
	d.run("config").wants(t, exitDone, []string{"tenant             contoso.com\n", "client-id          " + registration + "\n"}, nil)
	d.run("find", "LT-4F7K2").wants(t, exitRefused, nil, []string{"not signed in at contoso.com; first: helpdesk login\n"})
	x = d.terminal("login", "--device-code")
	answer(x.shownCode(), false)
	x.shows("Signed in as tech@contoso.com").ends(exitDone)
	d.env["AZURE_CLIENT_ID"] = "33333333-3333-4333-8333-333333333333" // another app than that of the account
	d.run("find", "LT-4F7K2").wants(t, exitRefused, nil, []string{"not signed in at contoso.com"})
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

// TestLoginWithoutBrowser falls back to a code where there is no screen, although the account was made with a browser.
func TestLoginWithoutBrowser(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{
		{"login", "--tenant", "t", "--client-id", registration},
		{"find", "LT-4F7K2", "--auth", "browser", "--tenant", "t", "--client-id", registration},
	} {
		d, answer := entra(t)
		d.program("xdg-open") // a server has it too
		delete(d.env, "DISPLAY")
		x := d.terminal(args...).shows("There is no browser here")
		answer(x.shownCode(), false)
		x.ends(exitDone)
	}
}

// TestLoginHelp has the lines that make the app registration, each with flags that the Azure CLI documents.
func TestLoginHelp(t *testing.T) {
	t.Parallel()
	help := bare(t).run("login", "-h").stdout
	for _, line := range []string{
		"az ad app create --display-name", "--public-client-redirect-uris http://localhost", "--is-fallback-public-client true",
		"az ad sp create --id APP", "az ad app permission add --id APP", "--api 00000003-0000-0000-c000-000000000000",
		"--api-permissions 44642bfe-8385-4adc-8fc6-fe3cb2c375c3=Scope", "az ad app permission admin-consent --id APP",
	} {
		if !strings.Contains(help, line) {
			t.Errorf("%q is missing:\n%s", line, help)
		}
	}
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

// TestWhoamiCannotTell has a token that nobody can read, such as that of a rehearsal without a sign-in.
func TestWhoamiCannotTell(t *testing.T) {
	t.Parallel()
	d := newDesk(t, office())
	d.as(intune.StaticToken("opaque"))
	d.run("whoami").wants(t, exitDone, []string{"connect     unknown: this token does not tell"}, nil)
	d.run("whoami", "-json").wants(t, exitDone, []string{`"can": {}`}, nil)
	var talk strings.Builder
	a := &app{console: &console{err: &talk}}
	a.sayLacks(intune.TokenInfo{Kind: intune.TokenKindUnknown})
	if got := talk.String(); got != "" {
		t.Errorf("got %q", got)
	}
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
