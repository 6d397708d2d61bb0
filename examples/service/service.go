package main

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/tracing/azotel"
	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-intune/intune"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"
	"golang.org/x/oauth2"
)

// settings are what a service is made of.
type settings struct {
	public   *url.URL // where browsers find the service
	issuer   string   // of the tenant's tokens
	tenantID string
	clientID string
	secret   string   // of the app; without one, no bearer tokens
	scope    string   // that a bearer token needs
	keys     *keyRing // nil makes one for this process

	// logins keeps the sign-ins; nil keeps them in memory. What it gets makes identities of them.
	logins func(*keyRing, identityMaker) logins

	entra     *http.Client         // to sign in with
	authority azcore.ClientOptions // to exchange bearer tokens with
	graph     func() *intune.ClientOptions

	journal  string
	maxWait  time.Duration
	maxWaits int
	log      *slog.Logger
	traces   trace.TracerProvider
	meters   metric.MeterProvider
}

// graphScope asks for all permissions of Microsoft Graph that the app has consent for.
const graphScope = "https://graph.microsoft.com/.default"

// service is the whole of it.
type service struct {
	handler http.Handler
	desk    *desk
	streams *streams
	record  *record
	entry   *signIn
	leave   context.CancelFunc // ends the search for the tenant
}

func newService(ctx context.Context, o *settings) (_ *service, err error) {
	rec, err := openRecord(o.journal)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			_ = rec.close() // the error before is the one to show
		}
	}()
	t, err := newTelemetry(o.traces, o.meters)
	if err != nil {
		return nil, err
	}
	d := newDesk(rec, o.log, t, o.maxWait, o.maxWaits)
	if err := d.replay(io.NewSectionReader(rec.file, 0, 1<<62), time.Now()); err != nil {
		return nil, err
	}
	if err := t.watch(o.meters, d); err != nil {
		return nil, err
	}
	life, leave := context.WithCancel(context.WithoutCancel(ctx))
	entry, err := newSignIn(life, o, rec, t)
	if err != nil {
		leave()
		return nil, err
	}
	s := &service{desk: d, streams: newStreams(), record: rec, entry: entry, leave: leave}
	s.handler = atHome(o.public, observed(o.log, t, guard(o.public, s.routes(entry, o.log))))
	return s, nil
}

// close ends the service; see [desk.close].
func (s *service) close(ctx context.Context) error {
	s.leave()
	s.desk.close(ctx)
	close(s.streams.ended)
	return s.record.close()
}

// newSignIn does not need the tenant to be in reach; see [directory].
func newSignIn(life context.Context, o *settings, rec *record, t *telemetry) (*signIn, error) {
	options := o.graph()
	options.Journal = rec
	options.TracingProvider = azotel.NewTracingProvider(t.provider, nil)
	// It calls nothing itself: the clients of the technicians are made from it, and share its budget of reads.
	client, err := intune.NewClient(intune.StaticToken(""), options)
	if err != nil {
		return nil, err
	}
	keys := o.keys
	if keys == nil {
		keys = randomKeys()
	}
	o.log.InfoContext(life, "keys", "prints", keys.prints())
	secure := o.public.Scheme == "https"
	found := newDirectory(life, o.issuer, o.entra, o.log)
	s := &signIn{
		directory: found,
		oauth: oauth2.Config{
			ClientID: o.clientID, ClientSecret: o.secret, RedirectURL: o.public.JoinPath("/auth/callback").String(),
			Scopes: []string{oidc.ScopeOpenID, "profile", oidc.ScopeOfflineAccess, graphScope},
		},
		verifier: oidc.NewVerifier(o.issuer, found, &oidc.Config{ClientID: o.clientID, SupportedSigningAlgs: []string{oidc.RS256}}),
		tenantID: o.tenantID, transport: o.entra, keys: keys,
		startName: cookieName("sign-in", secure), chooseName: cookieName("choose", secure), secureOnly: secure,
	}
	identities := makeIdentities(client.WithCredential, s.renew)
	var known logins = newMemoryLogins(identities)
	if o.logins != nil {
		known = o.logins(keys, identities)
	}
	s.auth = &authenticator{
		logins: known, bearers: newBearers(o, s.verifier, found, client.WithCredential), cookie: cookieName("session", secure),
	}
	return s, nil
}

// cookieName has the prefix that binds a cookie to this host and to TLS. Only the demo on loopback is without TLS.
func cookieName(name string, secure bool) string {
	if secure {
		return "__Host-" + name
	}
	return name
}
