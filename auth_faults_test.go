package intune_test

import (
	"context"
	"errors"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/go-intune/intune"
)

// A credential that fails in a way of its own costs one call, and the next one works.
func TestCredentialThatBreaksOnce(t *testing.T) {
	t.Parallel()
	for name, breaks := range map[string]func(){
		"panics":              func() { panic("secret") },
		"ends its goroutine":  runtime.Goexit,
		"gives a blank token": nil,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var asked atomic.Int32
			credential := credentialFunc(func(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
				if asked.Add(1) == 1 {
					if breaks == nil {
						return azcore.AccessToken{ExpiresOn: time.Now().Add(time.Hour)}, nil
					}
					breaks()
				}
				return azcore.AccessToken{Token: "token", ExpiresOn: time.Now().Add(time.Hour)}, nil
			})
			service := newScript(status(204))
			client := clientOf(t, credential, service)
			_, err := client.RequestRemoteAssistance(t.Context(), intune.Device("1"), nil)
			if !errors.Is(err, intune.ErrUnauthenticated) || errors.Is(err, intune.ErrOutcomeUnknown) || service.calls.Load() != 0 || strings.Contains(err.Error(), "secret") {
				t.Errorf("got %v after %d requests", err, service.calls.Load())
			}
			if _, err := client.RequestRemoteAssistance(t.Context(), intune.Device("1"), nil); err != nil {
				t.Errorf("the next call: %v", err)
			}
			if _, err := client.TokenInfo(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

// A call ends with its context though the credential does not, and nobody waits for it any longer.
func TestCredentialThatIgnoresItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		defer close(release)
		var asked atomic.Int32
		credential := credentialFunc(func(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
			if asked.Add(1) == 1 {
				<-release
			}
			return azcore.AccessToken{Token: "token", ExpiresOn: time.Now().Add(time.Hour)}, nil
		})
		service := newScript(status(204))
		client := clientOf(t, credential, service)
		start := time.Now()
		done := make(chan error, 1)
		go func() {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			<-time.After(time.Second)
			_, err := client.RequestRemoteAssistance(ctx, intune.Device("2"), nil)
			done <- err
		}()
		impatient := make(chan error, 1)
		go func() {
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			defer cancel()
			<-time.After(time.Second)
			_, err := client.RequestRemoteAssistance(ctx, intune.Device("3"), nil)
			impatient <- err
		}()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		_, err := client.RequestRemoteAssistance(ctx, intune.Device("1"), nil)
		if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, intune.ErrOutcomeUnknown) || time.Since(start) != 10*time.Second {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
		if text := (<-impatient).Error(); !strings.Contains(text, "while getting a token") || !strings.Contains(text, context.DeadlineExceeded.Error()) {
			t.Errorf("the call that stopped waiting: %s", text)
		}
		if err := <-done; err != nil || time.Since(start) != 10*time.Second || service.calls.Load() != 1 {
			t.Errorf("the call that waited, after %v: %v", time.Since(start), err)
		}
		ctx, cancel = context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		hanging := clientOf(t, credentialFunc(func(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
			<-release
			return azcore.AccessToken{}, nil
		}), service)
		if _, err := hanging.TokenInfo(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("TokenInfo: %v", err)
		}
	})
}

// A token that no header can hold never leaves, so that the outcome is known.
func TestTokenThatCannotBeSent(t *testing.T) {
	t.Parallel()
	for _, token := range []string{"", " ", "a\nb", "a\x00b", "a b", "a\x7f", "tökén"} {
		credential := credentialFunc(func(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
			return azcore.AccessToken{Token: token, ExpiresOn: time.Now().Add(time.Hour)}, nil
		})
		service := newScript(status(204))
		_, err := clientOf(t, credential, service).RequestRemoteAssistance(t.Context(), intune.Device("1"), nil)
		if err == nil || errors.Is(err, intune.ErrOutcomeUnknown) || service.calls.Load() != 0 {
			t.Errorf("%q: error %v, %d requests", token, err, service.calls.Load())
		}
	}
}

// azcore logs the error of each try.
func TestCredentialErrorIsCleanedForTheLog(t *testing.T) { //nolint:paralleltest // azcore's log listener is the process's
	text := captureLog(t)
	failure := errors.New("see https://login.example/?code=secret-code and eyJzZWNyZXQtdG9rZW4.x.y")
	client := clientOf(t, credentialFunc(func(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
		return azcore.AccessToken{}, failure
	}), newScript(status(204)))
	_, err := client.RequestRemoteAssistance(t.Context(), intune.Device("1"), nil)
	if !errors.Is(err, failure) || !strings.Contains(text.String(), "while getting a token") {
		t.Errorf("error %v, log %s", err, text)
	}
	for _, secret := range []string{"secret-code", "eyJzZWNyZXQtdG9rZW4"} {
		if strings.Contains(text.String()+err.Error(), secret) {
			t.Errorf("%s shows in %v or in the log:\n%s", secret, err, text)
		}
	}
}

// A header within Go's default limit, through the whole client.
func TestEndlessChallenge(t *testing.T) {
	t.Parallel()
	for _, code := range []int{http.StatusUnauthorized, http.StatusForbidden} {
		service := newScript(status(code, "WWW-Authenticate", "Bearer "+strings.Repeat("=", 10<<20/smaller)))
		_, err := newClient(t, service).RequestRemoteAssistance(t.Context(), intune.Device("1"), nil)
		if asError(t, err).StatusCode != code || service.calls.Load() != 1 {
			t.Errorf("%d: got %v", code, err)
		}
	}
}

// Responders of httpmock give the same header map to every request.
func TestAnswersMayShareTheirHeader(t *testing.T) {
	t.Parallel()
	header := http.Header{"Content-Type": {"application/json"}, "Retry-After": {"0.001"}}
	client := newClient(t, transportFunc(func(req *http.Request) (*http.Response, error) {
		return answer(req, http.StatusTooManyRequests, header, "{}"), nil
	}))
	done := make(chan struct{})
	for range 8 {
		go func() {
			defer func() { done <- struct{}{} }()
			for range 20 {
				_, _ = client.GetDevice(t.Context(), intune.Device("1"), nil)
			}
		}()
	}
	for range 8 {
		<-done
	}
	if len(header) != 2 || header.Get("Content-Type") != "application/json" {
		t.Errorf("the shared header became %v", header)
	}
}
