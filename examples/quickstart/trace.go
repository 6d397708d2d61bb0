package main

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
)

// trace prints what is sent and what comes back: an azcore policy, as any program can add one. It prints no header and no
// body, where tokens and links are.
type trace struct {
	mu  sync.Mutex // some requests are sent at the same time
	out io.Writer
}

// Do implements policy.Policy.
func (t *trace) Do(req *policy.Request) (*http.Response, error) {
	raw := req.Raw()
	t.printf("    > %s %s%s\n", raw.Method, raw.URL.EscapedPath(), optionNames(raw.URL.RawQuery))
	resp, err := req.Next()
	if err != nil {
		t.printf("    < no answer\n")
		return resp, err
	}
	t.printf("    < %d %s\n", resp.StatusCode, http.StatusText(resp.StatusCode))
	return resp, nil
}

func (t *trace) printf(format string, values ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	printf(t.out, format, values...)
}

// optionNames leaves the values out of a query: those of a filter may be names of people.
func optionNames(query string) string {
	if query == "" {
		return ""
	}
	var names []string
	for option := range strings.SplitSeq(query, "&") {
		name, _, _ := strings.Cut(option, "=")
		names = append(names, name+"=…")
	}
	return "?" + strings.Join(names, "&")
}

// printf writes without looking; run looks whether it worked.
func printf(out io.Writer, format string, values ...any) {
	_, _ = fmt.Fprintf(out, format, values...)
}
