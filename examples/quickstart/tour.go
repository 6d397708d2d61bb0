package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
	"github.com/go-intune/intune/readiness"
)

const (
	tourDeviceID = "705c034c-034c-705c-4c03-5c704c035c70"
	tourUser     = "anna@contoso.com"
	tourApp      = "a1b2c3"
	kioskID      = "5c704c03-0000-4000-8000-00000000dead"
)

// visit is the tour's in-memory tenant and a client that talks to it.
type visit struct {
	out    io.Writer
	tenant *intunetest.Tenant
	client *intune.Client
	device intune.ManagedDevice
	app    string
}

// tour shows the job on an in-memory tenant.
func tour(ctx context.Context, o options, out io.Writer) error {
	v, err := newVisit(o, out)
	if err != nil {
		return err
	}
	printf(out, "A tour on an in-memory tenant: no network, no account, nobody is really asked.\n"+
		"Lines with > show a request, lines with < its answer.\n")
	for _, step := range []func(context.Context) error{
		v.find,
		v.check,
		func(ctx context.Context) error { return v.request(ctx, v.addresses(o)) },
		func(ctx context.Context) error { return v.wait(ctx, o.address(v.device.ID)) },
		v.fail,
	} {
		printf(out, "\n")
		if err := step(ctx); err != nil {
			return err
		}
	}
	printf(out, "%s", farewell)
	return nil
}

func newVisit(o options, out io.Writer) (*visit, error) {
	v := &visit{
		out:    out,
		tenant: intunetest.NewTenant(nil),
		device: intune.ManagedDevice{
			ID:                cmp.Or(o.device, tourDeviceID),
			DeviceName:        "DESKTOP-ANNA",
			OperatingSystem:   "Windows",
			UserPrincipalName: cmp.Or(o.user, tourUser),
			LastSyncDateTime:  time.Now().Add(-3 * time.Hour),
		},
		app: cmp.Or(o.app, tourApp),
	}
	ref := v.tenant.AddDevice(v.device) // its link appears at the second look
	v.tenant.AddDetectedApp(intune.DetectedApp{ID: v.app, DisplayName: "Contoso VPN"}, ref)
	v.tenant.AddDevice(intune.ManagedDevice{ID: kioskID, DeviceName: "KIOSK-7", OperatingSystem: "Windows"})

	options := v.tenant.ClientOptions()
	options.PerRetryPolicies = append(options.PerRetryPolicies, &trace{out: out})
	var err error
	v.client, err = intune.NewClient(v.tenant.Credential(), options)
	return v, err
}

func (v *visit) find(ctx context.Context) error {
	printf(v.out, "1. Find the device by its name, %s (FindDevice)\n", v.device.DeviceName)
	device, err := v.client.FindDevice(ctx, intune.DeviceFilter{DeviceName: v.device.DeviceName}, nil)
	if err != nil {
		return err
	}
	v.device = device
	printf(v.out, "  %s, used by %s. Its Intune id: %s\n", device.OperatingSystem, device.UserPrincipalName, device.ID)
	return nil
}

func (v *visit) check(ctx context.Context) error {
	printf(v.out, "2. Would it work on this device? (readiness.Check, which only reads)\n")
	report, err := readiness.Check(ctx, v.client, v.device.Ref(), nil)
	if err != nil {
		return err
	}
	printf(v.out, "  %s\n", strings.ReplaceAll(report.String(), "\n", "\n  "))
	return nil
}

// namedAddress is an address with the Go expression that makes it.
type namedAddress struct {
	expression string
	device     intune.DeviceRef
}

// addresses are the one that the flags choose, or all three.
func (v *visit) addresses(o options) []namedAddress {
	id, user := v.device.ID, v.device.UserPrincipalName
	list := []namedAddress{
		{"intune.Device(id)", intune.Device(id)},
		{fmt.Sprintf("intune.UserDevice(%q, id)", user), intune.UserDevice(user, id)},
		{fmt.Sprintf("intune.DetectedAppDevice(%q, id)", v.app), intune.DetectedAppDevice(v.app, id)},
	}
	switch {
	case o.user != "":
		return list[1:2]
	case o.app != "":
		return list[2:3]
	default:
		return list
	}
}

