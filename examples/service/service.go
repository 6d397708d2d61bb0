package main

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
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
	face     face
	issuer   string // of the tenant's tokens
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

	proxies proxies

	journal     string
	journalSize int64 // of the file from which on it is begun anew
	store       store // in place of the journal

	maxWait   time.Duration
	maxWaits  int
	waitAsApp bool // goes on with interrupted waits of people who are not signed in

	shared *pgShared // where copies count what people do, and divide what Intune allows; nil for one copy

	asks   float64 // a second, of all copies together; 0 means asksPerSecond
	log    *slog.Logger
	traces trace.TracerProvider
	meters metric.MeterProvider
}

// graphScope asks for all permissions of Microsoft Graph that the app has consent for.
const graphScope = "https://graph.microsoft.com/.default"

// service is the whole of it.
type service struct {
	handler http.Handler
	face    *face
	desk    *desk
	streams *streams
	health  *health
	lookups *lookups
	paces   *paces
	copies  *copies // nil if there is one only
	unshare func(context.Context) error
	entry   *signIn
	leave   context.CancelFunc // ends the search for the tenant
}

func newService(ctx context.Context, o *settings) (_ *service, err error) {
	sessions := o.store
	if sessions == nil {
		if sessions, err = openFileStore(ctx, o.journal, o.journalSize, o.log); err != nil {
			return nil, err
		}
	}
	defer func() {
		if err != nil {
			_ = sessions.close(ctx) // the error before is the one to show
		}
	}()
	t, err := newTelemetry(o.traces, o.meters)
	if err != nil {
		return nil, err
	}
	var l limits = newMemoryLimits()
	if o.shared != nil {
		l = newPGLimits(o.shared, o.log)
	}
	p := newPaces(cmp.Or(o.asks, asksPerSecond))
	d := newDesk(sessions, o, t, l, p.asks)
	if err := t.watch(o.meters, d); err != nil {
		return nil, err
	}
	h := &health{graph: &graphSeen{}, checks: []*check{{name: "store", ask: sessions.check, log: o.log}}}
	client, err := newGraph(o, &record{sessions, d}, t, h)
	if err != nil {
		return nil, err
	}
	p.waits = client.SetSessionReadsPerSecond
	life, leave := context.WithCancel(context.WithoutCancel(ctx))
	entry := newSignIn(life, o, client, h)
	if d.signedIn, err = whoWaits(o, entry.auth.logins, client.WithCredential); err != nil {
		leave()
		return nil, err
	}
	s := &service{
		face: &o.face, desk: d, streams: newStreams(), health: h, entry: entry, leave: leave, lookups: newLookups(l, p.reads), paces: p,
	}
	if o.shared == nil { // its numbers are times
		s.streams.since = time.Now().UnixMilli()
	}
	if err := s.share(ctx, o); err != nil {
		leave()
		return nil, err
	}
	d.open(ctx)
	s.handler = observed(o, t, guard(o.public, below(o.public.Path, s.routes(entry, o))))
	return s, nil
}

// storeGrace is how long the store may take for what it has not written yet.
const storeGrace = 3 * time.Second

// close ends the service; see [desk.close].
func (s *service) close(ctx context.Context) error {
	s.health.stopping.Store(true)
	left := make(chan error, 1)
	go func() { left <- s.unshare(ctx) }() // the others can have this copy's part while it stops
	s.leave()
	s.desk.close(ctx)
	close(s.streams.ended)
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeGrace)
	defer cancel()
	return errors.Join(<-left, s.desk.store.close(last))
}

// share takes this copy's part of what Intune allows.
func (s *service) share(ctx context.Context, o *settings) error {
	s.unshare = func(context.Context) error { return nil }
	if o.shared == nil {
		return s.paces.setPart(1)
	}
	s.copies = newCopies(newPGCopy(o.shared), s.paces.setPart, o.log)
	s.unshare = s.copies.start(ctx)
	return nil
}

// newGraph makes the client that calls nothing itself: the clients of the technicians are made from it, and share its budget
// of reads.
func newGraph(o *settings, rec *record, t *telemetry, h *health) (*intune.Client, error) {
	options := o.graph()
	options.Journal = rec
	options.PerRetryPolicies = append(slices.Clone(options.PerRetryPolicies), h.graph)
	options.TracingProvider = azotel.NewTracingProvider(t.provider, nil)
	return intune.NewClient(intune.StaticToken(""), options)
}

// newSignIn does not need the tenant to be in reach; see [directory].
func newSignIn(life context.Context, o *settings, client *intune.Client, h *health) *signIn {
	keys := o.keys
	if keys == nil {
		keys = randomKeys()
	}
	o.log.InfoContext(life, "keys", "prints", keys.prints())
	found := newDirectory(life, o.issuer, o.entra, o.log)
	h.checks = append(h.checks, &check{name: "signInKeys", ask: func(context.Context) error { return found.ready() }, log: o.log})
	s := &signIn{
		directory: found,
		oauth: oauth2.Config{
			ClientID: o.clientID, ClientSecret: o.secret, RedirectURL: o.public.JoinPath("/auth/callback").String(),
			Scopes: []string{oidc.ScopeOpenID, "profile", oidc.ScopeOfflineAccess, graphScope},
		},
		verifier: oidc.NewVerifier(o.issuer, found, &oidc.Config{ClientID: o.clientID, SupportedSigningAlgs: []string{oidc.RS256}}),
		tenantID: o.tenantID, transport: o.entra, keys: keys,
		startName: cookieName("sign-in", o.public), chooseName: cookieName("choose", o.public),
		path: o.public.Path + "/", secureOnly: o.public.Scheme == "https",
	}
	identities := makeIdentities(client.WithCredential, s.renew)
	var known logins = newMemoryLogins(identities)
	if o.logins != nil {
		known = o.logins(keys, identities)
	}
	s.auth = &authenticator{
		logins: known, bearers: newBearers(o, s.verifier, found, client.WithCredential), cookie: cookieName("session", o.public),
	}
	return s
}

// cookieName has the prefix that binds a cookie to this host and to TLS, or, where the rest of the host is somebody else's, to
// TLS. Only the demo on loopback is without TLS.
func cookieName(name string, public *url.URL) string {
	switch {
	case public.Scheme != "https":
		return name
	case public.Path != "":
		return "__Secure-" + name
	default:
		return "__Host-" + name
	}
}
