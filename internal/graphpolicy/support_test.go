package graphpolicy_test

import (
	"errors"
	"net/http"
	"net/url"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/go-intune/intune/internal/graphpolicy"
	"github.com/go-intune/intune/internal/graphtest"
)

const address = "https://graph.microsoft.com/v1.0/x"

// newTransport is a transport for Graph that sends through do.
func newTransport(t *testing.T, do graphtest.Transport) *graphpolicy.Transport {
	t.Helper()
	return newTransportOver(t, do)
}

// newTransportOver is a transport for Graph that sends through another, of its own if that is nil.
func newTransportOver(t *testing.T, inner policy.Transporter) *graphpolicy.Transport {
	t.Helper()
	root, err := url.Parse("https://graph.microsoft.com")
	if err != nil {
		t.Fatal(err)
	}
	return graphpolicy.NewTransport(inner, root, nil)
}

// request makes a request that belongs to a call.
func request(t *testing.T, call *graphpolicy.Call, method string) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(call.Start(t.Context()), method, address, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	return req
}

// newCall is a call whose errors stay as they are.
func newCall(write bool) *graphpolicy.Call { return &graphpolicy.Call{Write: write, Redact: asIs} }

func asIs(err error, _ graphpolicy.Asked, _ *url.URL, _ string) error { return err }

func redacted(error, graphpolicy.Asked, *url.URL, string) error { return errors.New("clean") }
