package graphcall_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/go-intune/intune/internal/graphcall"
	"github.com/go-intune/intune/internal/graphtest"
	"github.com/go-intune/intune/internal/odata"
)

func TestAt(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		root, path string
		query      []string
		want       string
		decoded    string // the path as net/url decodes it
	}{
		{root, "/deviceManagement/managedDevices/1", nil, root + "/deviceManagement/managedDevices/1", "/v1.0/deviceManagement/managedDevices/1"},
		{root, "/x", []string{"$select=id", "$filter=a%20eq%20%27b%27"}, root + "/x?$select=id&$filter=a%20eq%20%27b%27", "/v1.0/x"},
		{root, "/users/a%23b/x", nil, root + "/users/a%23b/x", "/v1.0/users/a#b/x"},
		{root, "/users/a%2Fb", nil, root + "/users/a%2Fb", "/v1.0/users/a/b"},
		{root, "/users('$a')/x", nil, root + "/users('$a')/x", "/v1.0/users('$a')/x"},
		{root, "/users('$a%27%27b')/x", []string{"$top=1"}, root + "/users('$a%27%27b')/x?$top=1", "/v1.0/users('$a''b')/x"},
		{"https://gateway.example/a%20b/v1.0", "/x", nil, "https://gateway.example/a%20b/v1.0/x", "/a b/v1.0/x"},
		{"https://gateway.example:8443/v1.0", "/x", nil, "https://gateway.example:8443/v1.0/x", "/v1.0/x"},
	} {
		caller := &graphcall.Caller{Root: parsed(t, c.root)}
		got := caller.At(c.path, c.query...)
		if got.String() != c.want || got.Path != c.decoded {
			t.Errorf("%s, %q: got %s with the path %q, want %s", c.path, c.query, got.String(), got.Path, c.want)
		}
		if caller.Root.String() != c.root {
			t.Errorf("%s: the root became %s", c.path, caller.Root)
		}
	}
}

const (
	notURL    = "it is not a URL"
	elsewhere = "it leads to another host or is not https"
	outside   = "it leads out of the version that this client speaks"
)

var nextLinks = map[string]string{
	root + "/x?$skiptoken=a%27b%2B,+c'd&$top=5":   "",
	root + "/users('$a%27%27b')/x?%24skiptoken=1": "",
	root + "/x?!~":          "",
	root + "/x?a=..&b=/../": "",
	root + "/a%2Fb?":        "",
	root + "/":              "",
	"https://GRAPH.microsoft.com:443/v1.0/x?$skiptoken=1": "",
	"":                                  elsewhere,
	"/v1.0/x":                           elsewhere,
	"//graph.microsoft.com/v1.0/x":      elsewhere,
	"http://graph.microsoft.com/v1.0/x": elsewhere,
	"https:graph.microsoft.com/v1.0/x":  elsewhere,
	"https://graph.microsoft.com:8443/v1.0/x":                   elsewhere,
	"https://graph.microsoft.com.example/v1.0/x":                elsewhere,
	"https://graph.microsoft.com@secret.example/v1.0/x":         elsewhere,
	"https://secret@graph.microsoft.com/v1.0/x":                 elsewhere,
	"https://graph.micro%C5%BFoft.com/v1.0/x":                   elsewhere,
	"https://graph.microsoft.com/beta/x":                        outside,
	"https://graph.microsoft.com/v1.0":                          outside,
	"https://graph.microsoft.com/v1.0x/x":                       outside,
	"https://graph.microsoft.com/V1.0/x":                        outside,
	"https://graph.microsoft.com/v1%2E0/x":                      outside,
	"https://graph.microsoft.com//v1.0/x":                       outside,
	"https://graph.microsoft.com?/v1.0/x":                       outside,
	root + "/../beta/x":                                         outside,
	root + "/./x":                                               outside,
	root + "/x/..":                                              outside,
	root + "/%2e%2e/beta/x":                                     outside,
	root + "/%2E/x":                                             outside,
	root + "/a%2F..%2Fb":                                        outside,
	root + "/x#secret":                                          notURL,
	root + "/x?$skiptoken=secret token":                         notURL,
	root + "/x?$skiptoken=secret\u00e4":                         notURL,
	root + "/x?$skiptoken=secret\u200b":                         notURL,
	root + "/x?$skiptoken=secret\n":                             notURL,
	root + "/x?$skiptoken=secret\x7f":                           notURL,
	root + "/secret%zz":                                         notURL,
	" " + root + "/x":                                           notURL,
	"https://graph.microsoft.com:secret/v1.0/x":                 notURL,
	"https://graph.micro\u017foft.com/v1.0/x?$skiptoken=secret": notURL,
}

