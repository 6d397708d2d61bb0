package readiness_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/internal/graphtest"
	"github.com/go-intune/intune/intunetest"
	"github.com/go-intune/intune/readiness"
)

// Neither read is answered before the other has arrived. One after the other, they would wait for ever, which ends the bubble
// with a panic.
func TestReadinessReadsAtTheSameTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newReadinessCase()
		ref := c.tenant.AddDevice(c.device)
		arrived, go2 := make(chan struct{}), make(chan struct{})
		go func() {
			<-arrived
			<-arrived
			<-arrived
			close(go2)
		}()
		options := c.tenant.ClientOptions()
		options.Transport = graphtest.Transport(func(req *http.Request) (*http.Response, error) {
			arrived <- struct{}{}
			<-go2
			return c.tenant.RoundTrip(req)
		})
		client, err := intune.NewClient(c.tenant.Credential(), options)
		if err != nil {
			t.Fatal(err)
		}
		found, err := readiness.Check(t.Context(), client, ref, nil)
		if err != nil || !found.OK() || c.tenant.RequestCount() != 3 {
			t.Errorf("error %v, requests %v\n%v", err, c.tenant.Requests(), found)
		}
	})
}

// A slow connector costs what it takes and not the sum.
func TestReadinessTakesAsLongAsTheSlowerRead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newReadinessCase()
		c.fault("/remoteAssistancePartners", intunetest.Fault{Delay: 5 * time.Second})
		c.fault("/managedDevices/"+graphtest.DeviceID, intunetest.Fault{Delay: 4 * time.Second})
		begin := time.Now()
		c.check(t)
		if took := time.Since(begin); took != 5*time.Second {
			t.Errorf("took %v", took)
		}
	})
}

// The service answers 400 to reads below a detected app.
func TestReadinessReadsAtThePlainAddress(t *testing.T) {
	t.Parallel()
	c := newReadinessCase()
	below("a1b2c3")(c)
	_, checks := c.check(t)
	if checks["platform"].Status != "pass" || checks["session"].Status != "pass" {
		t.Errorf("%+v", checks)
	}
	var paths []string
	for _, request := range c.tenant.Requests() {
		if !strings.HasSuffix(request.Path, "/remoteAssistancePartners") {
			paths = append(paths, strings.TrimPrefix(request.Path, "/v1.0/deviceManagement/"))
		}
	}
	want := []string{"detectedApps/a1b2c3/managedDevices/" + graphtest.DeviceID, "managedDevices/" + graphtest.DeviceID}
	slices.Sort(paths)
	if !slices.Equal(slices.Compact(paths), want) {
		t.Errorf("read at %q", paths)
	}
}

func TestReadinessRefusesArguments(t *testing.T) {
	t.Parallel()
	c := newReadinessCase()
	ref, client := c.tenant.AddDevice(c.device), c.client(t)
	for name, f := range map[string]func() (readiness.Report, error){
		"device is the zero DeviceRef": func() (readiness.Report, error) { return readiness.Check(t.Context(), client, intune.DeviceRef{}, nil) },
		"device id holds a slash": func() (readiness.Report, error) {
			return readiness.Check(t.Context(), client, intune.Device("a/b"), nil)
		},
		"options.MaxSyncAge is negative; use 0 for 24 hours": func() (readiness.Report, error) {
			return readiness.Check(t.Context(), client, ref, &readiness.Options{MaxSyncAge: -1})
		},
		"ctx is nil":                         func() (readiness.Report, error) { return readiness.Check(nil, client, ref, nil) }, //nolint:staticcheck // the mistake in question
		"client was not made by":             func() (readiness.Report, error) { return readiness.Check(t.Context(), new(intune.Client), ref, nil) },
		"client was not made by intune.NewC": func() (readiness.Report, error) { return readiness.Check(t.Context(), nil, ref, nil) },
	} {
		found, err := f()
		if !errors.Is(err, intune.ErrInvalidArgument) || !strings.Contains(err.Error(), name) || found.OK() || len(found.Checks) > 0 {
			t.Errorf("%s: error %v, %v", name, err, found)
		}
	}
	if c.tenant.RequestCount() > 0 {
		t.Errorf("requests %v", c.tenant.Requests())
	}
}

// credentialOf counts how often it is asked.
type credentialOf struct {
	asked atomic.Int32
	get   func(context.Context) (azcore.AccessToken, error)
}

func (c *credentialOf) GetToken(ctx context.Context, _ policy.TokenRequestOptions) (azcore.AccessToken, error) {
	c.asked.Add(1)
	return c.get(ctx)
}

// A credential that fails may have asked its user already. It is not asked again for each read.
func TestReadinessWithoutAToken(t *testing.T) {
	t.Parallel()
	credential := &credentialOf{get: func(context.Context) (azcore.AccessToken, error) {
		return azcore.AccessToken{}, errors.New("the user closed the window at https://login.example.com/authorize?code=secret")
	}}
	c := newReadinessCase()
	c.token = credential
	found, checks := c.check(t)
	if check := checks["token"]; check.Status != "fail" || !strings.HasPrefix(check.Detail, "there is none: the user closed the window") || strings.Contains(check.Detail, "secret") {
		t.Errorf("%+v", check)
	}
	for name, detail := range map[string]string{
		"connector": "not looked at without a token", "device": "not looked at without a token", "management": "the device was not read",
		"platform": "the device was not read", "sync": "the device was not read", "user": "the device was not read", "session": "the device was not read",
	} {
		if checks[name].Status != "unknown" || checks[name].Detail != detail {
			t.Errorf("%+v", checks[name])
		}
	}
	if remedy := checks["device"].Remedy; remedy != "get a token first, and check again" {
		t.Error(remedy)
	}
	if found.OK() || credential.asked.Load() != 1 || c.tenant.RequestCount() != 0 {
		t.Errorf("asked %d times, requests %v\n%v", credential.asked.Load(), c.tenant.Requests(), found)
	}
}

