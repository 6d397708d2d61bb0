package main

import (
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"regexp"
	"strings"
	"time"
)

// options are the flags, and what comes from the environment.
type options struct {
	demo            bool
	listen          string
	public          *url.URL // its path is the prefix of all addresses, without a slash at the end; nil for the demo's own
	journal         string
	journalMiB      int64
	maxWait         time.Duration
	maxWaits        int
	waitAsApp       bool
	scope           string
	tlsCert, tlsKey string
	metrics         string
	logLevel        slog.Level
	proxies         proxies
	keys            *keyRing // nil without -keys-file
	face            face
	database        pgFlags

	tenantID, clientID, secret string
}

const usage = `service offers remote assistance on Intune devices to a team: an HTTP API and a page.

Try it, without an account:
  service -demo

Run it:
  export AZURE_TENANT_ID=… AZURE_CLIENT_ID=… AZURE_CLIENT_SECRET_FILE=/etc/service/client-secret
  service -public https://assist.example.com -listen :8443 \
    -tls-cert cert.pem -tls-key key.pem -journal /var/lib/service/journal.jsonl

Secrets are read once, at the start: AZURE_CLIENT_SECRET, or AZURE_CLIENT_SECRET_FILE, which names a file.

Flags:
`

// texts are flags as they were given, before they are checked.
type texts struct{ public, proxies, pattern, keys, name, contact, logo string }

func readOptions(args []string, env func(string) string, talk io.Writer) (*options, error) {
	o, given := &options{tenantID: env("AZURE_TENANT_ID"), clientID: env("AZURE_CLIENT_ID")}, &texts{}
	flags := flag.NewFlagSet("service", flag.ContinueOnError)
	flags.SetOutput(talk)
	flags.Usage = func() {
		_, _ = io.WriteString(talk, usage)
		flags.PrintDefaults()
	}
	flags.BoolVar(&o.demo, "demo", false, "run on a made-up tenant in memory, with a made-up sign-in page that lets anybody in")
	flags.StringVar(&o.listen, "listen", "127.0.0.1:8080", "`address` to listen on")
	flags.StringVar(&given.public, "public", "",
		"`URL` at which browsers find the service; with a path, a proxy passes that path on as it is;\n"+
			"the app's redirect URI is the URL and /auth/callback")
	flags.StringVar(&o.journal, "journal", "", "`file` that records who asked for what; keep it like a session cookie")
	flags.Int64Var(&o.journalMiB, "journal-max-size", 64, "`MiB` of the journal after which it is begun anew; 0 for never")
	flags.DurationVar(&o.maxWait, "max-wait", 10*time.Minute, "how long to wait for a link before the technician has to say so again")
	flags.IntVar(&o.maxWaits, "max-waits", 1000, "how many sessions to wait for at once; all together are read 25 times a second")
	flags.BoolVar(&o.waitAsApp, "wait-as-app", false,
		"go on with a wait whose process has ended although its technician is not signed in, with the\n"+
			"application permission DeviceManagementManagedDevices.Read.All of the app")
	flags.StringVar(&o.scope, "scope", "Sessions.Open", "scope of the app's own API that a bearer token needs")
	flags.StringVar(&o.tlsCert, "tls-cert", "", "`file` with the certificate; without it, a proxy has to speak TLS")
	flags.StringVar(&o.tlsKey, "tls-key", "", "`file` with the certificate's key")
	flags.StringVar(&given.proxies, "trusted-proxy", "",
		"`networks` of the proxies in front, such as 10.0.0.0/24,127.0.0.1: what they say of the client's address goes to the log")
	flags.StringVar(&o.proxies.header, "proxy-header", "X-Forwarded-For", "`header` in which they say it: X-Forwarded-For or Forwarded")
	flags.StringVar(&o.metrics, "metrics", "", "`address` to serve Prometheus metrics on, at /metrics, such as 127.0.0.1:9090")
	flags.TextVar(&o.logLevel, "log-level", slog.LevelInfo, "`level` from which on things are logged: debug, info, warn, error")
	flags.BoolVar(&o.face.references.Required, "require-reference", false,
		"refuse requests without a reference, such as the number of a ticket")
	flags.StringVar(&o.face.references.Label, "reference-label", "Ticket", "`word` for what a request refers to")
	flags.StringVar(&given.pattern, "reference-pattern", "",
		"regular `expression` (RE2) that a whole reference has to match, such as INC[0-9]{7}")
	flags.StringVar(&given.keys, "keys-file", "",
		"`file` with a secret key a line, the same for all copies: 32 bytes in base64, and a comment;\n"+
			"the first seals, all open; without it, the service makes one that a restart forgets")
	flags.StringVar(&given.name, "desk-name", "", "`name` of the help desk, on the page")
	flags.StringVar(&given.contact, "desk-contact", "", "whom technicians ask: a text, or an address that begins with mailto: or https:")
	flags.StringVar(&given.logo, "desk-logo", "", "`file` of the help desk's logo, SVG or PNG")
	o.database.add(flags)
	if err := errors.Join(flags.Parse(args), o.database.read(env)); err != nil {
		return nil, err
	}
	if len(flags.Args()) > 0 {
		return nil, fmt.Errorf("%q is not a flag; service -h lists them", flags.Args()[0])
	}
	var err error
	if o.secret, err = readSecret(env, "AZURE_CLIENT_SECRET"); err != nil {
		return nil, err
	}
	if given.keys != "" {
		if o.keys, err = readKeys(given.keys); err != nil {
			return nil, err
		}
	}
	if err := o.face.read(given.name, given.contact, given.logo); err != nil {
		return nil, err
	}
	if o.database.onlyMigrate {
		return o, o.database.check(o)
	}
	return o, errors.Join(o.check(), o.checkTexts(given))
}

