package main

import (
	"context"
	"flag"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
)

// today is the time of every test.
func today() time.Time { return time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC) }

// outcome is what a run of the tool left.
type outcome struct {
	code           int
	stdout, stderr string
}

// on runs the tool with a client of the tenant in place of a real one.
func on(tenant *intunetest.Tenant) func(t *testing.T, args ...string) outcome {
	return with(tenant.Credential(), tenant.ClientOptions())
}

func with(credential azcore.TokenCredential, options *intune.ClientOptions) func(t *testing.T, args ...string) outcome {
	return func(t *testing.T, args ...string) outcome {
		t.Helper()
		return runIn(t.Context(), environment{
			now: today,
			connect: func(context.Context, connection, io.Writer) (*intune.Client, error) {
				return intune.NewClient(credential, options)
			},
		}, args...)
	}
}

func runIn(ctx context.Context, env environment, args ...string) outcome {
	var stdout, stderr strings.Builder
	code := run(ctx, args, &stdout, &stderr, env)
	return outcome{code: code, stdout: stdout.String(), stderr: stderr.String()}
}

// offline fails when it is asked for a client.
func offline(t *testing.T) environment {
	t.Helper()
	return environment{now: today, connect: func(context.Context, connection, io.Writer) (*intune.Client, error) {
		t.Error("the tool went to a tenant")
		return nil, context.Canceled
	}}
}

// wants compares the exit code and looks for parts of both outputs. No parts mean that there must be no output.
func (o outcome) wants(t *testing.T, code int, stdout, stderr []string) {
	t.Helper()
	if o.code != code {
		t.Errorf("exit code %d, want %d", o.code, code)
	}
	for _, c := range []struct {
		name, got string
		want      []string
	}{{"stdout", o.stdout, stdout}, {"stderr", o.stderr, stderr}} {
		if len(c.want) == 0 && c.got != "" {
			t.Errorf("unexpected on %s:\n%s", c.name, c.got)
		}
		for _, part := range c.want {
			if !strings.Contains(c.got, part) {
				t.Errorf("%q is missing from %s:\n%s", part, c.name, c.got)
			}
		}
	}
}

// ignoring is a service that ignores filters, as Intune does with those it does not support.
type ignoring struct{ tenant *intunetest.Tenant }

func (s ignoring) Do(req *http.Request) (*http.Response, error) {
	req = req.Clone(req.Context())
	var kept []string
	for option := range strings.SplitSeq(req.URL.RawQuery, "&") {
		if !strings.HasPrefix(option, "$filter=") {
			kept = append(kept, option)
		}
	}
	req.URL.RawQuery = strings.Join(kept, "&")
	return s.tenant.Do(req)
}

func TestUsage(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		args   string
		stderr string
	}{
		{"", "Usage: helpdesk COMMAND"},
		{"lose", `unknown command "lose"`},
		{"-x find", `unknown command "-x"`},
		{"help lose", `unknown command "lose"`},
		{"find", "one of -serial, -name, -user and -app"},
		{"find -os Windows", "one of -serial, -name, -user and -app"},
		{"find -bogus", "flag provided but not defined: -bogus"},
		{"find LT-1", `unexpected argument "LT-1"`},
		{"find -name LT-1 more", `unexpected argument "more"`},
		{"find -name LT-1 -serial 5", "only one of -name, -serial"},
		{"find -name=", "-name is blank"},
		{"find -name LT-1 -os=", "-os is blank"},
		{"find -name LT-1 -timeout 0s", "-timeout must be above zero"},
		{"find -name LT-1 -timeout soon", `invalid value "soon" for flag -timeout`},
		{"find -name LT-1 -cloud mars", `unknown -cloud "mars"`},
		{"find -name LT-1 -auth password", `unknown -auth "password"`},
		{"find -name LT-1 -auth browser", "-auth browser needs -client-id"},
		{"find -name LT-1 -auth devicecode", "-auth devicecode needs -client-id"},
		{"find -name LT-1 -demo -tenant contoso.com", "leave out -tenant"},
	} {
		t.Run(c.args, func(t *testing.T) {
			t.Parallel()
			got := runIn(t.Context(), offline(t), strings.Fields(c.args)...)
			got.wants(t, exitUsage, nil, []string{c.stderr, "Usage: helpdesk"})
		})
	}
}

func TestHelp(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]string{
		"-h": "Commands:", "--help": "Commands:", "help": "Commands:",
		"find -h": findHelp, "find -name LT-1 -help": findHelp, "help find": findHelp,
	} {
		runIn(t.Context(), offline(t), strings.Fields(args)...).wants(t, exitFound, []string{want}, nil)
	}
	newFindFlags(&findOptions{}).VisitAll(func(f *flag.Flag) {
		if n := strings.Count(findHelp, "-"+f.Name); n < 2 {
			t.Errorf("the help does not explain -%s and give an example", f.Name)
		}
	})
	for line := range strings.SplitSeq(findHelp+findUsage+usage(), "\n") {
		if len(line) > 125 {
			t.Errorf("too long for a terminal: %s", line)
		}
	}
}

func TestDemo(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]string{
		"-name lt-4f7k2":                      "LT-4F7K2",
		"-serial C02ZK1ABMD6T":                "chloe.martin@contoso.com",
		"-user anna.berg@contoso.com -os iOS": "Anna's iPhone",
		"-name nope -timeout 30s":             "",
	} {
		got := runIn(t.Context(), offline(t), append([]string{"find", "-demo"}, strings.Split(args, " ")...)...)
		if want == "" {
			got.wants(t, exitNothing, nil, []string{"made up", "demo: try -name"})
			continue
		}
		got.wants(t, exitFound, []string{want}, []string{"made up", "nothing was asked of Microsoft Graph"})
	}
	got := runIn(t.Context(), offline(t), "find", "-demo", "-app", "Contoso VPN")
	got.wants(t, exitFound, []string{"DT-ACCOUNTS-03", "LT-4F7K2"}, []string{"2 detected apps", "2 devices match"})
}

func TestConnect(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"public", "usgov", "dod", "china", "france", "germany"} {
		var stderr strings.Builder
		client, err := connect(t.Context(), connection{cloudName: name, auth: "azurecli"}, &stderr)
		if err != nil || client == nil || stderr.Len() > 0 {
			t.Errorf("%s: %v %s", name, err, stderr.String())
		}
	}
}
