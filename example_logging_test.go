package intune_test

import (
	"log/slog"

	azlog "github.com/Azure/azure-sdk-for-go/sdk/azcore/log"
)

// What azcore logs goes where the program's log goes. The listener is one for the process.
func ExampleClientOptions_logging() {
	azlog.SetListener(func(event azlog.Event, text string) {
		slog.Debug(text, "event", event)
	})
	azlog.SetEvents(azlog.EventRequest, azlog.EventResponse, azlog.EventRetryPolicy)
}