func TestNextLink(t *testing.T) {
	t.Parallel()
	caller := &graphcall.Caller{Root: parsed(t, root)}
	for link, problem := range nextLinks {
		target, err := caller.NextLink(link)
		if problem != "" {
			if err == nil || err.Error() != problem {
				t.Errorf("%q: error %v, want %q", link, err, problem)
			}
			if target != (url.URL{}) {
				t.Errorf("%q: got %v with the error", link, &target)
			}
			continue
		}
		if err != nil || target.String() != link {
			t.Errorf("%q: got %s, error %v", link, target.String(), err)
		}
	}
}

// The root may be a gateway's or a server's of a test.
func TestNextLink_OtherRoots(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		root, link string
		ok         bool
	}{
		{"http://127.0.0.1:8080/v1.0", "http://127.0.0.1:8080/v1.0/x", true},
		{"http://127.0.0.1:8080/v1.0", "https://127.0.0.1:8080/v1.0/x", false},
		{"http://127.0.0.1:8080/v1.0", "http://127.0.0.1/v1.0/x", false},
		{"https://gateway.example/a%20b/v1.0", "https://gateway.example/a%20b/v1.0/x", true},
		{"https://gateway.example/a%20b/v1.0", "https://gateway.example/v1.0/x", false},
	} {
		caller := &graphcall.Caller{Root: parsed(t, c.root)}
		if target, err := caller.NextLink(c.link); (err == nil) != c.ok {
			t.Errorf("%s below %s: got %s, error %v", c.link, c.root, target.String(), err)
		}
	}
}

// FuzzNextLink sends a request to every link that is accepted: it goes to the root's host over https, below the root,
// and asks for what the link says.
func FuzzNextLink(f *testing.F) {
	for link := range nextLinks {
		f.Add(link)
	}
	f.Fuzz(func(t *testing.T, link string) {
		var asked *http.Request
		caller := newCaller(t, func(req *http.Request) (*http.Response, error) {
			asked = req
			return graphtest.Answer(req, http.StatusOK, nil, "{}"), nil
		})
		target, err := caller.NextLink(link)
		if err != nil {
			if !slices.Contains([]string{notURL, elsewhere, outside}, err.Error()) {
				t.Fatalf("%q: error %v", link, err)
			}
			return
		}
		if result := caller.Send(t.Context(), &graphcall.Request{URL: target}); !result.OK {
			t.Fatalf("%q: error %v", link, result.Err)
		}
		wire := asked.URL.String()
		host, _, _ := strings.Cut(strings.TrimPrefix(wire, "https://"), "/")
		if host = strings.TrimSuffix(lowerASCII(host), ":"); host != "graph.microsoft.com" && host != "graph.microsoft.com:443" {
			t.Fatalf("%q is sent to %s", link, wire)
		}
		if asked.Host != asked.URL.Host {
			t.Fatalf("%q names the host %q", link, asked.Host)
		}
		if path := asked.URL.EscapedPath(); !strings.HasPrefix(path, "/v1.0/") || odata.HasDotSegment(asked.URL.Path) {
			t.Fatalf("%q asks for %s", link, path)
		}
		// What net/url writes in another way is no URI.
		if !strings.ContainsAny(link, "\\^\"<>{}|`[]#") && behindHost(wire) != behindHost(link) {
			t.Fatalf("%q asks for %s", link, wire)
		}
	})
}

func lowerASCII(text string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, text)
}

func behindHost(link string) string {
	_, rest, _ := strings.Cut(link, "://")
	_, rest, _ = strings.Cut(rest, "/")
	return rest
}
