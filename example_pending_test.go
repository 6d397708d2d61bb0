package intune_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
)

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

	session, err := client.OpenRemoteAssistance(ctx, device, &intune.OpenRemoteAssistanceOptions{MaxWait: 20 * time.Millisecond})
	if pending, ok := errors.AsType[*intune.PendingError](err); ok {
		fmt.Println("asked, no link yet")
		tenant.Advance(time.Hour) // some other time, perhaps in another process
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
		OnRequested: func(resumeToken string) { stored = resumeToken },
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
