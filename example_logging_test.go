package intune_test

import (
	"log/slog"

	azlog "github.com/Azure/azure-sdk-for-go/sdk/azcore/log"
)

// Send azcore's log to the program's own log. The process has one listener.
func ExampleClientOptions_logging() {
	azlog.SetListener(func(event azlog.Event, text string) {
		slog.Debug(text, "event", event)
	})
	azlog.SetEvents(azlog.EventRequest, azlog.EventResponse, azlog.EventRetryPolicy)
}
