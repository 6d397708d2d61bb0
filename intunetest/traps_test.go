package intunetest_test

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jarcoal/httpmock"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
)

// azcore takes RetryDelay -1, "no delay", for the longest there is and waits a minute between tries; the kit's options
// must not wait at all.
func TestClientOptionsDoNotWait(t *testing.T) {
	t.Parallel()
	tries := func(t *testing.T, change func(*intune.ClientOptions)) (time.Duration, int) {
		t.Helper()
		tenant := intunetest.NewTenant(nil)
		device := tenant.AddDevice(intune.ManagedDevice{})
		tenant.Inject(intunetest.Fault{Status: http.StatusServiceUnavailable, Times: 3})
		options := tenant.ClientOptions()
		change(options)
		client, err := intune.NewClient(tenant.Credential(), options)
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		if _, err := client.RequestRemoteAssistance(t.Context(), device, nil); err != nil {
			t.Error(err)
		}
		return time.Since(start), len(tenant.Requests())
	}
	synctest.Test(t, func(t *testing.T) {
		if took, n := tries(t, func(*intune.ClientOptions) {}); took > time.Millisecond || n != 4 {
			t.Errorf("%d tries took %v", n, took)
		}
		if took, _ := tries(t, func(o *intune.ClientOptions) { o.Retry.RetryDelay = -1 }); took < time.Minute {
			t.Errorf("with -1 azcore waits %v: the trap is gone, and with it the need for a nanosecond", took)
		}
	})
}

// A responder that is missing is an error of the transport, which azcore tries four times over about nine seconds.
func TestMissingResponderFailsAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		mock := httpmock.NewMockTransport()
		options := intunetest.NewTenant(nil).ClientOptions()
		options.Transport = &http.Client{Transport: mock}
		client, err := intune.NewClient(intune.StaticToken("test"), options)
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		_, err = client.GetRemoteAssistanceSession(t.Context(), intune.Device("1"), nil)
		if err == nil || time.Since(start) > time.Millisecond {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
	})
}
