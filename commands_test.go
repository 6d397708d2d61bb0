package intune_test

import (
	"regexp"
	"strings"
	"testing"
)

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
	"go test -run '^$' -bench DecodeDevicePage -count 5 .":  {file: ".ci/run", words: "-run '^$' -bench DecodeDevicePage -benchtime 1x ."},

	"go test -run='^$' -fuzz='^FuzzName$' -fuzztime=30s -fuzzminimizetime=2s .": {file: ".ci/run", words: `-fuzztime="$each" -fuzzminimizetime=2s .`},

	"go run -C tools ./mutate -C .. -workers 2 -files auth.go,clouds.go": {file: ".ci/run", words: "go run -C tools ./mutate -C .. -list -files auth.go,clouds.go"},
	"go run -C tools ./schemadrift -C .. v1.0-Prod.csdl":                 {file: "tools/schemadrift/schemadrift_test.go", words: `file: "testdata/after.csdl"`},

	"curl --cacert ca.pem --json '{\"status\": 429, \"header\": {\"Retry-After\": [\"2\"]}}' https://127.0.0.1:43211/_tenant/fault": {
		file: "examples/tenant/clients_test.go", words: "/_tenant/fault",
	},

	"go -C examples/helpdesk run . connect 8XK42Q3 --demo": {file: "examples/helpdesk/main_test.go", words: `"connect", "8XK42Q3", "-demo"`},
	"go -C examples/helpdesk test ./...":                   {file: ".ci/run", words: `go -C "$module" test -shuffle=on ./...`},

	"go -C examples/bulk run . -demo": {file: "examples/bulk/main_test.go", words: `p.run("-demo"`},
	"go -C examples/bulk test ./...":  {file: ".ci/run", words: `go -C "$module" test -shuffle=on ./...`},

	"go run .":                    {notRun: "it builds all peers, which takes half an hour and five gigabytes"},
	"go run . -only calls,faults": {notRun: "it builds msgraph-sdk-go"},
	"go test ./compare":           {notRun: "it builds msgraph-sdk-go"},

	"go run ./examples/conformance ... -device ID -i-own-this-device":                              {file: ".ci/run", words: "go run ./examples/conformance -demo -i-own-this-device"},
	"go run ./examples/conformance -demo":                                                          {file: ".ci/run", words: "go run ./examples/conformance -demo"},
	"go run ./examples/conformance":                                                                {notRun: "it needs a tenant"},
	"go run ./examples/conformance -auth browser -tenant TENANT -client-id APP -report report.txt": {notRun: "it needs a tenant"},
	"go -C examples/service run . -demo":                                                           {file: "examples/service/main_test.go", words: `"service", nil, "-demo"`},

	"go test .": {file: ".ci/run", words: `go -C "$module" test -shuffle=on ./...`},
	"SERVICE_LOAD=1000 go test -v -run TestLoad .": {notRun: "it takes minutes; every run of the tests puts a smaller load on the service"},

	"go -C examples/bulk install .":                                                                    {notRun: "it puts a program into the user's folder; .ci/run builds it"},
	"go install github.com/go-intune/intune/examples/bulk@latest":                                      {notRun: "it needs a published version"},
	"go -C examples/helpdesk install .":                                                                {notRun: "it puts a program into the user's folder; .ci/run builds it"},
	"go install github.com/go-intune/intune/examples/helpdesk@latest":                                  {notRun: "it needs a published version"},
	"go mod edit -dropreplace=github.com/go-intune/intune -require=github.com/go-intune/intune@vX.Y.Z": {notRun: "it needs a published version"},
	"go mod tidy && go test ./...":                                                                     {notRun: "it needs a published version"},
	"git switch --detach vX.Y.Z":                                                                       {notRun: "it needs a release"},
	"git commit -am 'helpdesk: release' && git tag examples/helpdesk/vX.Y.Z && git push origin examples/helpdesk/vX.Y.Z": {notRun: "it releases"},

	"go get github.com/go-intune/intune":              {notRun: "it needs a published version"},
	"go mod init example.com/first":                   {notRun: "it is for a module of the reader's own"},
	"go run main.go":                                  {notRun: "it needs a tenant; the program is compiled as the example of examples/quickstart/minimal"},
	"FUZZTIME=5m bash .ci/run":                        {notRun: "it takes two hours; .ci/run fuzzes every target for seconds"},
	"SOAK=1 go test -run TestSoak -timeout 60m .":     {notRun: "it takes many minutes; every run of the tests makes some thousands of its calls"},
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