func (o *options) check() error {
	if err := o.database.check(o); err != nil {
		return err
	}
	host, _, err := net.SplitHostPort(o.listen)
	switch {
	case err != nil:
		return fmt.Errorf("-listen should be host:port, such as 127.0.0.1:8080: %w", err)
	case o.maxWait < time.Second:
		return errors.New("-max-wait should be a second or more")
	case o.journalMiB < 0 || o.journalMiB > 1<<20:
		return errors.New("-journal-max-size should be 0 to 1048576")
	case o.maxWaits < 1:
		return errors.New("-max-waits should be 1 or more")
	case (o.tlsCert == "") != (o.tlsKey == ""):
		return errors.New("-tls-cert and -tls-key belong together")
	case o.demo && !isLoopback(host):
		return errors.New("-demo signs anybody in, so that -listen has to be a loopback address, such as 127.0.0.1:8080")
	case o.demo:
	case o.journal == "" && o.database.dsn == "":
		return errors.New("-journal should name a file, such as journal.jsonl, or -database a PostgreSQL: without a record, nobody is asked")
	case o.tenantID == "" || o.clientID == "" || o.secret == "":
		return errors.New("AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET (or AZURE_CLIENT_SECRET_FILE) should hold the app " +
			"registration; or use -demo")
	case !isGUID(o.tenantID): // with a domain, the issuer of the tokens would be another than the one asked for
		return errors.New("AZURE_TENANT_ID should be the tenant's GUID, not a domain, such as 6b8f1f6c-3f0e-4d4b-9a39-1d8c5f7e2a10")
	}
	if o.metrics != "" {
		if _, _, err := net.SplitHostPort(o.metrics); err != nil {
			return fmt.Errorf("-metrics should be host:port, such as 127.0.0.1:9090: %w", err)
		}
	}
	if o.tlsCert != "" {
		if _, err := tls.LoadX509KeyPair(o.tlsCert, o.tlsKey); err != nil {
			return fmt.Errorf("-tls-cert and -tls-key: %w", err)
		}
	}
	return nil
}

// checkTexts reads the flags that have a form of their own.
func (o *options) checkTexts(given *texts) (err error) {
	if given.public != "" || !o.demo {
		if o.public, err = readPublic(given.public); err != nil {
			return err
		}
	}
	if err := o.proxies.read(given.proxies); err != nil {
		return err
	}
	return o.face.references.read(given.pattern)
}

// readPublic is the address in the browser. A path is the prefix of all addresses; only plain paths have one spelling.
func readPublic(text string) (*url.URL, error) {
	public, err := url.Parse(strings.TrimSuffix(text, "/"))
	if err != nil || !hostForm.MatchString(public.Host) || public.RawQuery != "" || public.ForceQuery ||
		public.Fragment != "" || public.User != nil || !prefixForm.MatchString(public.EscapedPath()) ||
		public.Scheme != "https" && (public.Scheme != "http" || !isLoopback(public.Hostname())) {
		return nil, errors.New("-public should be the address in the browser, https://host, https://host:port or https://host/path, " +
			"with a path of letters, digits, - and _, and other letters in the host as xn--")
	}
	public.Host = asBrowsersSend(public)
	return public, nil
}

var (
	prefixForm = regexp.MustCompile(`^(/[A-Za-z0-9_-]+)*$`)
	hostForm   = regexp.MustCompile(`^([A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]+)?$`) // what browsers send in the header Host
)

// asBrowsersSend is the host of an address as the header Host has it: in lower case, and without the port of the scheme.
func asBrowsersSend(address *url.URL) string {
	host := strings.ToLower(address.Host)
	usual := map[string]string{"https": ":443", "http": ":80"}[address.Scheme]
	return strings.TrimSuffix(host, usual)
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
