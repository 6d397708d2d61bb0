package intune_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"github.com/go-intune/intune"
)

// accepts is the transport of both sides: it answers 204 at once.
func accepts() policy.Transporter {
	return &http.Client{Transport: transportFunc(func(req *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusNoContent, Header: http.Header{}, Body: http.NoBody, Request: req}, nil
	})}
}

const benchmarkDevice = "705c034c-034c-705c-4c03-5c704c035c70"

// BenchmarkRequestRemoteAssistance compares a call with the same POST as a generated Azure client sends it: a bare azcore
// pipeline with a bearer token policy, over the same transport.
func BenchmarkRequestRemoteAssistance(b *testing.B) {
	b.Run("intune", func(b *testing.B) {
		client := newClient(b, accepts())
		b.ReportAllocs()
		for b.Loop() {
			if _, err := client.RequestRemoteAssistance(b.Context(), intune.Device(benchmarkDevice), nil); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("azcore", func(b *testing.B) {
		bearer := runtime.NewBearerTokenPolicy(intune.StaticToken("opaque-token"), []string{"https://graph.microsoft.com/.default"}, nil)
		client, err := azcore.NewClient("benchmark", "v1.0.0", runtime.PipelineOptions{PerRetry: []policy.Policy{bearer}},
			&azcore.ClientOptions{Transport: accepts()})
		if err != nil {
			b.Fatal(err)
		}
		b.ReportAllocs()
		for b.Loop() {
			path := "/deviceManagement/managedDevices/" + url.PathEscape(benchmarkDevice) + "/requestRemoteAssistance"
			req, err := runtime.NewRequest(b.Context(), http.MethodPost, runtime.JoinPaths("https://graph.microsoft.com/v1.0", path)) //nolint:forbidigo // what others do
			if err != nil {
				b.Fatal(err)
			}
			req.Raw().Header["Accept"] = []string{"application/json"}
			id, err := runtime.NewUUID()
			if err != nil {
				b.Fatal(err)
			}
			req.Raw().Header["Client-Request-Id"] = []string{id}
			resp, err := client.Pipeline().Do(req)
			if err != nil || !runtime.HasStatusCode(resp, http.StatusNoContent) {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkError compares reading a doubly nested Intune error, the call included, with one json.Unmarshal of the same body
// into the envelope.
func BenchmarkError(b *testing.B) {
	raw, err := os.ReadFile("testdata/errors/020-list-manageddevices-nested-forbidden-401.json")
	if err != nil {
		b.Fatal(err)
	}
	var c errorCase
	if err := json.Unmarshal(raw, &c); err != nil {
		b.Fatal(err)
	}
	b.Run("intune", func(b *testing.B) {
		client := newClient(b, always(http.StatusForbidden, c.Body))
		b.ReportAllocs()
		for b.Loop() {
			if _, err := client.RequestRemoteAssistance(b.Context(), intune.Device(benchmarkDevice), nil); err == nil {
				b.Fatal("no error")
			}
		}
	})
	b.Run("unmarshal", func(b *testing.B) {
		body := []byte(c.Body)
		b.ReportAllocs()
		for b.Loop() {
			var envelope struct {
				Error struct {
					Code       string `json:"code"`
					Message    string `json:"message"`
					InnerError struct {
						Date            string `json:"date"`
						RequestID       string `json:"request-id"`
						ClientRequestID string `json:"client-request-id"`
					} `json:"innerError"`
				} `json:"error"`
			}
			if err := json.Unmarshal(body, &envelope); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkPoll is one step of a waiting poller: a read of the session that shows no change.
func BenchmarkPoll(b *testing.B) {
	client, err := intune.NewClient(intune.StaticToken("opaque-token"), &intune.ClientOptions{ClientOptions: azcore.ClientOptions{Transport: cheapTenant{}}})
	if err != nil {
		b.Fatal(err)
	}
	poller, err := client.BeginRemoteAssistance(b.Context(), intune.Device("d1"), nil)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := poller.Poll(b.Context()); err != nil || poller.Done() {
			b.Fatal(err)
		}
	}
}