func TestReadinessWhenTheContextEnds(t *testing.T) {
	t.Parallel()
	const second = time.Second
	slowToken := &credentialOf{get: func(ctx context.Context) (azcore.AccessToken, error) {
		<-ctx.Done()
		return azcore.AccessToken{}, errors.New("gave up") // which hides the context's error
	}}
	for name, c := range map[string]struct {
		change func(*readinessCase)
		text   string
	}{
		"during the sign-in":   {func(c *readinessCase) { c.token = slowToken }, "during the check of the token: context deadline exceeded"},
		"during the connector": {func(c *readinessCase) { c.fault("/remoteAssistancePartners", intunetest.Fault{Delay: 2 * second}) }, "during the check of the connector: context deadline"},
		"during the device":    {func(c *readinessCase) { c.fault("/"+graphtest.DeviceID, intunetest.Fault{Delay: 2 * second}) }, "during the check of the device: context deadline"},
		"during a wait for a repeat": {func(c *readinessCase) {
			c.fault("/"+graphtest.DeviceID, intunetest.Fault{Status: 503, Delay: 2 * second / 3})
		}, "during the check of the device"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				world := newReadinessCase()
				ref := world.tenant.AddDevice(world.device)
				c.change(world)
				ctx, cancel := context.WithTimeout(t.Context(), second)
				defer cancel()
				found, err := readiness.Check(ctx, world.client(t), ref, nil)
				if !errors.Is(err, context.DeadlineExceeded) || found.OK() || len(found.Checks) > 0 {
					t.Fatalf("error %v, %v", err, found)
				}
				if !strings.Contains(err.Error(), c.text) {
					t.Errorf("error %v", err)
				}
			})
		})
	}
}

// A deadline of the transport's own is a failed read like any other.
func TestReadinessWhenTheTransportsTimeIsUp(t *testing.T) {
	t.Parallel()
	c := newReadinessCase()
	c.tenant.AddDevice(c.device)
	client := newClient(t, graphtest.Transport(func(req *http.Request) (*http.Response, error) {
		if strings.HasSuffix(req.URL.Path, graphtest.DeviceID) {
			return nil, context.DeadlineExceeded
		}
		return c.tenant.RoundTrip(req)
	}))
	found, err := readiness.Check(t.Context(), client, intune.Device(graphtest.DeviceID), nil)
	if err != nil || len(found.Checks) != len(readinessNames) || found.Checks[3].Status != "unknown" || !strings.Contains(found.Checks[3].Detail, "deadline exceeded") {
		t.Errorf("error %v, %v", err, found)
	}
}

// When both answers are there, it does not matter that the context has ended in the meantime.
func TestReadinessCountsAnswersThatCame(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		client := newClient(t, graphtest.Transport(func(req *http.Request) (*http.Response, error) {
			if strings.HasSuffix(req.URL.Path, graphtest.DeviceID) {
				return answer(req, http.StatusNotFound, ""), nil
			}
			<-time.After(time.Second) // by when the other read is done
			cancel()
			return answer(req, http.StatusOK, `{"value":[{"id":"1","onboardingStatus":"onboarded"}]}`), nil
		}))
		found, err := readiness.Check(ctx, client, intune.Device(graphtest.DeviceID), nil)
		if err != nil || len(found.Checks) != len(readinessNames) || found.Checks[2].Status != "warn" || found.Checks[3].Status != "fail" {
			t.Errorf("error %v, %v", err, found)
		}
	})
}

// What a transport panics with reaches the caller, who may recover from it, also where it was called in a goroutine.
func TestReadinessPassesAPanicOn(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/remoteAssistancePartners", "/" + graphtest.DeviceID} {
		c := newReadinessCase()
		ref := c.tenant.AddDevice(c.device)
		options := c.tenant.ClientOptions()
		options.Transport = graphtest.Transport(func(req *http.Request) (*http.Response, error) {
			if strings.HasSuffix(req.URL.Path, path) {
				panic("a transport's own")
			}
			return c.tenant.RoundTrip(req)
		})
		client, err := intune.NewClient(c.tenant.Credential(), options)
		if err != nil {
			t.Fatal(err)
		}
		func() {
			defer func() {
				if recovered := recover(); recovered != "a transport's own" {
					t.Errorf("%s: recovered %v", path, recovered)
				}
			}()
			_, _ = readiness.Check(t.Context(), client, ref, nil)
		}()
	}
}

// Neither is the other read left alone then.
func TestReadinessEndsTheOtherReadOnAPanic(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { // which waits for every goroutine
		client := newClient(t, graphtest.Transport(func(req *http.Request) (*http.Response, error) {
			if strings.HasSuffix(req.URL.Path, graphtest.DeviceID) {
				panic("a transport's own")
			}
			<-req.Context().Done()
			return nil, req.Context().Err()
		}))
		defer func() {
			if recovered := recover(); recovered != "a transport's own" {
				t.Errorf("recovered %v", recovered)
			}
		}()
		_, _ = readiness.Check(context.WithoutCancel(t.Context()), client, intune.Device(graphtest.DeviceID), nil)
	})
}