func (v *visit) request(ctx context.Context, addresses []namedAddress) error {
	printf(v.out, "3. Ask for remote assistance (RequestRemoteAssistance)\n")
	for _, address := range addresses {
		printf(v.out, "  at %s\n", address.expression)
		if _, err := v.client.RequestRemoteAssistance(ctx, address.device, nil); err != nil {
			return err
		}
	}
	printf(v.out, "  204 means that Intune accepted the request. There is no session yet.\n"+
		"  On a real tenant the user would have seen up to %d prompts by now.\n", v.tenant.Prompts(intune.Device(v.device.ID)))
	return nil
}

// wait is what OpenRemoteAssistance does, with shorter pauses: the tenant is quick.
func (v *visit) wait(ctx context.Context, device intune.DeviceRef) error {
	printf(v.out, "4. Ask and wait for the link (BeginRemoteAssistance; OpenRemoteAssistance does all of this in one call)\n")
	printf(v.out, "  First a look at what is there, so that an old link is not taken for a new one; then the request:\n")
	poller, err := v.client.BeginRemoteAssistance(ctx, device, nil)
	if err != nil {
		return err
	}
	printf(v.out, "  Then look until something changes:\n")
	for {
		if _, err := poller.Poll(ctx); err != nil {
			return err
		}
		if poller.Done() {
			break
		}
		printf(v.out, "      no link yet\n")
		if err := pause(ctx, 50*time.Millisecond); err != nil {
			return err
		}
	}
	session, err := poller.Result(ctx)
	if err != nil {
		return err
	}
	printf(v.out, "      the link: %v\n"+
		"  Whoever has the link can join the session, so it prints as REDACTED, in logs and errors too.\n"+
		"  session.URL.Reveal() gives the link itself: for the technician who is to open it, and nobody else.\n", session.URL)
	return nil
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// fail shows an error as Intune sends it and as the library gives it.
func (v *visit) fail(ctx context.Context) error {
	printf(v.out, "5. What an error becomes: another device, KIOSK-7, on which the caller may not offer remote assistance\n")
	v.tenant.Inject(intunetest.Fault{
		Status: http.StatusForbidden, Double: true, Code: "Forbidden", Message: "An error has occurred",
	})
	_, err := v.client.RequestRemoteAssistance(ctx, intune.Device(kioskID), nil)
	raw, ok := errors.AsType[*azcore.ResponseError](err)
	if !ok {
		return fmt.Errorf("expected a refusal, got %w", err)
	}
	body, readErr := runtime.Payload(raw.RawResponse)
	if readErr != nil {
		return readErr
	}
	printf(v.out, "  The body as Intune sends it, JSON in JSON in JSON:\n%s"+
		"  The error, in one line (wrapped here):\n%s"+
		"  errors.Is(err, intune.ErrForbidden): %t\n",
		wrapped(string(body)), wrapped(err.Error()), errors.Is(err, intune.ErrForbidden))
	return nil
}

// wrapped breaks text into indented lines that fit a terminal, at spaces where there are any.
func wrapped(text string) string {
	const width = 100
	var b strings.Builder
	for text != "" {
		line := text
		if len(line) > width {
			line = line[:width]
			if space := strings.LastIndexByte(line, ' '); space > width/2 {
				line = line[:space]
			}
		}
		text = strings.TrimPrefix(text[len(line):], " ")
		b.WriteString("    " + line + "\n")
	}
	return b.String()
}

const farewell = `
On a real tenant, where it prompts the user of the device:

    go run ./examples/quickstart -live -auth browser -tenant TENANT -client-id APP -device ID -yes

TENANT: your Entra tenant.  APP: the client id of an app registration with the redirect URI http://localhost and the
delegated permission DeviceManagementManagedDevices.ReadWrite.All, to which an administrator has consented.
ID: the device's Intune id. A service signs in with -auth default instead. All flags: go run ./examples/quickstart -h
`
