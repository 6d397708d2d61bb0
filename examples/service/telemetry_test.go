package main

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

func TestTracesAndMetrics(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		device := p.add("LT-1")
		c := p.browser(dana)
		const trace = "4bf92f3577b34da6a3ce929d0e0e4736"
		c.header.Set("Traceparent", "00-"+trace+"-00f067aa0ba902b7-01")
		id := c.begin(device, anyKey).ID
		time.Sleep(time.Minute)
		c.post("/sessions/"+id+"/link", "")
		c.get("/no/such/page")

		names := map[string]bool{}
		var all strings.Builder
		for _, span := range p.spans.Ended() {
			if span.SpanContext().TraceID().String() == trace {
				names[span.Name()] = true
			}
			fmt.Fprint(&all, span.Name(), span.Attributes(), span.Events())
		}
		for _, want := range []string{"POST /sessions", "Client.OpenRemoteAssistance", "POST /sessions/{id}/link", "GET /"} {
			if !names[want] {
				t.Errorf("no span %q of the caller's trace in %v", want, names)
			}
		}
		var data metricdata.ResourceMetrics
		if err := p.metrics.Collect(t.Context(), &data); err != nil {
			t.Fatal(err)
		}
		found := map[string]bool{}
		for _, scope := range data.ScopeMetrics {
			for _, m := range scope.Metrics {
				found[m.Name] = true
				fmt.Fprintf(&all, "%+v", m.Data)
				h, ok := m.Data.(metricdata.Histogram[float64])
				if !ok || m.Name != "assistance.time_to_link" {
					continue
				}
				if n := h.DataPoints[0].Count; n != 1 {
					t.Errorf("%d links were timed, want 1", n)
				}
				if sum := h.DataPoints[0].Sum; sum <= 0 || sum > 60 {
					t.Errorf("time to link: %v s", sum)
				}
			}
		}
		for _, want := range []string{"http.server.request.duration", "assistance.sessions", "assistance.time_to_link", "assistance.waits"} {
			if !found[want] {
				t.Errorf("no metric %s", want)
			}
		}
		for _, secret := range []string{"teamviewer", "eyJ", "code=", "/no/such/page", "anna@"} {
			if strings.Contains(all.String(), secret) {
				t.Errorf("%q in spans or metrics", secret)
			}
		}
		if log := p.log.String(); !strings.Contains(log, `"traceId":"`+trace+`"`) {
			t.Error("the log does not name the trace")
		}
	})
}
