package intune_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/go-intune/intune"
)

// TestAnswerOfAPolicyIsNoSuccess: what a caller's policy answers by itself did not come from the service.
func TestAnswerOfAPolicyIsNoSuccess(t *testing.T) {
	t.Parallel()
	for name, status := range map[string]int{"no content": http.StatusNoContent, "an empty 200": http.StatusOK, "refused": http.StatusForbidden} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := newClient(t, transportFunc(func(*http.Request) (*http.Response, error) {
				t.Error("a request was sent")
				return nil, errors.New("no")
			}), func(o *intune.ClientOptions) {
				o.PerCallPolicies = []policy.Policy{policyFunc(func(*policy.Request) (*http.Response, error) {
					made := answer(nil, status, http.Header{"Client-Request-Id": {"of the policy"}}, "")
					return made, nil
				})}
			})
			_, err := client.RequestRemoteAssistance(t.Context(), intune.Device("1"), nil)
			failed, ok := errors.AsType[*intune.Error](err)
			if !ok || failed.StatusCode != status || failed.ClientRequestID != "of the policy" || errors.Is(err, intune.ErrOutcomeUnknown) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// TestReadThatArrivedWinsOverTheContext: azcore looks at the context before the result. An answer that was read to its end
// counts all the same; one that broke off does not.
func TestReadThatArrivedWinsOverTheContext(t *testing.T) {
	t.Parallel()
	own := errors.New("policy's own")
	for name, c := range map[string]struct {
		body string
		err  error
		ok   bool
	}{
		"context ends":       {`{"id":"1"}`, nil, true},
		"policy's own error": {`{"id":"1"}`, own, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(t.Context())
			client := newClient(t, always(http.StatusOK, c.body), func(o *intune.ClientOptions) {
				o.PerRetryPolicies = []policy.Policy{policyFunc(func(req *policy.Request) (*http.Response, error) {
					resp, err := req.Next()
					if c.err != nil {
						return nil, c.err
					}
					cancel()
					return resp, err
				})}
				o.Retry.MaxRetries = -1
			})
			device, err := client.GetDevice(ctx, intune.Device("1"), nil)
			if c.ok != (err == nil) || c.ok != (device.ID == "1") || c.err != nil && !errors.Is(err, c.err) {
				t.Errorf("got %v, %v", device.ID, err)
			}
			cancel()
		})
	}
}

func TestReadThatBreaksOffAtTheEndOfTheContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	client := newClient(t, transportFunc(func(req *http.Request) (*http.Response, error) {
		resp := answer(req, http.StatusOK, nil, "")
		resp.ContentLength = -1
		resp.Body = io.NopCloser(io.MultiReader(strings.NewReader(`{"id":"1"}`), readerFunc(func([]byte) (int, error) {
			cancel()
			return 0, req.Context().Err()
		})))
		return resp, nil
	}))
	device, err := client.GetDevice(ctx, intune.Device("1"), nil)
	if !errors.Is(err, context.Canceled) || device.ID != "" {
		t.Errorf("got %v, %v", device.ID, err)
	}
}

