package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/go-intune/intune"
)

// serve runs the service until the context ends, and then ends it in order.
func serve(ctx context.Context, o *options, log *slog.Logger, talk io.Writer) error {
	telemetry, err := startExport(ctx, o.metrics, log)
	if err != nil {
		return err
	}
	defer telemetry.close()
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", o.listen)
	if err != nil {
		return fmt.Errorf("-listen: %w", err)
	}
	defer listener.Close()
	s := &settings{
		public: o.public, face: o.face, journal: o.journal, journalSize: o.journalMiB << 20,
		maxWait: o.maxWait, maxWaits: o.maxWaits, waitAsApp: o.waitAsApp, scope: o.scope,
		proxies: o.proxies, keys: o.keys,
		log: log, traces: telemetry.traces, meters: telemetry.meters,
	}
	if s.public == nil { // -listen may leave the port to the system
		s.public = &url.URL{Scheme: "http", Host: listener.Addr().String()}
		if o.tlsCert != "" {
			s.public.Scheme = "https"
		}
	}
	with := func(h http.Handler) http.Handler { return h }
	if o.demo {
		var end func()
		if with, end, err = demo(s); err != nil {
			return err
		}
		defer end()
	} else {
		s.useEntra(o)
	}
	if o.database.dsn != "" {
		if err := s.usePostgres(ctx, &o.database); err != nil {
			return err
		}
	}
	service, err := newService(ctx, s)
	if err != nil {
		return err
	}
	service.handler = with(service.handler)
	log.InfoContext(ctx, "listening", "address", listener.Addr().String(), "public", s.public.String())
	_, _ = fmt.Fprintf(talk, "service: open %s (listening on %s; Ctrl-C ends it)\n", s.public, listener.Addr())
	if o.demo {
		_, _ = fmt.Fprintln(talk, "service: the demo signs in whoever reaches it, as anybody, without a password")
	}
	return errors.Join(serveUntil(ctx, service, listener, o, log, talk), flushWithin(ctx, telemetry.flush))
}

// useEntra is for a real tenant of the public cloud.
func (s *settings) useEntra(o *options) {
	const authority = "https://login.microsoftonline.com/"
	s.tenantID, s.clientID, s.secret = o.tenantID, o.clientID, o.secret
	s.issuer = authority + url.PathEscape(o.tenantID) + "/v2.0"
	s.entra = &http.Client{Timeout: 30 * time.Second}
	s.authority = azcore.ClientOptions{Cloud: intune.CloudPublic}
	s.graph = func() *intune.ClientOptions { return &intune.ClientOptions{} }
}

const (
	// closeWithin is more than askGrace; orchestrators often kill after 30 seconds.
	closeWithin = 25 * time.Second
	// flushGrace is how long the rest of the traces and metrics may take.
	flushGrace = 3 * time.Second
	// stopWithin is how long the whole end of the service takes at most.
	stopWithin = closeWithin + flushGrace
	tidyEvery  = time.Minute
)

// serveUntil serves until the context ends.
func serveUntil(ctx context.Context, s *service, listener net.Listener, o *options, log *slog.Logger, talk io.Writer) error {
	server := &http.Server{
		Handler: s.handler, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 15 * time.Second, WriteTimeout: time.Minute,
		IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 32 << 10,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug), // what scanners do to a listener is no news
	}
	failed := make(chan error, 1)
	go func() {
		if o.tlsCert != "" {
			failed <- server.ServeTLS(listener, o.tlsCert, o.tlsKey)
			return
		}
		failed <- server.Serve(listener)
	}()
	tidy := time.NewTicker(tidyEvery)
	defer tidy.Stop()
	var err error
	for running := true; running; {
		select {
		case <-tidy.C:
			s.desk.limits.tidy(ctx)
		case err = <-failed:
			running = false
		case <-ctx.Done():
			running = false
		}
	}
	_, _ = fmt.Fprintln(talk, "service: stopping; requests on their way are finished first")
	closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeWithin)
	defer cancel()
	err = errors.Join(err, s.close(closing))
	if server.Shutdown(closing) != nil { // somebody does not read an answer, which is no failure of the service
		log.WarnContext(closing, "connections that did not end in time are cut")
		err = errors.Join(err, server.Close())
	}
	return err
}

func flushWithin(ctx context.Context, flush func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushGrace)
	defer cancel()
	return flush(ctx)
}
