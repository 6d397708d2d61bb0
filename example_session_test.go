package intune_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
)

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
		intunetest.SessionScript{AfterReads: 1, ErrorDetails: "The TeamViewer connector is not configured."},
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
	// the service: The TeamViewer connector is not configured.
	// to do: the TeamViewer connector of the tenant is not set up: an administrator connects it in the Intune admin center; RemoteAssistanceConnector shows its state
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