// TestErrorOfAnAnswerNamesItsCause: the library says which part of an answer it could not read.
func TestErrorOfAnAnswerNamesItsCause(t *testing.T) {
	t.Parallel()
	const foreign = `{"value":[],"@odata.nextLink":"https://graph.example.com/v1.0/deviceManagement/managedDevices?$skiptoken=x"}`
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	read := func(ctx context.Context, c *intune.Client) error {
		_, err := c.GetDevice(ctx, intune.Device("1"), nil)
		return err
	}
	list := func(ctx context.Context, c *intune.Client) error {
		for _, err := range c.Devices(ctx, intune.AllDevices(), nil) {
			if err != nil {
				return err
			}
		}
		return nil
	}
	for name, c := range map[string]struct {
		body string
		ctx  context.Context
		call func(context.Context, *intune.Client) error
		want []string
	}{
		"device":          {`{"id":"1","physicalMemoryInBytes":"x"}`, t.Context(), read, []string{"read device on device 1", "the answer is not a device", "physicalMemoryInBytes is not an integer"}},
		"page":            {`{"value":[{"id":"1","physicalMemoryInBytes":"x"}]}`, t.Context(), list, []string{"list devices", "the page could not be read", "physicalMemoryInBytes is not an integer"}},
		"foreign link":    {foreign, t.Context(), list, []string{"list devices", "a next link that is not followed", "another host"}},
		"context is over": {foreign, ended, list, []string{"list devices", "not sent", "context canceled"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := c.call(c.ctx, newClient(t, always(http.StatusOK, c.body)))
			for _, part := range c.want {
				if err == nil || !strings.Contains(err.Error(), part) {
					t.Errorf("got %v, want %q in it", err, part)
				}
			}
		})
	}
}

// TestListEndsAtABrokenPage although that page has a next link.
func TestListEndsAtABrokenPage(t *testing.T) {
	t.Parallel()
	requests := 0
	client := newClient(t, transportFunc(func(req *http.Request) (*http.Response, error) {
		requests++
		return answer(req, http.StatusOK, nil, `{"@odata.nextLink":"https://graph.microsoft.com/v1.0/deviceManagement/managedDevices?$skiptoken=2","value":[{"id":"1"},{"id":2`), nil
	}))
	var got []string
	for device, err := range client.Devices(t.Context(), intune.AllDevices(), nil) {
		if err != nil {
			got = append(got, "error")
			continue
		}
		got = append(got, device.ID)
	}
	if strings.Join(got, " ") != "1 error" || requests != 1 {
		t.Errorf("got %v after %d requests", got, requests)
	}
}

func TestPartnerThatCannotBeReadIsNone(t *testing.T) {
	t.Parallel()
	client := newClient(t, always(http.StatusOK, `{"id":"1","displayName":"TeamViewer","lastConnectionDateTime":7}`))
	partner, err := client.GetRemoteAssistancePartner(t.Context(), "1", nil)
	if err == nil || partner.DisplayName != "" || partner.ID != "" {
		t.Errorf("got %v, %v", partner, err)
	}
}

func TestLongPartsAreQuotedInPart(t *testing.T) {
	t.Parallel()
	client := newClient(t, always(http.StatusOK, `{}`))
	_, err := client.GetDevice(t.Context(), intune.Device(" "+strings.Repeat("x", 200)), nil)
	if err == nil || strings.Count(err.Error(), "x") != 79 {
		t.Errorf("got %v", err)
	}
	_, err = client.GetDevice(t.Context(), intune.Device("1"), &intune.GetDeviceOptions{Select: []string{strings.Repeat("z", 200)}})
	if err == nil || strings.Count(err.Error(), "z") != 64 {
		t.Errorf("got %v", err)
	}
}

// clockedTransport is a fake of the service that makes time pass.
type clockedTransport struct {
	transportFunc

	ahead time.Duration
}

func (c *clockedTransport) ClockAhead() time.Duration { return c.ahead }

func TestTransportMovesTheClientsClock(t *testing.T) {
	t.Parallel()
	fake := &clockedTransport{}
	reads := 0
	fake.transportFunc = func(req *http.Request) (*http.Response, error) {
		if req.Method == http.MethodPost {
			return answer(req, http.StatusNoContent, nil, ""), nil
		}
		if reads++; reads == 3 {
			fake.ahead = time.Hour
		}
		return answer(req, http.StatusOK, http.Header{"Retry-After-Ms": {"1"}}, sessionOf("", "")), nil
	}
	_, err := newClient(t, fake).OpenRemoteAssistance(t.Context(), intune.Device("d1"), nil)
	if !errors.Is(err, intune.ErrSessionPending) || reads != 3 {
		t.Errorf("%d reads, error %v", reads, err)
	}
}
