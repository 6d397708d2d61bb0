package intune_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	azlog "github.com/Azure/azure-sdk-for-go/sdk/azcore/log"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
	"github.com/go-intune/intune/journalfile"
)

// The id of the examples' device. It is Intune's, not one of Entra's.
const exampleID = "705c034c-034c-705c-4c03-5c704c035c70"

// exampleTenant is an in-memory tenant with one device, whose link appears at the first read after a request.
func exampleTenant() (tenant *intunetest.Tenant, client *intune.Client, device intune.DeviceRef) {
	tenant = intunetest.NewTenant(nil)
	device = tenant.AddDevice(
		intune.ManagedDevice{ID: exampleID, DeviceName: "DESKTOP-ANNA", UserPrincipalName: "anna@contoso.com"},
		intunetest.SessionScript{AfterReads: 1, URL: "https://get.teamviewer.com/v15/s12345678"},
	)
	tenant.AddDetectedApp(intune.DetectedApp{ID: "a1b2c3", DisplayName: "Contoso VPN"}, device)
	return tenant, tenant.Client(), device
}

// The whole job: ask the user of a device, wait for the session's link, and show it to the technician.
func Example() {
	ctx := context.Background()
	tenant := intunetest.NewTenant(&intunetest.TenantOptions{LookAgainAfter: time.Millisecond}) // in a program: a real one
	credential, options, device := tenant.Credential(), tenant.ClientOptions(), tenant.AddDevice(
		intune.ManagedDevice{DeviceName: "DESKTOP-ANNA"},
		intunetest.SessionScript{URL: "https://get.teamviewer.com/v15/s12345678"},
	)

	client, err := intune.NewClient(credential, options)
	if err != nil {
		fmt.Println(err)
		return
	}
	session, err := client.OpenRemoteAssistance(ctx, device, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("Open this link:", session.URL.Reveal())
	// Output:
	// Open this link: https://get.teamviewer.com/v15/s12345678
}

// Ask the user of a device. A nil error means that Intune accepted the request; the session comes later, if at all.
func ExampleClient_RequestRemoteAssistance() {
	ctx := context.Background()
	_, client, _ := exampleTenant()

	device := intune.Device("705c034c-034c-705c-4c03-5c704c035c70")
	response, err := client.RequestRemoteAssistance(ctx, device, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("accepted; Microsoft's support will ask for the id of the request:", response.RequestID != "")
	// Output:
	// accepted; Microsoft's support will ask for the id of the request: true
}

// The same at the address of a user's device, for a caller that has the user's name and the device's id.
func ExampleClient_RequestRemoteAssistance_userDevice() {
	ctx := context.Background()
	tenant, client, _ := exampleTenant()

	device := intune.UserDevice("anna@contoso.com", "705c034c-034c-705c-4c03-5c704c035c70")
	if _, err := client.RequestRemoteAssistance(ctx, device, nil); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(tenant.Requests()[0].Path)
	// Output:
	// /v1.0/users/anna@contoso.com/managedDevices/705c034c-034c-705c-4c03-5c704c035c70/requestRemoteAssistance
}

// The same at the address of a device below an app that was found on it.
func ExampleClient_RequestRemoteAssistance_detectedAppDevice() {
	ctx := context.Background()
	tenant, client, _ := exampleTenant()

	device := intune.DetectedAppDevice("a1b2c3", "705c034c-034c-705c-4c03-5c704c035c70")
	if _, err := client.RequestRemoteAssistance(ctx, device, nil); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(tenant.Requests()[0].Path)
	// Output:
	// /v1.0/deviceManagement/detectedApps/a1b2c3/managedDevices/705c034c-034c-705c-4c03-5c704c035c70/requestRemoteAssistance
}

func ExampleDevice() {
	fmt.Println(intune.Device("705c034c-034c-705c-4c03-5c704c035c70"))
	// Output:
	// /deviceManagement/managedDevices/705c034c-034c-705c-4c03-5c704c035c70
}

// A request with an address that cannot be used is never sent.
func ExampleDevice_refused() {
	ctx := context.Background()
	tenant, client, _ := exampleTenant()

	_, err := client.RequestRemoteAssistance(ctx, intune.Device("../users"), nil)
	fmt.Println(errors.Is(err, intune.ErrInvalidArgument))
	fmt.Println("requests sent:", len(tenant.Requests()))
	// Output:
	// true
	// requests sent: 0
}

// The name of a guest holds a #, and Go's URL parser would drop the path after it. The address escapes it.
func ExampleUserDevice() {
	fmt.Println(intune.UserDevice("anna_fabrikam.com#EXT#@contoso.com", "705c034c"))
	fmt.Println(intune.UserDevice("$anna@contoso.com", "705c034c"))
	// Output:
	// /users/anna_fabrikam.com%23EXT%23@contoso.com/managedDevices/705c034c
	// /users('$anna@contoso.com')/managedDevices/705c034c
}

func ExampleDetectedAppDevice() {
	fmt.Println(intune.DetectedAppDevice("a1b2c3", "705c034c"))
	// Output:
	// /deviceManagement/detectedApps/a1b2c3/managedDevices/705c034c
}

func ExampleParseDeviceRef() {
	device, err := intune.ParseDeviceRef("users/anna@contoso.com/managedDevices/705c034c")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(device.DeviceID())
	fmt.Println(device)

	_, err = intune.ParseDeviceRef("/deviceManagement/managedDevices/../../me")
	fmt.Println(errors.Is(err, intune.ErrInvalidArgument))
	// Output:
	// 705c034c
	// /users/anna@contoso.com/managedDevices/705c034c
	// true
}

// An address is text in JSON, CSV and flags, and can be a map's key.
func ExampleDeviceRef() {
	open := map[intune.DeviceRef]string{intune.Device("705c034c"): "ticket 4711"}
	text, err := json.Marshal(open)
	fmt.Println(string(text), err)

	var back map[intune.DeviceRef]string
	err = json.Unmarshal(text, &back)
	fmt.Println(back[intune.Device("705c034c")], err)
	// Output:
	// {"/deviceManagement/managedDevices/705c034c":"ticket 4711"} <nil>
	// ticket 4711 <nil>
}

// openSession asks the user of a device and shows the session's link to the technician, and to nobody else.
func openSession(ctx context.Context, client *intune.Client, device intune.DeviceRef, technician io.Writer) error {
	session, err := client.OpenRemoteAssistance(ctx, device, nil) // waits ten minutes at most
	if err != nil {
		return err
	}
	slog.DebugContext(ctx, "session open", "device", device, "link", session.URL) // link=REDACTED
	_, err = fmt.Fprintln(technician, "Open this link:", session.URL.Reveal())
	return err
}

// The whole job: ask, wait for the link, hand it to the person who is to open it. The call waits three seconds before
// the first read; inside testing/synctest, a test of such code takes no real time.
func ExampleClient_OpenRemoteAssistance() {
	_, client, device := exampleTenant()
	if err := openSession(context.Background(), client, device, os.Stdout); err != nil {
		fmt.Println(err)
	}
}

// With a poller, the caller decides how often and where to wait.
func ExampleClient_BeginRemoteAssistance() {
	ctx := context.Background()
	_, client, device := exampleTenant()

	poller, err := client.BeginRemoteAssistance(ctx, device, nil)
	if err != nil {
		fmt.Println("nobody was asked:", err)
		return
	}
	session, err := poller.PollUntilDone(ctx, &runtime.PollUntilDoneOptions{Frequency: 3 * time.Second})
	if err != nil {
		fmt.Println("no session:", err)
		return
	}
	fmt.Println("printed:", session.URL)
	fmt.Println("for the technician:", session.URL.Reveal())
	// Output:
	// printed: REDACTED
	// for the technician: https://get.teamviewer.com/v15/s12345678
}

// A wait can continue after a restart, or in another process, without asking the user again.
func ExampleClient_ResumeRemoteAssistance() {
	ctx := context.Background()
	tenant, client, device := exampleTenant()

	// One process asks, and stores the token. It holds no link.
	poller, err := client.BeginRemoteAssistance(ctx, device, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	token, err := poller.ResumeToken()
	if err != nil {
		fmt.Println(err)
		return
	}

	// Another process, with a client of its own, continues the wait. It only reads, and does not ask.
	other := tenant.Client()
	resumed, err := other.ResumeRemoteAssistance(ctx, token, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	session, err := resumed.PollUntilDone(ctx, &runtime.PollUntilDoneOptions{Frequency: 3 * time.Second})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("link:", session.URL)
	fmt.Println("times the user was asked:", tenant.Prompts(device))
	// Output:
	// link: REDACTED
	// times the user was asked: 1
}

// A link from before the request is never passed off as a new one. With AcceptExistingAfter the wait accepts it all the
// same, and marks it as Reused.
func ExampleClient_BeginRemoteAssistance_existingLink() {
	ctx := context.Background()
	tenant := intunetest.NewTenant(nil)
	device := tenant.AddDevice(
		intune.ManagedDevice{RemoteAssistanceSessionURL: intune.NewSessionURL("https://get.teamviewer.com/v15/sOLD")},
		intunetest.SessionScript{KeepOld: true, AfterReads: 1},
	)

	options := &intune.BeginRemoteAssistanceOptions{AcceptExistingAfter: time.Nanosecond} // a minute, in real life
	poller, err := tenant.Client().BeginRemoteAssistance(ctx, device, options)
	if err != nil {
		fmt.Println(err)
		return
	}
	session, err := poller.PollUntilDone(ctx, &runtime.PollUntilDoneOptions{Frequency: 3 * time.Second})
	fmt.Println(session.URL, session.Reused, err)
	// Output:
	// REDACTED true <nil>
}

// When the service says why there is no session, the error holds its words and, where the library knows, the remedy.
func ExampleSessionError() {
	ctx := context.Background()
	tenant := intunetest.NewTenant(nil)
	device := tenant.AddDevice(
		intune.ManagedDevice{ID: "1"},
		intunetest.SessionScript{AfterReads: 1, ErrorDetails: "No license for remote assistance was found."},
	)

	poller, err := tenant.Client().BeginRemoteAssistance(ctx, device, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = poller.PollUntilDone(ctx, &runtime.PollUntilDoneOptions{Frequency: 3 * time.Second})
	if failed, ok := errors.AsType[*intune.SessionError](err); ok {
		fmt.Println("the service:", failed.Details)
		fmt.Println("to do:", failed.Hint)
	}
	// Output:
	// the service: No license for remote assistance was found.
	// to do: TeamViewer needs a license with integration rights, bought separately
}

// Read what the device's record has now. It may be left over from an earlier session, because the record does not say
// when it was set.
func ExampleClient_GetRemoteAssistanceSession() {
	ctx := context.Background()
	_, client, device := exampleTenant()

	session, err := client.GetRemoteAssistanceSession(ctx, device, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("has a link:", !session.URL.IsZero())
	fmt.Printf("error text: %q\n", session.ErrorDetails)
	// Output:
	// has a link: false
	// error text: ""
}

// A link always prints as REDACTED.
func ExampleSessionURL() {
	link := intune.NewSessionURL("https://get.teamviewer.com/v15/s12345678")
	fmt.Printf("%v %+v %#v %s %q\n", link, link, link, link, link)
	fmt.Println(link.Reveal())
	// Output:
	// REDACTED REDACTED REDACTED REDACTED REDACTED
	// https://get.teamviewer.com/v15/s12345678
}

// slowTenant is an in-memory tenant with one device, whose link appears an hour after a request. Its clients read again
// at once.
func slowTenant() (tenant *intunetest.Tenant, client *intune.Client, device intune.DeviceRef) {
	tenant = intunetest.NewTenant(&intunetest.TenantOptions{LookAgainAfter: time.Millisecond})
	device = tenant.AddDevice(
		intune.ManagedDevice{ID: exampleID, DeviceName: "DESKTOP-ANNA"},
		intunetest.SessionScript{After: time.Hour, URL: "https://get.teamviewer.com/v15/s12345678"},
	)
	return tenant, tenant.Client(), device
}

// The error of a wait that ends without a link says that the user was asked, and how to continue. Asking again would
// prompt the user again.
func ExampleClient_OpenRemoteAssistance_pending() {
	ctx := context.Background()
	tenant, client, device := slowTenant()

	options := &intune.OpenRemoteAssistanceOptions{MaxWait: 20 * time.Millisecond}
	later := func() { tenant.Advance(time.Hour) }

	session, err := client.OpenRemoteAssistance(ctx, device, options)
	if pending, ok := errors.AsType[*intune.PendingError](err); ok {
		fmt.Println("asked, no link yet")
		later() // perhaps in another process
		session, err = client.WaitForRemoteAssistance(ctx, pending.ResumeToken, nil)
	}
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("link:", session.URL)
	fmt.Println("times the user was asked:", tenant.Prompts(device))
	// Output:
	// asked, no link yet
	// link: REDACTED
	// times the user was asked: 1
}

// The error tells whether the user was asked.
func ExamplePendingError() {
	ctx := context.Background()
	_, client, device := slowTenant()

	_, err := client.OpenRemoteAssistance(ctx, device, &intune.OpenRemoteAssistanceOptions{MaxWait: time.Millisecond})

	var pending *intune.PendingError
	var failed *intune.SessionError
	switch {
	case err == nil:
		fmt.Println("asked, and there is a link")
	case errors.As(err, &failed):
		fmt.Println("asked, and the service says why there is no session")
	case errors.As(err, &pending) && errors.Is(err, intune.ErrOutcomeUnknown):
		fmt.Println("perhaps asked; look again with", len(pending.ResumeToken) > 0)
	case errors.As(err, &pending):
		fmt.Println("asked; go on with WaitForRemoteAssistance and pending.ResumeToken")
	default:
		fmt.Println("not asked:", err)
	}
	// Output:
	// asked; go on with WaitForRemoteAssistance and pending.ResumeToken
}

// A token that is stored as soon as the user was asked survives a crash. After the crash, the program continues the
// wait and does not ask again.
func ExampleClient_WaitForRemoteAssistance() {
	ctx := context.Background()
	tenant, client, device := slowTenant()
	var stored string // a row in the ticket system, in real life

	_, err := client.OpenRemoteAssistance(ctx, device, &intune.OpenRemoteAssistanceOptions{
		OnRequested: func(requested intune.Requested) { stored = requested.ResumeToken },
		MaxWait:     time.Millisecond, // as if the program crashed
	})
	fmt.Println("pending:", errors.Is(err, intune.ErrSessionPending))
	tenant.Advance(time.Hour)

	session, err := tenant.Client().WaitForRemoteAssistance(ctx, stored, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("link:", session.URL)
	fmt.Println("times the user was asked:", tenant.Prompts(device))
	// Output:
	// pending: true
	// link: REDACTED
	// times the user was asked: 1
}

// After a crash, the journal tells which users may or may not have been asked.
func ExampleJournalRequests() {
	ctx := context.Background()
	tenant, _, device := exampleTenant()
	path := filepath.Join(os.TempDir(), "asked-"+rand.Text()+".jsonl")
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.Remove(path)
	defer file.Close()
	journal := journalfile.New(file, nil)
	options := tenant.ClientOptions()
	options.Journal = journal
	client, err := intune.NewClient(tenant.Credential(), options)
	if err != nil {
		fmt.Println(err)
		return
	}
	tenant.Inject(intunetest.Fault{PathSuffix: "/requestRemoteAssistance", Drop: intunetest.DropAfter})
	_, err = client.RequestRemoteAssistance(ctx, device, nil)
	fmt.Println("unknown:", errors.Is(err, intune.ErrOutcomeUnknown))

	file.Seek(0, io.SeekStart)
	requests, err := intune.JournalRequests(journalfile.Read(file))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, r := range requests {
		if r.Outcome() != intune.OutcomeUnknown {
			continue
		}
		fmt.Println("perhaps asked:", r.Device().DeviceID())
		// Somebody has called the user, who saw a prompt.
		learned := intune.JournalEntry{Device: r.Device(), ClientRequestID: r.Asking.ClientRequestID, Outcome: intune.OutcomeAccepted}
		if err := journal.Asked(ctx, learned); err != nil {
			fmt.Println(err)
		}
	}
	file.Seek(0, io.SeekStart)
	requests, err = intune.JournalRequests(journalfile.Read(file))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("requests:", len(requests), requests[0].Outcome())
	// Output:
	// unknown: true
	// perhaps asked: 705c034c-034c-705c-4c03-5c704c035c70
	// requests: 1 accepted
}

// Ask the users of many devices. The pace is five devices a second unless told otherwise.
func ExampleClient_RequestRemoteAssistanceMany() {
	ctx := context.Background()
	tenant := intunetest.NewTenant(nil)
	client := tenant.Client()
	devices := []intune.DeviceRef{
		tenant.AddDevice(intune.ManagedDevice{ID: "705c034c-034c-705c-4c03-5c704c035c70"}),
		intune.Device("0d3f9c1a-77b2-4c55-9a08-2f5c7b6e1d42"), // of which the tenant knows nothing
	}

	for result := range client.RequestRemoteAssistanceMany(ctx, slices.Values(devices), nil) {
		switch result.Outcome {
		case intune.OutcomeAccepted:
			fmt.Println(result.Device, "was asked")
		case intune.OutcomeUnknown:
			fmt.Println(result.Device, "may have been asked; look at its session first")
		default:
			fmt.Println(result.Device, "was not asked:", errors.Is(result.Err, intune.ErrNotFound))
		}
	}
	// Unordered output:
	// /deviceManagement/managedDevices/705c034c-034c-705c-4c03-5c704c035c70 was asked
	// /deviceManagement/managedDevices/0d3f9c1a-77b2-4c55-9a08-2f5c7b6e1d42 was not asked: true
}

// Every Windows device, as the pages of the list come in. The progress goes to standard error, every hundred devices.
func ExampleClient_RequestRemoteAssistanceMany_pages() {
	ctx := context.Background()
	tenant := intunetest.NewTenant(nil)
	client := tenant.Client()
	for i := range 45 {
		tenant.AddDevice(intune.ManagedDevice{DeviceName: fmt.Sprintf("PC-%02d", i), OperatingSystem: "Windows"})
	}

	var listErr error
	windows := func(yield func(intune.DeviceRef) bool) {
		options := &intune.ListDevicesOptions{Filter: intune.DeviceFilter{OperatingSystem: "Windows"}}
		for device, err := range client.Devices(ctx, intune.AllDevices(), options) {
			if listErr = err; err != nil || !yield(device.Ref()) {
				return
			}
		}
	}
	accepted := 0
	for result := range client.RequestRemoteAssistanceMany(ctx, windows, &intune.RequestRemoteAssistanceManyOptions{
		PerSecond: 100, // of a real tenant, the service refuses more than 10
		OnProgress: func(p intune.Progress) {
			if p.Done()%100 == 0 {
				fmt.Fprintf(os.Stderr, "\r%d done, %.1f a second ", p.Done(), p.PerSecond)
			}
		},
	}) {
		if result.Outcome == intune.OutcomeAccepted {
			accepted++
		}
	}
	fmt.Println(accepted, "accepted; the list:", listErr)
	// Output: 45 accepted; the list: <nil>
}

// Ask the users of many devices, wait for all links, and hand each out as it comes. Keep the tokens, or use a journal: with
// them another process goes on with the waits if this one ends.
func ExampleClient_OpenRemoteAssistanceMany() {
	ctx := context.Background()
	tenant := intunetest.NewTenant(&intunetest.TenantOptions{LookAgainAfter: time.Millisecond}) // in a program: a real one
	client := tenant.Client()
	devices := []intune.DeviceRef{
		tenant.AddDevice(
			intune.ManagedDevice{ID: "PC-1"}, intunetest.SessionScript{URL: "https://get.teamviewer.com/v15/s1"},
		),
		tenant.AddDevice(intune.ManagedDevice{ID: "PC-2"}, intunetest.SessionScript{ErrorDetails: "the user declined"}),
		tenant.AddDevice(intune.ManagedDevice{ID: "PC-3"}, intunetest.SessionScript{Never: true}),
		intune.Device("PC-4"), // of which the tenant knows nothing
	}

	tokens := map[intune.DeviceRef]string{}
	options := &intune.OpenRemoteAssistanceManyOptions{
		OnRequested: func(r intune.Requested) { tokens[r.Device] = r.ResumeToken },
	}
	for result := range client.OpenRemoteAssistanceMany(ctx, slices.Values(devices), options) {
		pending, asked := errors.AsType[*intune.PendingError](result.Err)
		failed, declined := errors.AsType[*intune.SessionError](result.Err)
		switch {
		case result.Err == nil:
			fmt.Println(result.Device.DeviceID(), result.Session.URL.Reveal())
		case asked:
			fmt.Println(result.Device.DeviceID(), "was asked, no link yet:", pending.ResumeToken != "")
		case declined:
			fmt.Println(result.Device.DeviceID(), "has no session:", failed.Details)
		default:
			fmt.Println(result.Device.DeviceID(), "was not asked:", errors.Is(result.Err, intune.ErrNotFound))
		}
	}
	fmt.Println(len(tokens), "tokens")
	// Unordered output:
	// PC-1 https://get.teamviewer.com/v15/s1
	// PC-2 has no session: the user declined
	// PC-3 was asked, no link yet: true
	// PC-4 was not asked: true
	// 3 tokens
}

// Branch on the sentinels, show the text.
func ExampleError() {
	ctx := context.Background()
	tenant, client, device := exampleTenant()
	tenant.Inject(intunetest.Fault{Status: http.StatusForbidden, Double: true, Code: "Forbidden", Message: "An error has occurred"})

	_, err := client.RequestRemoteAssistance(ctx, device, nil)
	switch {
	case errors.Is(err, intune.ErrOutcomeUnknown):
		fmt.Println("the user may have been asked: look before asking again")
	case errors.Is(err, intune.ErrForbidden):
		fmt.Println("not allowed")
	case errors.Is(err, intune.ErrNotFound):
		fmt.Println("no such device")
	case errors.Is(err, intune.ErrThrottled):
		fmt.Println("later")
	case err != nil:
		fmt.Println("something else")
	}
	if failed, ok := errors.AsType[*intune.Error](err); ok {
		fmt.Println(failed.StatusCode, failed.Code, failed.InnerCode)
		fmt.Println(failed.Message)
	}
	// Output:
	// not allowed
	// 403 UnknownError Forbidden
	// An error has occurred
}

// azcore's own error is underneath, with the raw response.
func ExampleError_responseError() {
	ctx := context.Background()
	_, client, _ := exampleTenant()

	_, err := client.RequestRemoteAssistance(ctx, intune.Device("no-such-device"), nil)
	if raw, ok := errors.AsType[*azcore.ResponseError](err); ok {
		fmt.Println(raw.StatusCode, raw.ErrorCode, raw.RawResponse.Header.Get("Content-Type") != "")
	}
	// Output:
	// 404 ResourceNotFound true
}

// The connection broke after the request had been sent. The library does not send it again, since the user may have
// been asked. A little later, the device's record may show that the user was.
func ExampleError_outcomeUnknown() {
	ctx := context.Background()
	tenant, client, device := exampleTenant()
	tenant.Inject(intunetest.Fault{PathSuffix: "/requestRemoteAssistance", Drop: intunetest.DropAfter})

	_, err := client.RequestRemoteAssistance(ctx, device, nil)
	if errors.Is(err, intune.ErrOutcomeUnknown) {
		session, err := client.GetRemoteAssistanceSession(ctx, device, nil)
		fmt.Println("there is a link:", !session.URL.IsZero(), err)
	}
	fmt.Println("times the user was asked:", tenant.Prompts(device))
	// Output:
	// there is a link: true <nil>
	// times the user was asked: 1
}

// Send azcore's log to the program's own log. The process has one listener.
func ExampleClientOptions_logging() {
	azlog.SetListener(func(event azlog.Event, text string) {
		slog.Debug(text, "event", event)
	})
	azlog.SetEvents(azlog.EventRequest, azlog.EventResponse, azlog.EventRetryPolicy)
}
