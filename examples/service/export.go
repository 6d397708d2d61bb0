package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	otelprometheus "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/metric"
	metricnoop "go.opentelemetry.io/otel/metric/noop"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	tracenoop "go.opentelemetry.io/otel/trace/noop"
)

// export is where traces and metrics go: by OTLP over HTTP, if OTEL_EXPORTER_OTLP_ENDPOINT says where to (the other
// variables of OpenTelemetry work too), and metrics to whoever reads the address of -metrics.
type export struct {
	traces trace.TracerProvider
	meters metric.MeterProvider
	ends   []func(context.Context) error // what flush does
	server *http.Server                  // nil without -metrics
	at     net.Addr                      // its address
}

func startExport(ctx context.Context, address string, log *slog.Logger) (*export, error) {
	e := &export{traces: tracenoop.NewTracerProvider(), meters: metricnoop.NewMeterProvider()}
	about, err := resource.New(ctx, resource.WithTelemetrySDK(), resource.WithFromEnv())
	if err != nil {
		return nil, fmt.Errorf("OTEL_RESOURCE_ATTRIBUTES: %w", err)
	}
	options := []sdkmetric.Option{sdkmetric.WithResource(about)}
	if os.Getenv("OTEL_EXPORTER_OTLP_ENDPOINT") != "" {
		spans, err := otlptracehttp.New(ctx)
		if err != nil {
			return nil, fmt.Errorf("OTEL_EXPORTER_OTLP_ENDPOINT: %w", err)
		}
		numbers, err := otlpmetrichttp.New(ctx)
		if err != nil {
			return nil, fmt.Errorf("OTEL_EXPORTER_OTLP_ENDPOINT: %w", err)
		}
		traces := sdktrace.NewTracerProvider(sdktrace.WithBatcher(spans), sdktrace.WithResource(about))
		e.traces, e.ends = traces, append(e.ends, traces.Shutdown)
		options = append(options, sdkmetric.WithReader(sdkmetric.NewPeriodicReader(numbers)))
	}
	if address != "" {
		registry := prometheus.NewRegistry()
		reader, err := otelprometheus.New(otelprometheus.WithRegisterer(registry), otelprometheus.WithoutScopeInfo())
		if err != nil {
			return nil, fmt.Errorf("-metrics: %w", err)
		}
		options = append(options, sdkmetric.WithReader(reader))
		if err := e.serve(ctx, address, registry, log); err != nil {
			return nil, err
		}
	}
	if len(options) > 1 { // there is somebody to read them
		meters := sdkmetric.NewMeterProvider(options...)
		e.meters, e.ends = meters, append(e.ends, meters.Shutdown)
	}
	return e, nil
}

// serve answers GET /metrics on an address of its own, which needs no sign-in and should not be open to everybody.
func (e *export) serve(ctx context.Context, address string, registry *prometheus.Registry, log *slog.Logger) error {
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return fmt.Errorf("-metrics: %w", err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4, Timeout: 10 * time.Second}))
	e.server = &http.Server{
		Handler: mux, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 5 * time.Second, WriteTimeout: 20 * time.Second,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	go func() { _ = e.server.Serve(listener) }() // ends with close
	e.at = listener.Addr()
	log.InfoContext(ctx, "metrics", "address", e.at.String())
	return nil
}

// flush sends what was not sent yet.
func (e *export) flush(ctx context.Context) error {
	var errs []error
	for _, end := range e.ends {
		errs = append(errs, end(ctx))
	}
	return errors.Join(errs...)
}

// close ends the address of -metrics.
func (e *export) close() {
	if e.server != nil {
		_ = e.server.Close()
	}
}
