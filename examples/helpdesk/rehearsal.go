package main

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/go-intune/intune"
	"github.com/spf13/pflag"
)

// rehearsal is a stand-in for Microsoft Graph, and for Entra where the sign-in is rehearsed too: the program
// examples/tenant. It has to be on this machine, because nobody should be talked into sending a token elsewhere.
type rehearsal struct {
	graph, authority, ca string

	roots *x509.CertPool
}

func (r *rehearsal) register(flags *pflag.FlagSet) {
	flags.StringVar(&r.graph, "graph", "", "rehearse: `URL` of examples/tenant on this machine; no sign-in, unless --authority is given")
	flags.StringVar(&r.authority, "authority", "", "rehearse the sign-in too, mostly at the same `URL`")
	flags.StringVar(&r.ca, "ca", "", "certificate `file` of the rehearsal, which examples/tenant prints")
}

// on reports whether this is a rehearsal.
func (r *rehearsal) on() bool { return r.graph != "" }

// check reads what the flags say.
func (r *rehearsal) check() error {
	if !r.on() {
		if r.authority != "" || r.ca != "" {
			return failed(exitUsage, "--authority and --ca belong to a rehearsal; give --graph too, or leave them out")
		}
		return nil
	}
	for _, flag := range []struct {
		name string
		root *string
	}{{"--graph", &r.graph}, {"--authority", &r.authority}} {
		if *flag.root == "" {
			continue
		}
		u, err := url.Parse(*flag.root)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || !isLoopback(u.Hostname()) {
			return failed(exitUsage, "%s is for a rehearsal on this machine, at an address such as https://127.0.0.1:8443; "+
				"for a cloud of Microsoft there is --cloud", flag.name)
		}
		*flag.root = strings.TrimRight(*flag.root, "/")
	}
	if strings.HasPrefix(r.authority, "http://") {
		return failed(exitUsage, "--authority must begin with https://, which the sign-in insists on; run examples/tenant without -http")
	}
	return r.readCA()
}

func (r *rehearsal) readCA() error {
	if r.ca == "" {
		return nil
	}
	pem, err := os.ReadFile(r.ca)
	if err != nil {
		return failed(exitUsage, "--ca cannot be read: %v", err)
	}
	r.roots = x509.NewCertPool()
	if !r.roots.AppendCertsFromPEM(pem) {
		return failed(exitUsage, "--ca %s holds no certificate; examples/tenant prints which file it is", r.ca)
	}
	return nil
}

func isLoopback(host string) bool {
	return strings.EqualFold(host, "localhost") || net.ParseIP(host).IsLoopback()
}

// fileName begins the names of the files of a rehearsal, which are never those of the real thing.
func (r *rehearsal) fileName() string {
	host := r.graph
	if u, err := url.Parse(r.graph); err == nil {
		host = u.Host
	}
	plain := func(c rune) rune {
		if c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '.' {
			return c
		}
		return '-'
	}
	return "rehearsal-" + strings.Trim(strings.Map(plain, strings.ToLower(host)), "-")
}

// apply points the options at the stand-in.
func (r *rehearsal) apply(o azcore.ClientOptions) azcore.ClientOptions {
	if !r.on() {
		return o
	}
	o = atStandIn(o, r.graph, r.authority)
	if r.roots != nil {
		o.Transport = &http.Client{Transport: &http.Transport{
			ForceAttemptHTTP2: true,
			TLSClientConfig:   &tls.Config{RootCAs: r.roots, MinVersion: tls.VersionTLS12},
		}}
	}
	return o
}

// atStandIn points the options at stand-ins for Graph and Entra.
func atStandIn(o azcore.ClientOptions, graph, authority string) azcore.ClientOptions {
	o.Cloud = cloud.Configuration{
		ActiveDirectoryAuthorityHost: authority,
		Services: map[cloud.ServiceName]cloud.ServiceConfiguration{
			intune.ServiceGraph: {Endpoint: graph, Audience: "https://graph.microsoft.com"},
		},
	}
	o.InsecureAllowCredentialWithHTTP = strings.HasPrefix(graph, "http://")
	return o
}

// sayRehearsal says that nothing is real, and where the record of it is. It refuses the record of the real thing.
func (a *app) sayRehearsal() error {
	name, err := a.journalName()
	if err != nil {
		a.warn("rehearsal at %s: nobody is really asked", a.connection.rehearsal.graph)
		return nil //nolint:nilerr // those who need a record say so themselves
	}
	if a.journal != "" {
		real, err := a.realJournal()
		if err == nil && sameFile(name, real) {
			return failed(exitUsage, "--journal %s is the record of real requests; a rehearsal keeps its own, so leave the flag out", a.journal)
		}
	}
	a.warn("rehearsal at %s: nobody is really asked; its own record is %s", a.connection.rehearsal.graph, belowHome(name))
	return nil
}

// belowHome shortens a path for a person, as shells do.
func belowHome(name string) string {
	home, err := os.UserHomeDir()
	if rest, ok := strings.CutPrefix(name, home+string(filepath.Separator)); err == nil && ok && runtime.GOOS != "windows" {
		return "~/" + rest
	}
	return name
}
