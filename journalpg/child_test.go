package journalpg_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/go-intune/intune"
	"github.com/google/uuid"

	"github.com/go-intune/intune/journalpg"
)

// child is one copy of a small program, which the test binary becomes when the variable of this name is set. It opens a session on
// each of the devices, unless another copy does, and continues what copies left behind.
type child struct {
	DSN, Schema string
	URL         string // of the tenant
	Root        []byte // its certificate
	Devices     []intune.DeviceRef
	Lease       time.Duration
}

const childVariable = "INTUNE_TEST_JOURNALPG_CHILD"

func runChild() bool {
	text := os.Getenv(childVariable)
	if text == "" {
		return false
	}
	var c child
	err := json.Unmarshal([]byte(text), &c)
	if err == nil {
		err = c.run(context.Background())
	}
	if err != nil {
		fmt.Println("failed", err) //nolint:forbidigo // the parent reads it
	}
	return true
}

// impatient is a transport whose client reads again soon.
type impatient struct{ http.RoundTripper }

func (t impatient) Do(req *http.Request) (*http.Response, error) { return t.RoundTrip(req) }

func (impatient) LookAgainAfter() time.Duration { return 20 * time.Millisecond }

// clientOf is a client of a tenant that is served at an address.
func clientOf(url string, root []byte, journal intune.Journal) (*intune.Client, error) {
	certificate, err := x509.ParseCertificate(root)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	roots.AddCert(certificate)
	options := &intune.ClientOptions{Journal: journal}
	options.Cloud = cloud.Configuration{Services: map[cloud.ServiceName]cloud.ServiceConfiguration{
		intune.ServiceGraph: {Endpoint: url, Audience: url},
	}}
	options.Transport = impatient{&http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}}
	return intune.NewClient(intune.StaticToken("opaque-token"), options)
}

func (c child) run(ctx context.Context) error {
	db, err := sql.Open("pgx", c.DSN)
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(8)
	journal, err := journalpg.New(db, &journalpg.Options{Schema: c.Schema, Scope: scope, Key: key(), Lease: c.Lease})
	if err != nil {
		return err
	}
	client, err := clientOf(c.URL, c.Root, journal)
	if err != nil {
		return err
	}
	var out sync.Mutex
	show := func(session intune.RemoteAssistanceSession) {
		out.Lock()
		defer out.Unlock()
		fmt.Println("shown", session.Device.DeviceID(), session.URL.Reveal()) //nolint:forbidigo // the parent reads it
	}
	go func() {
		turns := make(chan struct{}, 4)
		for _, i := range rand.Perm(len(c.Devices)) {
			turns <- struct{}{}
			go func() {
				defer func() { <-turns }()
				c.open(ctx, client, c.Devices[i], show)
			}()
		}
	}()
	return journalpg.Resume(ctx, journal, client, func(result intune.OpenResult) {
		if result.Err == nil {
			show(result.Session)
		}
	})
}

// open asks for a device once, whichever copy does.
func (c child) open(ctx context.Context, client *intune.Client, device intune.DeviceRef, show func(intune.RemoteAssistanceSession)) {
	for {
		session, err := client.OpenRemoteAssistance(ctx, device, &intune.OpenRemoteAssistanceOptions{
			ClientRequestID: keyFor(device), ConfirmWithin: 5 * time.Second,
		})
		_, already := errors.AsType[*intune.AlreadyAskedError](err)
		_, pending := errors.AsType[*intune.PendingError](err)
		switch {
		case err == nil:
			show(session)
			return
		case already, pending, errors.Is(err, intune.ErrOutcomeUnknown):
			return
		}
		select {
		case <-time.After(100 * time.Millisecond): // the database is away, or the device busy
		case <-ctx.Done():
			return
		}
	}
}

// keyFor is the client-request-id of the only request for a device.
func keyFor(device intune.DeviceRef) string {
	return uuid.NewSHA1(uuid.NameSpaceURL, []byte(strings.ToLower(device.DeviceID()))).String()
}
