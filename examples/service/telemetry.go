package main

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

const scopeName = "github.com/go-intune/intune/examples/service"

// telemetry are the spans and measurements of the service. None of them holds an id of a session, a name, or a link.
type telemetry struct {
	provider trace.TracerProvider
	tracer   trace.Tracer
	context  propagation.TextMapPropagator

	requests metric.Float64Histogram
	sessions metric.Int64Counter
	toLink   metric.Float64Histogram
}

func newTelemetry(traces trace.TracerProvider, meters metric.MeterProvider) (*telemetry, error) {
	t := &telemetry{provider: traces, tracer: traces.Tracer(scopeName), context: propagation.TraceContext{}}
	meter := meters.Meter(scopeName)
	var err error
	if t.requests, err = meter.Float64Histogram("http.server.request.duration", metric.WithUnit("s"),
		metric.WithDescription("Duration of the service's answers.")); err != nil {
		return nil, fmt.Errorf("metrics: %w", err)
	}
	if t.sessions, err = meter.Int64Counter("assistance.sessions", metric.WithUnit("{session}"),
		metric.WithDescription("Sessions by what became of them.")); err != nil {
		return nil, fmt.Errorf("metrics: %w", err)
	}
	if t.toLink, err = meter.Float64Histogram("assistance.time_to_link", metric.WithUnit("s"),
		metric.WithDescription("Time from the request to its link."),
		metric.WithExplicitBucketBoundaries(2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600)); err != nil {
		return nil, fmt.Errorf("metrics: %w", err)
	}
	return t, nil
}

// watch measures how many sessions are waited for, whenever somebody reads the metrics.
func (t *telemetry) watch(meters metric.MeterProvider, d *desk) error {
	_, err := meters.Meter(scopeName).Int64ObservableGauge("assistance.waits", metric.WithUnit("{session}"),
		metric.WithDescription("Sessions that are waited for now."),
		metric.WithInt64Callback(func(_ context.Context, o metric.Int64Observer) error {
			o.Observe(int64(d.waitingNow()))
			return nil
		}))
	if err != nil {
		return fmt.Errorf("metrics: %w", err)
	}
	return nil
}

func (d *desk) waitingNow() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.waiting
}

// request begins the span of a request, as a child of the caller's if there is one.
func (t *telemetry) request(
	ctx context.Context, r *http.Request,
) (context.Context, func(method, route string, status int, took time.Duration)) {
	ctx = t.context.Extract(ctx, propagation.HeaderCarrier(r.Header))
	ctx, span := t.tracer.Start(ctx, methodOf(r), trace.WithSpanKind(trace.SpanKindServer))
	return ctx, func(method, route string, status int, took time.Duration) {
		attributes := []attribute.KeyValue{
			attribute.String("http.request.method", method), attribute.String("http.route", route),
			attribute.Int("http.response.status_code", status),
		}
		span.SetName(method + " " + route)
		span.SetAttributes(attributes...)
		if status >= http.StatusInternalServerError {
			span.SetStatus(codes.Error, "")
		}
		span.End()
		t.requests.Record(ctx, took.Seconds(), metric.WithAttributes(attributes...))
	}
}

// ended counts what became of a session, or of one wait for it.
func (t *telemetry) ended(ctx context.Context, outcome state) {
	t.sessions.Add(ctx, 1, metric.WithAttributes(attribute.String("assistance.outcome", string(outcome))))
}

func (t *telemetry) linkCame(ctx context.Context, after time.Duration) {
	t.toLink.Record(ctx, after.Seconds())
}
