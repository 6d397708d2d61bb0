package intune_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/internal/graphtest"
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
			address := runtime.JoinPaths("https://graph.microsoft.com/v1.0", path) //nolint:forbidigo // what others do
			req, err := runtime.NewRequest(b.Context(), http.MethodPost, address)
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

// BenchmarkClient_WithCredential is what a program pays for each person who signs in.
func BenchmarkClient_WithCredential(b *testing.B) {
	client, credential := newClient(b, accepts()), intune.StaticToken("opaque-token")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := client.WithCredential(credential); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkPoll is one step of a waiting poller: a read of the session that shows no change.
func BenchmarkPoll(b *testing.B) {
	options := &intune.ClientOptions{ClientOptions: azcore.ClientOptions{Transport: cheapTenant{}}}
	client, err := intune.NewClient(intune.StaticToken("opaque-token"), options)
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

const (
	largePages = 100 / graphtest.Smaller
	largeRows  = 1000 // a page, as the service has it
)

// largeTenant serves a long list from one page, rendered beforehand, in which only the ids and the next link are set for each
// request: so the heap is that of the library.
type largeTenant struct {
	page      []byte
	idsAt     []int // where the digits are that make an id unlike that of other pages
	nextAt    int
	lastAt    int // where the next link is hidden on the last page
	requested int
	body      bytes.Reader
}

func newLargeTenant(tb testing.TB) *largeTenant {
	tb.Helper()
	var page bytes.Buffer
	const metadata = "https://graph.microsoft.com/v1.0/$metadata#deviceManagement/managedDevices"
	fmt.Fprintf(&page, `{"@odata.context":%q,"@odata.count":%d,`, metadata, largeRows)
	s := &largeTenant{lastAt: page.Len() + 1}
	page.WriteString(`"@odata.nextLink":"` + graphLists + `managedDevices?$skiptoken=LastDeviceName%3d%27DESKTOP%27,+LastDeviceId%3d%27`)
	s.nextAt = page.Len()
	page.WriteString(`0000%27","value":[`)
	for i := range largeRows {
		if i > 0 {
			page.WriteByte(',')
		}
		s.idsAt = append(s.idsAt, page.Len()+len(`{"id":"`))
		row, err := json.Marshal(intune.ManagedDevice{
			ID:         fmt.Sprintf("0000%04x-b3c4-4d5e-8f60-%012x", i*7, i*i*31),
			DeviceName: fmt.Sprint("DESKTOP-", i), ManagedDeviceName: fmt.Sprint("user_Windows_", i),
			Manufacturer: "Contoso", Model: fmt.Sprint("Model ", i%20), SerialNumber: fmt.Sprint("5CD", i),
			OperatingSystem: "Windows", OSVersion: "10.0.26100.4349",
			UserID:            fmt.Sprintf("11112222-b3c4-4d5e-8f60-%012x", i),
			UserPrincipalName: fmt.Sprintf("user%d@contoso.com", i), UserDisplayName: fmt.Sprint("User ", i),
			AzureADDeviceID: fmt.Sprintf("33334444-b3c4-4d5e-8f60-%012x", i),
			ComplianceState: intune.ComplianceStateCompliant, ManagementAgent: intune.ManagementAgentTypeMDM,
			EnrolledDateTime:         time.Unix(1_750_000_000+int64(i), 0).UTC(),
			LastSyncDateTime:         time.Unix(1_770_000_000+int64(i), 123456700).UTC(),
			TotalStorageSpaceInBytes: 1 << 39, FreeStorageSpaceInBytes: 1<<38 + int64(i), WiFiMACAddress: "00155D010203", IsEncrypted: true,
		})
		if err != nil {
			tb.Fatal(err)
		}
		page.Write(row)
	}
	page.WriteString(`]}`)
	s.page = page.Bytes()
	return s
}

func (s *largeTenant) Do(req *http.Request) (*http.Response, error) {
	s.requested++
	number := fmt.Sprintf("%04x", s.requested)
	for _, at := range s.idsAt {
		copy(s.page[at:], number)
	}
	copy(s.page[s.nextAt:], number)
	name := "@odata.nextLink"
	if s.requested%largePages == 0 {
		name = "@odata.lastPage"
	}
	copy(s.page[s.lastAt:], name)
	s.body.Reset(s.page)
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}}, Request: req,
		Body: io.NopCloser(&s.body), ContentLength: int64(len(s.page)),
	}, nil
}

// listLarge ranges over all devices and measures the heap while the last device of some pages is at hand.
func listLarge(tb testing.TB, client *intune.Client, measured ...int) (heaps []int) {
	tb.Helper()
	devices := 0
	for device, err := range client.Devices(tb.Context(), intune.AllDevices(), nil) {
		if err != nil || len(device.ID) != 36 {
			tb.Fatal(device, err)
		}
		if devices++; devices%largeRows != 0 {
			continue
		}
		if page := devices / largeRows; len(heaps) < len(measured) && page == measured[len(heaps)] {
			heaps = append(heaps, heap())
		}
	}
	if devices != largePages*largeRows {
		tb.Fatalf("%d devices", devices)
	}
	return heaps
}

// A long listing keeps one page, and of the devices before only their ids: at most 39 bytes each with the map around them, and a
// next link a page. One device that is kept would cost hundreds of bytes, and one page more than a megabyte.
func TestDevices_KeepOnePage(t *testing.T) { //nolint:paralleltest // it measures the heap of the process
	heaps := listLarge(t, newClient(t, newLargeTenant(t)), 2, largePages)
	grown := heaps[1] - heaps[0]
	const bound = (largePages-2)*largeRows*40 + 512<<10
	t.Logf("%.1f KB after page 2, %.1f KB more after page %d, bound %.1f KB",
		float64(heaps[0])/1024, float64(grown)/1024, largePages, bound/1024.)
	if grown > bound {
		t.Errorf("the heap grew by %d bytes", grown)
	}
}

// BenchmarkListDevices lists 100,000 devices on 100 pages. The heap is what is in use when the last device of a page is at hand.
func BenchmarkListDevices(b *testing.B) {
	service := newLargeTenant(b)
	client := newClient(b, service)
	listLarge(b, client)
	b.ReportAllocs()
	b.SetBytes(int64(len(service.page) * largePages))
	for b.Loop() {
		listLarge(b, client)
	}
	b.StopTimer()
	before := heap()
	heaps := listLarge(b, client, 1, 2, largePages)
	const devices = largePages * largeRows
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/devices, "ns/device")
	b.ReportMetric(float64(heaps[0]-before)/1024, "KB-page1")
	b.ReportMetric(float64(heaps[1]-before)/1024, "KB-page2")
	b.ReportMetric(float64(heaps[2]-before)/1024, "KB-page100")
	b.ReportMetric(float64(heaps[2]-heaps[0])/(devices-largeRows), "B-kept/device")
}
