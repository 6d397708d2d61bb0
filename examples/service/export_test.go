package main

import (
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestPrometheusMetrics(t *testing.T) {
	t.Parallel()
	e, err := startExport(t.Context(), "127.0.0.1:0", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer e.close()
	p := newPlace(t, func(o *settings) { o.meters = e.meters })
	device := p.add("LT-1")
	c := p.browser(dana)
	c.begin(device, anyKey)
	c.get("/no/such/page")

	client := &http.Client{Timeout: time.Minute}
	scrape := func(path string) reply {
		response, err := client.Get("http://" + e.at.String() + path)
		if err != nil {
			t.Fatal(err)
		}
		return readReply(t, response)
	}
	got := scrape("/metrics")
	for _, want := range []string{
		`http_server_request_duration_seconds_count{http_request_method="POST",http_response_status_code="201",http_route="/sessions"} 1`,
		"\nassistance_waits ", "\ngo_goroutines ", "\ntarget_info{",
	} {
		if !strings.Contains(got.body, want) {
			t.Errorf("no %q in %s", want, got.body)
		}
	}
	for _, secret := range []string{"anna", "LT-1", "/no/such/page", device.DeviceID()} {
		if strings.Contains(got.body, secret) {
			t.Errorf("%q is in the metrics", secret)
		}
	}
	// The service itself is not there, and the metrics are not on the service.
	if other := scrape("/me"); other.status != http.StatusNotFound {
		t.Errorf("/me on the address of the metrics: %d", other.status)
	}
	c.refused(c.get("/metrics"), kindNotFound)
	if err := e.flush(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestMetricsAddressInUse(t *testing.T) {
	t.Parallel()
	first, err := startExport(t.Context(), "127.0.0.1:0", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer first.close()
	_, err = startExport(t.Context(), first.at.String(), slog.New(slog.DiscardHandler))
	if err == nil || !strings.Contains(err.Error(), "-metrics") {
		t.Errorf("%v", err)
	}
}
