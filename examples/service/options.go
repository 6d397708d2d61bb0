package main

import (
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"
	"time"
)

// options are the flags, and what comes from the environment.
type options struct {
	demo            bool
	listen          string
	public          *url.URL
	journal         string
	journalMiB      int64
	maxWait         time.Duration
	maxWaits        int
	scope           string
	tlsCert, tlsKey string
	keys            *keyRing // nil without -keys-file
	database        pgFlags

	tenantID, clientID, secret string
}

const usage = `service offers remote assistance on Intune devices to a team: an HTTP API and a page.

Try it, without an account:
  service -demo

Run it:
  export AZURE_TENANT_ID=… AZURE_CLIENT_ID=… AZURE_CLIENT_SECRET=…
  service -public https://assist.example.com -listen :8443 \
    -tls-cert cert.pem -tls-key key.pem -journal /var/lib/service/journal.jsonl

Flags:
`

func readOptions(args []string, env func(string) string, talk io.Writer) (*options, error) {
	o := &options{tenantID: env("AZURE_TENANT_ID"), clientID: env("AZURE_CLIENT_ID"), secret: env("AZURE_CLIENT_SECRET")}
	flags := flag.NewFlagSet("service", flag.ContinueOnError)
	flags.SetOutput(talk)
	flags.Usage = func() {
		_, _ = io.WriteString(talk, usage)
		flags.PrintDefaults()
	}
	var public string
	flags.BoolVar(&o.demo, "demo", false, "run on a made-up tenant in memory, with a made-up sign-in page")
	flags.StringVar(&o.listen, "listen", "127.0.0.1:8080", "`address` to listen on")
	flags.StringVar(&public, "public", "", "`URL` at which browsers find the service; its /auth/callback is the app's redirect URI")
	flags.StringVar(&o.journal, "journal", "", "`file` that records who asked for what; keep it like a session cookie")
	flags.Int64Var(&o.journalMiB, "journal-max-size", 64, "`MiB` of the journal after which it is begun anew; 0 for never")
	flags.DurationVar(&o.maxWait, "max-wait", 10*time.Minute, "how long to wait for a link before the technician has to say so again")
	flags.IntVar(&o.maxWaits, "max-waits", 1000, "how many sessions to wait for at once; Intune's limit on reads allows about 1,400")
	flags.StringVar(&o.scope, "scope", "Sessions.Open", "scope of the app's own API that a bearer token needs")
	flags.StringVar(&o.tlsCert, "tls-cert", "", "`file` with the certificate; without it, a proxy has to speak TLS")
	flags.StringVar(&o.tlsKey, "tls-key", "", "`file` with the certificate's key")
	keysFile := flags.String("keys-file", "", "`file` with a secret key a line, the same for all copies: 32 bytes in base64, and a comment;\n"+
		"the first seals, all open; without it, the service makes one that a restart forgets")
	o.database.add(flags)
	if err := errors.Join(flags.Parse(args), o.database.read(env)); err != nil {
		return nil, err
	}
	if *keysFile != "" {
		var err error
		if o.keys, err = readKeys(*keysFile); err != nil {
			return nil, err
		}
	}
	return o, o.check(flags.Args(), public)
}

func (o *options) check(rest []string, public string) error {
	if err := o.database.check(o); err != nil || o.database.onlyMigrate {
		return err
	}
	host, port, err := net.SplitHostPort(o.listen)
	switch {
	case len(rest) > 0:
		return fmt.Errorf("%q is not a flag; service -h lists them", rest[0])
	case err != nil:
		return fmt.Errorf("-listen should be host:port, such as 127.0.0.1:8080: %w", err)
	case o.maxWait < time.Second:
		return errors.New("-max-wait should be a second or more")
	case o.journalMiB < 0:
		return errors.New("-journal-max-size should be 0 or more")
	case o.maxWaits < 1:
		return errors.New("-max-waits should be 1 or more")
	case (o.tlsCert == "") != (o.tlsKey == ""):
		return errors.New("-tls-cert and -tls-key belong together")
	case o.demo && !isLoopback(host):
		return errors.New("-demo signs anybody in, so that -listen has to be a loopback address, such as 127.0.0.1:8080")
	case o.demo && (public != "" || o.tlsCert != ""):
		return errors.New("-demo makes its own address, without -public and -tls-cert")
	case o.demo:
		o.public = &url.URL{Scheme: "http", Host: net.JoinHostPort(host, port)}
		return nil
	case o.journal == "" && o.database.dsn == "":
		return errors.New("-journal should name a file, such as journal.jsonl, or -database a PostgreSQL: without a record, nobody is asked")
	case o.tenantID == "" || o.clientID == "" || o.secret == "":
		return errors.New("AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET should hold the app registration; or use -demo")
	}
	o.public, err = url.Parse(public)
	if err != nil || o.public.Host == "" || o.public.Path != "" || o.public.RawQuery != "" || o.public.User != nil ||
		o.public.Scheme != "https" && (o.public.Scheme != "http" || !isLoopback(o.public.Hostname())) {
		return errors.New("-public should be the address in the browser, https://host or https://host:port, without a path")
	}
	o.public.Host = asBrowsersSend(o.public)
	if o.tlsCert != "" {
		if _, err := tls.LoadX509KeyPair(o.tlsCert, o.tlsKey); err != nil {
			return fmt.Errorf("-tls-cert and -tls-key: %w", err)
		}
	}
	return nil
}

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
