package intune_test

import (
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/go-intune/intune"
)

// rewrite is a policy of the caller's that changes requests.
type rewrite func(*http.Request)

func (f rewrite) Do(req *policy.Request) (*http.Response, error) {
	f(req.Raw())
	return req.Next()
}

func TestNewClientRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		options azcore.ClientOptions
		says    string
	}{
		"other version":      {azcore.ClientOptions{APIVersion: "beta"}, "APIVersion"},
		"unknown authority":  {azcore.ClientOptions{Cloud: cloud.Configuration{ActiveDirectoryAuthorityHost: "https://login.example/"}}, "ServiceGraph"},
		"services, no Graph": {azcore.ClientOptions{Cloud: cloud.Configuration{Services: map[cloud.ServiceName]cloud.ServiceConfiguration{"x": {}}}}, "ServiceGraph"},
		"http":               {azcore.ClientOptions{Cloud: graphAt("http://graph.microsoft.com")}, "https"},
		"http on loopback":   {azcore.ClientOptions{Cloud: graphAt("http://127.0.0.1:1")}, "https"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, err := intune.NewClient(intune.StaticToken("t"), &intune.ClientOptions{ClientOptions: c.options})
			if client != nil || !errors.Is(err, intune.ErrInvalidArgument) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want ErrInvalidArgument that says %q", err, c.says)
			}
		})
	}
}

func TestNilAndZeroOptionsAreTheSame(t *testing.T) {
	t.Parallel()
	for _, options := range []*intune.ClientOptions{nil, {}, {ClientOptions: azcore.ClientOptions{APIVersion: "v1.0"}}} {
		client, err := intune.NewClient(intune.StaticToken("t"), options)
		if err != nil || client.String() != "intune.Client(https://graph.microsoft.com/v1.0)" {
			t.Errorf("got %v, %v", client, err)
		}
	}
}

// What the caller changes in the options after NewClient does not reach the client.
func TestOptionsAreCopied(t *testing.T) {
	t.Parallel()
	service := newScript(status(http.StatusServiceUnavailable))
	codes := []int{http.StatusServiceUnavailable}
	options := &intune.ClientOptions{ClientOptions: azcore.ClientOptions{
		Transport: service, Retry: policy.RetryOptions{RetryDelay: 1, StatusCodes: codes, MaxRetries: 1},
	}}
	client, err := intune.NewClient(intune.StaticToken("t"), options)
	if err != nil {
		t.Fatal(err)
	}
	codes[0], options.Retry.MaxRetries, options.Transport = 0, 9, nil
	_, err = client.RequestRemoteAssistance(t.Context(), intune.Device("1"), nil)
	if !errors.Is(err, intune.ErrUnavailable) || service.calls.Load() != 2 {
		t.Errorf("%d tries, error %v", service.calls.Load(), err)
	}
	if options.Retry.MaxRetryDelay != 0 {
		t.Error("the caller's options were changed")
	}
}

func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	server := newServer(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }, true)
	client := newServerClient(t, server)
	var group sync.WaitGroup
	for range 32 {
		group.Go(func() {
			if _, err := client.RequestRemoteAssistance(t.Context(), intune.Device("1"), nil); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
}
