package compare

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"reflect"
	"runtime"
	"testing"
	"time"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/internal/graphtest"
	"github.com/go-intune/intune/intunetest"

	"github.com/go-intune/intune/benchmarks/internal/peer"
)

const deviceID = "705c034c-034c-705c-4c03-5c704c035c70"

// canned answers every request at once and alike.
type canned struct {
	status int
	body   []byte
}

func (c canned) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Body != nil {
		req.Body.Close()
	}
	resp := &http.Response{
		StatusCode: c.status, Status: fmt.Sprint(c.status, " ", http.StatusText(c.status)), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{}, Body: http.NoBody, Request: req, ContentLength: int64(len(c.body)),
	}
	if c.body != nil {
		resp.Header.Set("Content-Type", "application/json")
		resp.Body = io.NopCloser(bytes.NewReader(c.body))
	}
	return resp, nil
}

// listPage is a page of a list of devices as the service answers it, without a next link.
func listPage(tb testing.TB, devices int) []byte {
	tb.Helper()
	tenant := intunetest.NewTenant(nil)
	for i := range devices {
		tenant.AddDevice(intune.ManagedDevice{
			ID: fmt.Sprintf("%08x-b3c4-4d5e-8f60-%012x", i*7, i*i*31), DeviceName: fmt.Sprint("DESKTOP-", i),
			ManagedDeviceName: fmt.Sprint("user_Windows_", i), SerialNumber: fmt.Sprint("5CD", i),
			Manufacturer: "Contoso", Model: fmt.Sprint("Model ", i%20), OperatingSystem: "Windows", OSVersion: "10.0.26100.4349",
			UserID: fmt.Sprintf("11112222-b3c4-4d5e-8f60-%012x", i), UserDisplayName: fmt.Sprint("User ", i),
			UserPrincipalName: fmt.Sprintf("user%d@contoso.com", i), AzureADDeviceID: fmt.Sprintf("33334444-b3c4-4d5e-8f60-%012x", i),
			ComplianceState: intune.ComplianceStateCompliant, ManagementAgent: intune.ManagementAgentTypeMDM,
			EnrolledDateTime: time.Unix(1_750_000_000+int64(i), 0).UTC(), LastSyncDateTime: time.Unix(1_770_000_000+int64(i), 0).UTC(),
			TotalStorageSpaceInBytes: 1 << 39, FreeStorageSpaceInBytes: 1<<38 + int64(i), WiFiMACAddress: "00155D010203", IsEncrypted: i%3 != 0,
		})
	}
	req, err := http.NewRequestWithContext(tb.Context(), http.MethodGet, peer.Root+"/deviceManagement/managedDevices", nil)
	if err != nil {
		tb.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer test")
	resp, err := tenant.RoundTrip(req)
	if err != nil {
		tb.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		tb.Fatal(resp.Status, err)
	}
	if bytes.Contains(body, []byte("nextLink")) {
		tb.Fatalf("the page of %d devices is not the last", devices)
	}
	return body
}

// nestedError is the body of an error that Intune nested twice.
func nestedError(tb testing.TB) []byte {
	tb.Helper()
	raw, err := os.ReadFile("../../testdata/errors/020-list-manageddevices-nested-forbidden-401.json")
	if err != nil {
		tb.Fatal(err)
	}
	var c struct{ Body string }
	if err := json.Unmarshal(raw, &c); err != nil {
		tb.Fatal(err)
	}
	return []byte(c.Body)
}

func deadline(tb testing.TB) context.Context {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), time.Hour) // hashicorp asks for one
	tb.Cleanup(cancel)
	return ctx
}

// benchmark measures what the contenders do over the same transport. Beside the time of the clock it reports that of the
// processors, which other work on the machine disturbs less.
func benchmark(b *testing.B, transport http.RoundTripper, do func(context.Context, peer.Client) error) {
	b.Helper()
	for _, c := range contenders {
		b.Run(c.name, func(b *testing.B) {
			client := c.client(b, peer.Setup{Transport: transport})
			ctx := deadline(b)
			b.ReportAllocs()
			runtime.GC() // what others left is not this one's
			start := graphtest.CPUTime()
			for b.Loop() {
				if err := do(ctx, client); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(graphtest.CPUTime()-start)/float64(b.N), "cpu-ns/op")
		})
	}
}

func BenchmarkAction(b *testing.B) {
	benchmark(b, canned{status: http.StatusNoContent}, func(ctx context.Context, client peer.Client) error {
		return client.Request(ctx, deviceID)
	})
}

func BenchmarkError(b *testing.B) {
	benchmark(b, canned{http.StatusForbidden, nestedError(b)}, func(ctx context.Context, client peer.Client) error {
		err := client.Request(ctx, deviceID)
		if err == nil {
			return errors.New("no error")
		}
		if err.Error() == "" {
			return errors.New("no text")
		}
		return nil
	})
}

const devicesOnPage = 1000

func BenchmarkPage(b *testing.B) {
	benchmark(b, canned{http.StatusOK, listPage(b, devicesOnPage)}, readPage)
}

func BenchmarkPageOverHTTP2(b *testing.B) {
	benchmark(b, overHTTP2(b, listPage(b, devicesOnPage)), readPage)
}

func readPage(ctx context.Context, client peer.Client) error {
	seen, encrypted := 0, 0
	err := client.List(ctx, func(row peer.Row) {
		if seen++; row.Encrypted {
			encrypted++
		}
	})
	if err != nil {
		return err
	}
	if seen != devicesOnPage || encrypted == 0 {
		return fmt.Errorf("%d devices, %d encrypted", seen, encrypted)
	}
	return nil
}

// What is measured is the same job: every contender sees the same of each device.
func TestSameRows(t *testing.T) {
	t.Parallel()
	transport := canned{http.StatusOK, listPage(t, 50)}
	var want []peer.Row
	for _, c := range contenders {
		var rows []peer.Row
		if err := c.client(t, peer.Setup{Transport: transport}).List(deadline(t), func(row peer.Row) {
			row.LastSync = row.LastSync.UTC()
			rows = append(rows, row)
		}); err != nil {
			t.Fatal(c.name, err)
		}
		if want == nil {
			want = rows
		}
		if len(rows) != 50 {
			t.Fatalf("%s sees %d rows", c.name, len(rows))
		}
		if rows[7].Name != "DESKTOP-7" || rows[7].LastSync.IsZero() {
			t.Errorf("%s sees %+v", c.name, rows[7])
		}
		if !reflect.DeepEqual(rows, want) {
			t.Errorf("%s sees %+v…, %s %+v…", c.name, rows[:2], contenders[0].name, want[:2])
		}
	}
}
