package intune_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
)

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
