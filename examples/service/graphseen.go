package main

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
)

// graphSeen remembers when Microsoft Graph answered last, and when it did not. It is a policy of the library's pipeline, and
// sends nothing itself.
type graphSeen struct{ answered, failed atomic.Pointer[time.Time] }

// Do notes what becomes of a request. An answer that refuses is an answer; a caller who goes away is no failure of Graph.
func (g *graphSeen) Do(r *policy.Request) (*http.Response, error) {
	response, err := r.Next()
	now := time.Now().UTC()
	switch {
	case err == nil && response.StatusCode < http.StatusInternalServerError:
		g.answered.Store(&now)
	case !errors.Is(err, context.Canceled):
		g.failed.Store(&now)
	}
	return response, err
}

// graphView is what /readyz says of Graph. A time is missing if there was no such answer since the start.
type graphView struct {
	LastAnswer  *time.Time `json:"lastAnswer,omitempty"`
	LastFailure *time.Time `json:"lastFailure,omitempty"`
}

func (g *graphSeen) view() graphView {
	return graphView{LastAnswer: g.answered.Load(), LastFailure: g.failed.Load()}
}
