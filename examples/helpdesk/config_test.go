package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func (d *desk) configFile() string {
	return filepath.Join(d.folder, "config", folderName, "config.json")
}

func TestConfig(t *testing.T) {
	t.Parallel()
	d := bare(t)
	d.run("config").wants(t, exitDone, []string{d.configFile() + "\n", "tenant             -\n"}, nil)
	d.run("config", "tenant").wants(t, exitNothing, nil, []string{"tenant is not set"})
	for _, args := range [][]string{
		{"tenant", "contoso.com"},
		{"client_id", "22222222-2222-4222-8222-222222222222"},
		{"cloud", "china"},
		{"auth", "azurecli"},
		{"journal", "shared/j.jsonl"},
		{"require_reference", "true"},
	} {
		d.run(append([]string{"config"}, args...)...).wants(t, exitDone, nil, nil)
	}
	d.run("config", "journal").wants(t, exitDone, []string{filepath.Join(d.folder, "shared", "j.jsonl") + "\n"}, nil)
	d.run("config", "require-reference").wants(t, exitDone, []string{"true\n"}, nil)
	d.env["AZURE_TENANT_ID"] = "fabrikam.com"
	d.run("config").wants(t, exitDone, []string{
		"tenant             fabrikam.com (from AZURE_TENANT_ID)\n", "client-id          22222222-2222-4222-8222-222222222222\n",
		"cloud              china\n", "auth               azurecli\n", "require-reference  true\n",
	}, nil)

	info, err := os.Stat(d.configFile())
	if err != nil {
		t.Fatal(err)
	}
	if mode := info.Mode().Perm(); mode != 0o600 {
		t.Errorf("mode %o", mode)
	}
	files, _ := filepath.Glob(d.configFile() + "*")
	if len(files) != 1 {
		t.Errorf("left behind: %v", files)
	}
	for _, name := range []string{"tenant", "client-id", "cloud", "auth", "journal", "require-reference"} {
		d.run("config", "--unset", name).wants(t, exitDone, nil, nil)
	}
	content, err := os.ReadFile(d.configFile())
	if err != nil {
		t.Fatal(err)
	}
	if text := strings.TrimSpace(string(content)); text != "{}" {
		t.Errorf("still there: %s", text)
	}
}

// TestConfigDamaged is a file that somebody edited: what is wrong with it is said, and nothing is done.
func TestConfigDamaged(t *testing.T) {
	t.Parallel()
	for content, says := range map[string]string{
		`{`:                            "config.json cannot be read; correct or delete it",
		`{"tennant": "contoso.com"}`:   `unknown name "tennant" (did you mean tenant?)`,
		`{"cloud": "mars"}`:            `config.json: unknown cloud "mars"`,
		`{"requireReference": "true"}`: "config.json cannot be read",
	} {
		d := newDesk(t, office())
		if err := os.MkdirAll(filepath.Dir(d.configFile()), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(d.configFile(), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		d.run("connect", "S-NEW", "-yes").wants(t, exitFailure, nil, []string{says})
		d.run("logout").wants(t, exitDone, nil, nil)
		d.prompts(annasNew, 0)
	}
}

func TestConfigFullDisk(t *testing.T) {
	t.Parallel()
	d := bare(t)
	d.run("config", "tenant", "contoso.com").wants(t, exitDone, nil, nil)
	folder := filepath.Dir(d.configFile())
	if err := os.Chmod(folder, 0o500); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Chmod(folder, 0o700) })
	if file, err := os.Create(filepath.Join(folder, "probe")); err == nil { // root may write anywhere
		file.Close()
		t.Skip("this user may write to a folder that is read-only")
	}
	d.run("config", "tenant", "fabrikam.com").wants(t, exitFailure, nil, []string{"could not be kept"})
	d.run("config", "tenant").wants(t, exitDone, []string{"contoso.com\n"}, nil)
}

// TestConfigJournal is used where no flag says otherwise.
func TestConfigJournal(t *testing.T) {
	t.Parallel()
	d := newDesk(t, office())
	configured, given := filepath.Join(d.folder, "configured.jsonl"), filepath.Join(d.folder, "given.jsonl")
	d.run("config", "journal", configured).wants(t, exitDone, nil, nil)
	d.run("connect", "S-NEW", "-yes").wants(t, exitDone, []string{link}, nil)
	d.run("connect", "S-PHONE", "-yes", "-journal", given).wants(t, exitDone, []string{link}, nil)
	for _, name := range []string{configured, given} {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(content), `"outcome":"accepted"`); n != 1 {
			t.Errorf("%s has %d requests:\n%s", name, n, content)
		}
	}
	if journal := d.journal(); journal != "" {
		t.Errorf("in the default place:\n%s", journal)
	}
}

// TestConnectionOrder lets flags win over the environment, and the environment over the file.
func TestConnectionOrder(t *testing.T) {
	const (
		flag     = "11111111-1111-4111-8111-111111111111"
		variable = "22222222-2222-4222-8222-222222222222"
		file     = "33333333-3333-4333-8333-333333333333"
	)
	t.Setenv("AZURE_TENANT_ID", "")
	t.Setenv("AZURE_CLIENT_ID", "")
	get := func(args ...string) (tenant, client, cloud string) {
		t.Helper()
		a := &app{console: &console{out: &strings.Builder{}, err: &strings.Builder{}}}
		cmd := a.findCommand()
		a.addShared(cmd, takesConnection|takesRehearsal)
		if err := cmd.ParseFlags(append(args, "--auth", "browser")); err != nil {
			t.Fatal(err)
		}
		err := a.connection.check(&account{TenantID: "login.com", ClientID: "l", Cloud: "france"},
			settings{Tenant: "file.com", ClientID: file, Cloud: "china"})
		if err != nil {
			t.Fatal(err)
		}
		return a.connection.tenantID, a.connection.clientID, a.connection.cloudName
	}
	expect := func(tenant, client, cloud, wantTenant, wantClient, wantCloud string) {
		t.Helper()
		if tenant != wantTenant {
			t.Errorf("tenant %s, want %s", tenant, wantTenant)
		}
		if client != wantClient {
			t.Errorf("client %s, want %s", client, wantClient)
		}
		if cloud != wantCloud {
			t.Errorf("cloud %s, want %s", cloud, wantCloud)
		}
	}
	tenant, client, cloud := get()
	expect(tenant, client, cloud, "file.com", file, "china")
	t.Setenv("AZURE_TENANT_ID", "variable.com")
	t.Setenv("AZURE_CLIENT_ID", variable)
	tenant, client, cloud = get()
	expect(tenant, client, cloud, "variable.com", variable, "china")
	tenant, client, cloud = get("--tenant", "flag.com", "--client-id", flag, "--cloud", "germany")
	expect(tenant, client, cloud, "flag.com", flag, "germany")
}
