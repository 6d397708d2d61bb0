package intune_test

import (
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/go-intune/intune"
)

// documents are all Markdown files of the repository, with slashes. It skips the test in a copy of the module without the
// nested modules, such as one that go get downloaded, because the documents speak of them.
func documents(t *testing.T) []string {
	t.Helper()
	if nested, err := filepath.Glob("*/go.mod"); err != nil || len(nested) == 0 {
		t.Skip("the nested modules are missing, so this is no checkout")
	}
	var list []string
	err := filepath.WalkDir(".", func(name string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() && name != "." && strings.HasPrefix(entry.Name(), ".") {
			return filepath.SkipDir
		}
		if filepath.Ext(name) == ".md" {
			list = append(list, filepath.ToSlash(name))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(list) < 8 || !slices.Contains(list, "docs/sessions.md") {
		t.Fatalf("found %q", list)
	}
	return list
}

// Every link leads to a file and a heading that exist, and a link to our own documentation to an identifier. Other sites
// are not asked.
func TestLinks(t *testing.T) {
	t.Parallel()
	links := 0
	for _, document := range documents(t) {
		prose := withoutCode(readText(t, document))
		for _, link := range regexp.MustCompile(`\]\(([^)]*)\)`).FindAllStringSubmatch(prose, -1) {
			links++
			if problem := checkLink(t, document, link[1]); problem != "" {
				t.Errorf("%s: %s: %s", document, link[1], problem)
			}
		}
	}
	if links < 40 {
		t.Errorf("found %d links", links)
	}
	// A check that finds nothing is worth nothing.
	for _, broken := range []string{
		"", "none.md", "#none", "testing.md#none", "../README.md#none", "/README.md", "../README.md#Permissions", "http://example.com",
		"https://pkg.go.dev/github.com/go-intune/intune/none", "https://pkg.go.dev/github.com/go-intune/intune/intunetest#None",
	} {
		if checkLink(t, "docs/decoding.md", broken) == "" {
			t.Errorf("%q counts as a good link", broken)
		}
	}
}

// checkLink says what is wrong with a link of a document.
func checkLink(t *testing.T, document, link string) string {
	t.Helper()
	target, anchor, hasAnchor := strings.Cut(link, "#")
	const ours = "https://pkg.go.dev/github.com/go-intune/intune"
	switch {
	case target == ours || strings.HasPrefix(target, ours+"/"):
		return checkIdentifier(t, path.Join(".", strings.TrimPrefix(target, ours)), anchor)
	case strings.HasPrefix(target, "https://"):
		return ""
	case target == "" && !hasAnchor:
		return "is empty"
	case strings.Contains(target, ":"), strings.HasPrefix(target, "/"):
		return "is neither https nor a relative path"
	}
	file := document
	if target != "" {
		file = path.Join(path.Dir(document), target)
	}
	if _, err := os.Stat(filepath.FromSlash(file)); err != nil {
		return "there is no " + file
	}
	if hasAnchor && (path.Ext(file) != ".md" || !slices.Contains(anchors(readText(t, file)), anchor)) {
		return file + " has no such heading"
	}
	return ""
}

// checkIdentifier says what is wrong with a link to the documentation of a package of this module.
func checkIdentifier(t *testing.T, folder, name string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(filepath.FromSlash(folder), "*.go"))
	if err != nil || len(files) == 0 {
		return "there is no package in " + folder
	}
	declared := regexp.MustCompile(`(?m)^(?:func|type|const|var) ` + regexp.QuoteMeta(name) + `\b`)
	for _, file := range files {
		if name == "" || declared.MatchString(readText(t, file)) {
			return ""
		}
	}
	return folder + " declares no " + name
}

// The tables of CONTRIBUTING.md list every room, and every source file of the root and of examples/service.
func TestContributingCard(t *testing.T) {
	t.Parallel()
	documents(t) // skips the test where there are no nested modules
	text := readText(t, "CONTRIBUTING.md")
	for _, card := range []struct{ folder, head string }{{".", "| Subject | Files |"}, {"examples/service", "| Part | Files |"}} {
		_, table, found := strings.Cut(text, "\n"+card.head+"\n")
		if !found {
			t.Fatalf("CONTRIBUTING.md has no card of %s", card.folder)
		}
		table, _, _ = strings.Cut(table, "\n\n")
		var listed, sources []string
		for _, file := range regexp.MustCompile("`([^`]+\\.go)`").FindAllStringSubmatch(table, -1) {
			listed = append(listed, file[1])
		}
		slices.Sort(listed)
		paths, err := filepath.Glob(filepath.Join(filepath.FromSlash(card.folder), "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			if name := filepath.Base(path); !strings.HasSuffix(name, "_test.go") {
				sources = append(sources, name)
			}
		}
		if !slices.Equal(listed, sources) {
			t.Errorf("the card of %s lists\n%q, and it has\n%q", card.folder, listed, sources)
		}
	}

	var listed []string
	rooms, _, _ := strings.Cut(text, "\n| Subject | Files |\n")
	for _, room := range regexp.MustCompile("(?m)^\\| `([a-z/]+?)/?` \\|").FindAllStringSubmatch(rooms, -1) {
		listed = append(listed, room[1])
		if _, err := os.Stat(filepath.FromSlash(room[1])); err != nil {
			t.Errorf("there is no room %s", room[1])
		}
	}
	for _, pattern := range []string{"*/*.go", "internal/*/*.go"} {
		files, err := filepath.Glob(filepath.FromSlash(pattern))
		if err != nil || len(files) == 0 {
			t.Fatalf("found %q, %v", files, err)
		}
		for _, file := range files {
			room := filepath.ToSlash(filepath.Dir(file))
			if _, err := os.Stat(filepath.Join(room, "go.mod")); err != nil && !slices.Contains(listed, room) {
				t.Errorf("the table of rooms leaves out %s", room)
			}
		}
	}
}

// CONTRIBUTING.md promises an example of every operation.
func TestClient_EveryMethodIsInAnExample(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("example*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	var examples strings.Builder
	for _, file := range files {
		examples.WriteString(readText(t, file))
	}
	for method := range reflect.TypeFor[*intune.Client]().Methods() {
		if method.Name == "String" || method.Name == "Endpoint" {
			continue // which are no operations
		}
		if !strings.Contains(examples.String(), "."+method.Name+"(") {
			t.Errorf("no example calls %s", method.Name)
		}
	}
}

// anchors are the headings of a document in the form that GitHub gives them: two of the same text differ by a number.
func anchors(text string) []string {
	var list []string
	seen := map[string]int{}
	text = regexp.MustCompile("(?ms)^```.*?^```$").ReplaceAllString(text, "")
	for _, heading := range regexp.MustCompile(`(?m)^#+ (.+)$`).FindAllStringSubmatch(text, -1) {
		anchor := regexp.MustCompile(`[^\p{L}\p{N}_ -]`).ReplaceAllString(strings.ToLower(heading[1]), "")
		anchor = strings.ReplaceAll(anchor, " ", "-")
		if n := seen[anchor]; n > 0 {
			list = append(list, anchor+"-"+strconv.Itoa(n))
		} else {
			list = append(list, anchor)
		}
		seen[anchor]++
	}
	return list
}

// withoutCode leaves out code, which has brackets of its own. The text of a link may be code.
func withoutCode(text string) string {
	text = regexp.MustCompile("(?ms)^```.*?^```$").ReplaceAllString(text, "")
	text = regexp.MustCompile(`(?m)^    .*$`).ReplaceAllString(text, "")
	return regexp.MustCompile("`[^`\n]*`").ReplaceAllString(text, "code")
}

// uncompiled are the Go snippets that stand in none of the examples, by their document and first line, with the reason.
var uncompiled = map[[2]string]string{
	{"docs/testing.md", "package main"}:                                    "examples/tenant runs it as it stands",
	{"docs/testing.md", "options := msgraphsdk.GetDefaultClientOptions()"}: "it needs msgraph-sdk-go, with which only benchmarks is built",
}

// Every Go snippet of the documents stands in a file that is compiled, so that none of them is wrong.
func TestSnippets(t *testing.T) {
	t.Parallel()
	var sources []string
	files, err := filepath.Glob("example*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, layer := range []string{"intunetest", "journalfile", "journalpg", "readiness"} {
		files = append(files, layer+"/example_test.go")
	}
	for _, programs := range []string{"examples", "benchmarks/migration"} {
		err := filepath.WalkDir(programs, func(path string, _ fs.DirEntry, err error) error {
			if filepath.Ext(path) == ".go" {
				files = append(files, path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, file := range files {
		sources = append(sources, flattened(readText(t, file)))
	}

	least := map[string]int{"README.md": 5, "docs/from-msgraph-sdk-go.md": 2, "docs/many.md": 2, "docs/production.md": 8, "docs/testing.md": 6}
	for _, document := range documents(t) {
		snippets := regexp.MustCompile("(?ms)^```go\n(.*?)^```$").FindAllStringSubmatch(readText(t, document), -1)
		if len(snippets) < least[document] {
			t.Errorf("%s: found %d snippets", document, len(snippets))
		}
		for _, snippet := range snippets {
			first, _, _ := strings.Cut(snippet[1], "\n")
			if uncompiled[[2]string{document, first}] == "" && !containsAny(sources, flattened(snippet[1])) {
				t.Errorf("%s: in none of the examples:\n%s", document, snippet[1])
			}
		}
	}
}

func readText(t testing.TB, name string) string {
	t.Helper()
	content, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(content), "\r\n", "\n")
}

// flattened leaves the indents out. It begins with a line break, so that a snippet is found at the begin of a line only.
func flattened(text string) string {
	var b strings.Builder
	b.WriteString("\n")
	for line := range strings.Lines(text) {
		b.WriteString(strings.TrimSpace(line) + "\n")
	}
	return b.String()
}

func containsAny(texts []string, part string) bool {
	for _, text := range texts {
		if strings.Contains(text, part) {
			return true
		}
	}
	return false
}

// The table of docs/retries.md is true of every status: whether the action is sent again, and whether its outcome is
// unknown. A 503 is the service's own or a gateway's; it does not matter to the others who gave them.
func TestRequestRemoteAssistance_RetriesAsDocumented(t *testing.T) {
	t.Parallel()
	section, _, _ := strings.Cut(readText(t, "docs/retries.md"), "\n## ")
	type row struct{ again, unknown bool }
	read := func(cells []string) row {
		return row{again: strings.HasPrefix(cells[2], "yes"), unknown: strings.Contains(cells[3], "`ErrOutcomeUnknown`")}
	}
	named, classes, gateway := map[int]row{}, map[string]row{}, map[int]row{}
	for _, cells := range regexp.MustCompile(`(?m)^\| (.*?) \| (.*?) \| (.*?) \|$`).FindAllStringSubmatch(section, -1) {
		statuses, _, _ := strings.Cut(cells[1], " except ")
		if strings.Contains(statuses, "claims challenge") {
			continue // these are of other answers than those below
		}
		for _, status := range regexp.MustCompile(`\b\d{3}\b`).FindAllString(statuses, -1) {
			number, _ := strconv.Atoi(status)
			if strings.HasPrefix(statuses, "any other ") {
				gateway[number] = read(cells)
				continue
			}
			named[number] = read(cells)
		}
		for _, class := range regexp.MustCompile(`\b\dxx\b`).FindAllString(statuses, -1) {
			classes[class] = read(cells)
		}
	}
	if len(named) < 10 || len(classes) != 3 {
		t.Fatalf("read %v and %v", named, classes)
	}
	if len(gateway) != 1 {
		t.Fatalf("read %v of gateways", gateway)
	}
	for status := 300; status < 600; status++ {
		for from, c := range map[string]struct {
			header http.Header
			body   string
		}{
			"the service, id":   {http.Header{"Request-Id": {"r1"}}, "{}"},
			"the service, code": {nil, `{"error":{"code":"x"}}`},
			"a gateway":         {nil, "{}"},
		} {
			want, ok := named[status]
			if !ok {
				want = classes[strconv.Itoa(status/100)+"xx"]
			}
			if other, ok := gateway[status]; ok && from == "a gateway" {
				want = other
			}
			sent := 0
			client := newClient(t, transportFunc(func(req *http.Request) (*http.Response, error) {
				sent++
				return answer(req, status, c.header.Clone(), c.body), nil
			}))
			_, err := client.RequestRemoteAssistance(t.Context(), intune.Device("1"), nil)
			if got := (row{again: sent > 1, unknown: errors.Is(err, intune.ErrOutcomeUnknown)}); got != want {
				t.Errorf("%d of %s: sent %d times, error %v; docs/retries.md says %+v", status, from, sent, err, want)
			}
		}
	}
}

// documentedCommands are the shell commands of the documents, with the file and the words in it that run each, or with
// the reason why nothing does.
var documentedCommands = map[string]struct{ file, words, notRun string }{
	"bash .ci/run":                                 {notRun: "it is what runs the others"},
	"go test ./...":                                {file: ".ci/run", words: "exec go test -race -shuffle=on ./..."},
	"go test -race -shuffle=on ./...":              {file: ".ci/run", words: "exec go test -race -shuffle=on ./..."},
	"go run ./examples/quickstart":                 {file: ".ci/run", words: "quiet go run ./examples/quickstart"},
	"go run ./examples/tenant":                     {file: "examples/tenant/server_test.go", words: "run(ctx, append("},
	"go run ./examples/tenant -addr :0 -ca ca.pem": {file: "examples/tenant/server_test.go", words: `"-addr", ":0"`},
	"go -C tools mod tidy":                         {file: ".ci/run", words: `go -C "$module" mod tidy -diff`},
	"go list -m all":                               {notRun: "it only looks; .ci/run compares what the library adds to a module graph"},

	"AZURE_SDK_GO_LOGGING=all go run ./examples/quickstart": {file: ".ci/run", words: "AZURE_SDK_GO_LOGGING=all go run ./examples/quickstart"},
	"go test -run '^$' -bench DecodeDevicePage -benchtime 20x -count 3 .": {
		file: ".ci/run", words: "-run '^$' -bench DecodeDevicePage -benchtime 1x .",
	},

	"go test -run='^$' -fuzz='^FuzzName$' -fuzztime=30s -fuzzminimizetime=2s .": {
		file: ".ci/run", words: `-fuzztime="$each" -fuzzminimizetime=2s .`,
	},

	"go run -C tools ./schemadrift -C .. v1.0-Prod.csdl": {
		file: "tools/schemadrift/schemadrift_test.go", words: `file: "testdata/after.csdl"`,
	},

	"curl --cacert ca.pem --json '{\"status\": 429, \"header\": {\"Retry-After\": [\"2\"]}}' https://127.0.0.1:43211/_tenant/fault": {
		file: "examples/tenant/clients_test.go", words: "/_tenant/fault",
	},

	"go -C examples/helpdesk run . connect 8XK42Q3 --demo": {file: "examples/helpdesk/main_test.go", words: `"connect", "8XK42Q3", "-demo"`},
	"go -C examples/helpdesk test ./...":                   {file: ".ci/run", words: `go -C "$module" test -shuffle=on ./...`},

	"go run .":              {notRun: "it builds all peers, which takes ten minutes and five gigabytes"},
	"go run . -only calls":  {notRun: "it builds msgraph-sdk-go"},
	"go run . -only pages":  {notRun: "it builds msgraph-sdk-go on two releases of Go"},
	"go run . -only links":  {file: ".ci/run", words: "exec go test -race -shuffle=on ./..."},
	"go run . -only builds": {notRun: "it builds all peers, which takes minutes and five gigabytes"},
	"go run . -only faults": {notRun: "it builds msgraph-sdk-go"},
	"go test ./compare":     {notRun: "it builds msgraph-sdk-go"},

	"go run ./examples/conformance ... -device ID -i-own-this-device": {
		file: ".ci/run", words: "go run ./examples/conformance -demo -i-own-this-device",
	},
	"go run ./examples/conformance -demo": {file: ".ci/run", words: "go run ./examples/conformance -demo"},
	"go run ./examples/conformance":       {notRun: "it needs a tenant"},
	"go run ./examples/conformance -auth browser -tenant TENANT -client-id APP -report report.txt": {notRun: "it needs a tenant"},
	"go -C examples/service run . -demo": {file: "examples/service/main_test.go", words: `"service", nil, "-demo"`},

	"GOTOOLCHAIN=go1.27.4 go test ./...": {file: ".ci/run", words: "releases=(go1.26.10 go1.27.4)"},

	"go test -run '^$' -bench Journal .": {file: ".ci/run", words: "-run '^$' -bench Journal -benchtime 1x ."},
	"JOURNALPG_SOAK=8m go test -timeout 30m -run CopiesThatDie .": {
		notRun: "it takes many minutes; every run of the tests kills copies for some seconds",
	},
	"go test -run Model -rapid.checks=600 .": {notRun: "it takes a minute; every run of the tests compares some histories"},

	"go test .": {file: ".ci/run", words: `go -C "$module" test -shuffle=on ./...`},
	"SERVICE_LOAD=1000 go test -v -run TestLoad .": {notRun: "it takes minutes; every run of the tests puts a smaller load on the service"},

	"go -C examples/helpdesk install .":                               {notRun: "it puts a program into the user's folder; .ci/run builds it"},
	"go install github.com/go-intune/intune/examples/helpdesk@latest": {notRun: "it needs a published version"},
	"go mod edit -dropreplace=github.com/go-intune/intune -require=github.com/go-intune/intune@vX.Y.Z": {
		notRun: "it needs a published version",
	},
	"go mod tidy && go test ./...": {notRun: "it needs a published version"},
	"git switch --detach vX.Y.Z":   {notRun: "it needs a release"},
	"git commit -am 'helpdesk: release' && git tag examples/helpdesk/vX.Y.Z && git push origin examples/helpdesk/vX.Y.Z": {
		notRun: "it releases",
	},

	"go get github.com/go-intune/intune":            {notRun: "it needs a published version"},
	"go mod init example.com/first":                 {notRun: "it is for a module of the reader's own"},
	"go mod tidy":                                   {notRun: "it is for a module of the reader's own"},
	"git clone https://github.com/go-intune/intune": {notRun: "it needs a network"},
	"go run main.go": {
		notRun: "it needs a tenant; the program is compiled as the example of examples/quickstart/minimal",
	},
	"bash .ci/programs dist vX.Y.Z": {file: ".ci/run", words: `bash .ci/programs "$tmp/programs"`},
	"FUZZTIME=5m bash .ci/run":      {notRun: "it takes more than an hour; .ci/run fuzzes every target for seconds"},
	"SOAK=1 go test -run TestSoak -timeout 60m .": {
		notRun: "it takes many minutes; every run of the tests makes some thousands of its calls",
	},
	"go tool -modfile=tools/go.mod golangci-lint fmt": {notRun: "it changes files; .ci/run runs the linters, which report the same"},
	"go -C tools get -tool <package>@<version>":       {notRun: "it changes the version of a tool"},
}

// Every shell command of the documents is run somewhere, or there is a reason why it is not.
func TestDocumentedCommands(t *testing.T) {
	t.Parallel()
	found := map[string]bool{}
	for _, document := range documents(t) {
		for _, command := range commands(readText(t, document)) {
			found[command] = true
			if _, known := documentedCommands[command]; !known {
				t.Errorf("%s: nothing runs %q", document, command)
			}
		}
	}
	for command, by := range documentedCommands {
		switch {
		case !found[command]:
			t.Errorf("no document has the command %q", command)
		case (by.notRun == "") == (by.file == ""):
			t.Errorf("%q needs a file that runs it, or a reason", command)
		case by.file != "" && !strings.Contains(readText(t, by.file), by.words):
			t.Errorf("%s does not run %q any more: no %q in it", by.file, command, by.words)
		}
	}
	for _, name := range []string{"BenchmarkDecodeDevicePage", "TestSoak"} {
		if problem := checkIdentifier(t, ".", name); problem != "" {
			t.Errorf("a command names %s: %s", name, problem)
		}
	}
}

// commands are the commands among the code of a document: lines of code blocks, and code within a sentence. The name of
// a command of Go alone, and what is left out with …, are no commands.
func commands(text string) []string {
	command := regexp.MustCompile(`^(?:[A-Z_]+=\S+ )*(?:go \S+ .*\S|(?:bash|curl|git|sh|make|npm|docker) .+)$`)
	var list []string
	prose := regexp.MustCompile("(?ms)^```(?:go|js|python|powershell|text|mermaid)\n.*?^```$").ReplaceAllString(text, "")
	for line := range strings.Lines(prose) {
		if code, ok := strings.CutPrefix(line, "    "); ok && command.MatchString(strings.TrimSpace(code)) {
			code, _, _ = strings.Cut(code, " #") // a comment of the shell
			list = append(list, strings.TrimSpace(code))
		}
		for _, code := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(line, -1) {
			if command.MatchString(code[1]) && !strings.Contains(code[1], "…") {
				list = append(list, code[1])
			}
		}
	}
	return list
}

// Version, user agent and changelog agree, so that the version in Microsoft's logs is the one that users read about.
func TestNewClient_VersionIsThatOfTheChangelog(t *testing.T) {
	t.Parallel()
	constant := regexp.MustCompile(`moduleVersion = "(v[^"]+)"`).FindStringSubmatch(readText(t, "version.go"))
	entry := regexp.MustCompile(`(?m)^## (\S+) \((?:Unreleased|\d{4}-\d{2}-\d{2})\)$`).FindStringSubmatch(readText(t, "CHANGELOG.md"))
	if constant == nil || entry == nil {
		t.Fatalf("version.go has %q, the top of CHANGELOG.md %q", constant, entry)
	}
	if constant[1] != "v"+entry[1] {
		t.Errorf("version.go says %s, CHANGELOG.md v%s", constant[1], entry[1])
	}

	var agent string
	client := newClient(t, transportFunc(func(req *http.Request) (*http.Response, error) {
		agent = req.Header.Get("User-Agent")
		return answer(req, http.StatusNoContent, nil, ""), nil
	}))
	if _, err := client.RequestRemoteAssistance(t.Context(), intune.Device("1"), nil); err != nil {
		t.Fatal(err)
	}
	if want := "azsdk-go-intune/" + constant[1] + " "; !strings.HasPrefix(agent, want) {
		t.Errorf("the user agent is %q, want %q first", agent, want)
	}
}
