package main

import (
	"bytes"
	"go/parser"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// What the announcement says can be pasted as it stands, into a shell where there is one and into a program.
func TestAnnouncement(t *testing.T) {
	t.Parallel()
	shell, err := exec.LookPath("sh")
	for _, args := range [][]string{nil, {"-http"}} {
		s := startServer(t, args...)
		if !strings.Contains(s.announcement, "This is a test server") {
			t.Errorf("it does not say what it is: %s", s.announcement)
		}
		examples := map[string]string{}
		for line := range strings.Lines(s.announcement) {
			if language, example, ok := strings.Cut(strings.TrimSpace(line), "  "); ok {
				examples[language] = strings.TrimSpace(example)
			}
		}
		for language, command := range map[string]string{"helpdesk": "", "curl": "curl", "PowerShell": "", "JavaScript": "node", "Go": ""} {
			example := examples[language]
			if !strings.Contains(example, s.root) || strings.Contains(example, "%!") {
				t.Errorf("%v, %s: %q", args, language, example)
			}
			if command == "" || err != nil {
				continue
			}
			if _, missing := exec.LookPath(command); missing != nil {
				continue
			}
			out, err := exec.CommandContext(t.Context(), shell, "-c", example).CombinedOutput()
			if err != nil || !bytes.Contains(out, []byte("LT-4F7K2")) {
				t.Errorf("%v, %s: %v: %s", args, language, err, out)
			}
		}
		want := "helpdesk connect LT-4F7K2 --graph " + s.root
		if s.ca != "" {
			want += " --ca '" + s.ca + "'"
		}
		if examples["helpdesk"] != want {
			t.Errorf("%v, helpdesk: %q, want %q", args, examples["helpdesk"], want)
		}
		expression, _, _ := strings.Cut(examples["Go"], ", with ")
		if _, err := parser.ParseExpr(expression); err != nil {
			t.Errorf("%v, Go: %v", args, err)
		}
		if plain := strings.Contains(expression, "InsecureAllowCredentialWithHTTP: true"); plain != (s.ca == "") {
			t.Errorf("%v, Go: %s", args, expression) // the library refuses plain http without it
		}
	}
}

// curl asks for a session, meets a fault, and is told when it sends no length, where it is installed.
func TestCurl(t *testing.T) {
	t.Parallel()
	curl, err := exec.LookPath("curl")
	if err != nil {
		t.Skip("curl is not installed")
	}
	s := startServer(t)
	do := func(args ...string) string {
		args = append([]string{"-sS", "--cacert", s.ca, "-H", "Authorization: Bearer test"}, args...)
		out, err := exec.CommandContext(t.Context(), curl, args...).CombinedOutput()
		if err != nil {
			t.Fatalf("curl %v: %v: %s", args, err, out)
		}
		return string(out)
	}
	device := s.root + devicesPath + "/" + laptop
	if got := do(s.root + devicesPath + "?$select=id,deviceName"); !strings.Contains(got, `"deviceName":"LT-4F7K2"`) {
		t.Error(got)
	}
	// Without a body curl sends no length either in HTTP/1.1, and Graph's front end refuses that (C§7.4).
	if got := do("--http1.1", "-X", "POST", device+"/requestRemoteAssistance"); !strings.Contains(got, "Length Required") {
		t.Error(got)
	}
	if got := do("-d", "", "-w", "%{http_code}", device+"/requestRemoteAssistance"); got != "204" {
		t.Error(got)
	}
	do(device + "?$select=remoteAssistanceSessionUrl")
	if got := do(device + "?$select=remoteAssistanceSessionUrl"); !strings.Contains(got, `"remoteAssistanceSessionUrl":"https://`) {
		t.Error(got)
	}
	do("-H", "Content-Type: application/json", "-d", `{"status": 429}`, s.root+"/_tenant/fault")
	if got := do("-o", "/dev/null", "-w", "%{http_code}", s.root+devicesPath); got != "429" {
		t.Error(got)
	}
	if n := s.state(t).Prompts; n != 1 {
		t.Errorf("%d prompts", n)
	}
}

// The tests that docs/testing.md shows run as they stand there, where their language is installed.
func TestDocumentedTests(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/testing.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		language, extension string
		command             []string
	}{
		{"go", "go", []string{"go", "run"}},
		{"js", "js", []string{"node"}},
		{"python", "py", []string{"python3"}},
		{"powershell", "ps1", []string{"pwsh", "-NoProfile", "-File"}},
	} {
		t.Run(c.language, func(t *testing.T) {
			t.Parallel()
			found := regexp.MustCompile("(?s)```"+c.language+"\n(.*?)```").FindAllSubmatch(text, -1)
			found = slices.DeleteFunc(found, func(block [][]byte) bool { // the one in process is part of a program
				return c.language == "go" && !bytes.HasPrefix(block[1], []byte("package main\n"))
			})
			if len(found) != 1 {
				t.Fatalf("docs/testing.md has %d tests in it", len(found))
			}
			program, err := exec.LookPath(c.command[0])
			if err != nil {
				t.Skip(c.command[0] + " is not installed")
			}
			s := startServer(t)
			script := file(t, "test."+c.extension, string(found[0][1]))
			command := exec.CommandContext(t.Context(), program, append(c.command[1:], script)...)
			command.Env = append(os.Environ(), "TENANT="+s.root, "TENANT_CA="+s.ca, "NODE_EXTRA_CA_CERTS="+s.ca)
			if out, err := command.CombinedOutput(); err != nil || strings.TrimSpace(string(out)) != "ok" {
				t.Errorf("%v: %s", err, out)
			}
			if n := s.state(t).Prompts; n != 1 {
				t.Errorf("%d prompts", n)
			}
		})
	}
}
