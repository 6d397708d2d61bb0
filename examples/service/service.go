package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
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
	secret   string // of the app; without one, no bearer tokens
	scope    string // that a bearer token needs

	entra     *http.Client         // to sign in with
	authority azcore.ClientOptions // to exchange bearer tokens with
	graph     func() *intune.ClientOptions

	journal  string
	maxWait  time.Duration
	maxWaits int

	// db is where copies count what people do, and divide what Intune allows; nil is for a service of one copy. schema is
	// that of its tables, quoted.
	db     *sql.DB
	schema string

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
	desk    *desk
	streams *streams
	record  *record
	lookups *lookups
	paces   *paces
	copies  *copies // nil if there is one only
	unshare func(context.Context) error
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
	client, err := newGraph(o, rec, t)
	if err != nil {
		return nil, err
	}
	p := newPaces(cmp.Or(o.asks, asksPerSecond), client.SetSessionReadsPerSecond)
	var l limits = newMemoryLimits()
	if o.db != nil {
		l = newPGLimits(o.db, o.schema, o.log)
	}
	d := newDesk(rec, o.log, t, o, l, p.asks)
	if err := d.replay(io.NewSectionReader(rec.file, 0, 1<<62), time.Now()); err != nil {
		return nil, err
	}
	if err := t.watch(o.meters, d); err != nil {
		return nil, err
	}
	entry, err := newSignIn(ctx, o, client)
	if err != nil {
		return nil, err
	}
	s := &service{desk: d, streams: newStreams(), record: rec, lookups: newLookups(l, p.reads), paces: p}
	if err := s.share(ctx, o); err != nil {
		return nil, err
	}
	s.handler = observed(o.log, t, guard(o.public, s.routes(entry, o.log)))
	return s, nil
}

// close ends the service; see [desk.close].
func (s *service) close(ctx context.Context) error {
	s.desk.close(ctx)
	close(s.streams.ended)
	return errors.Join(s.unshare(ctx), s.record.close())
}

// share takes this copy's part of what Intune allows.
func (s *service) share(ctx context.Context, o *settings) error {
	s.unshare = func(context.Context) error { return nil }
	if o.db == nil {
		return s.paces.setPart(1)
	}
	s.copies = newCopies(newPGCopy(o.db, o.schema), s.paces.setPart, o.log)
	s.unshare = s.copies.start(ctx)
	return nil
}

// newGraph makes the client that calls nothing itself: the clients of the technicians are made from it, and share its budget
// of reads.
func newGraph(o *settings, rec *record, t *telemetry) (*intune.Client, error) {
	options := o.graph()
	options.Journal = rec
	options.TracingProvider = azotel.NewTracingProvider(t.provider, nil)
	return intune.NewClient(intune.StaticToken(""), options)
}

func newSignIn(ctx context.Context, o *settings, client *intune.Client) (*signIn, error) {
	provider, err := oidc.NewProvider(oidc.ClientContext(ctx, o.entra), o.issuer)
	if err != nil {
		return nil, fmt.Errorf("the sign-in page of the tenant cannot be found at %s: %w", o.issuer, err)
	}
	verifier := provider.Verifier(&oidc.Config{ClientID: o.clientID})
	secure := o.public.Scheme == "https"
	b := &bearers{
		verifier: verifier, transport: o.entra, tenantID: o.tenantID, scope: o.scope, newClient: client.WithCredential,
		known: map[[sha256.Size]byte]bearer{},
	}
	if o.secret != "" {
		b.onBehalfOf = func(token string) (azcore.TokenCredential, error) {
			return azidentity.NewOnBehalfOfCredentialWithSecret(o.tenantID, o.clientID, token, o.secret,
				&azidentity.OnBehalfOfCredentialOptions{ClientOptions: o.authority, DisableInstanceDiscovery: true})
		}
	}
	return &signIn{
		auth: &authenticator{logins: newLogins(), bearers: b, cookie: cookieName("session", secure)},
		oauth: oauth2.Config{
			ClientID: o.clientID, ClientSecret: o.secret, Endpoint: provider.Endpoint(),
			RedirectURL: o.public.JoinPath("/auth/callback").String(),
			Scopes:      []string{oidc.ScopeOpenID, "profile", oidc.ScopeOfflineAccess, graphScope},
		},
		verifier: verifier, tenantID: o.tenantID, transport: o.entra, newClient: client.WithCredential,
		startName: cookieName("sign-in", secure), secureOnly: secure,
	}, nil
}

// cookieName has the prefix that binds a cookie to this host and to TLS. Only the demo on loopback is without TLS.
func cookieName(name string, secure bool) string {
	if secure {
		return "__Host-" + name
	}
	return name
}
