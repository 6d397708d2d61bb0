package intune_test

import (
	"errors"
	"fmt"
	"iter"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-intune/intune"
)

// manyScript answers the requests to each path in turn: statuses, or -1 for a connection that cannot be made, or -2 for one
// that breaks. The last of them answers all that follow; a path without a script is accepted.
type manyScript struct {
	mu       sync.Mutex
	answers  map[string][]int
	header   http.Header
	delay    time.Duration
	requests []sentRequest
	inFlight int
	most     int // in flight at a time
}

type sentRequest struct {
	path, id string
	at       time.Time
}

func (s *manyScript) RoundTrip(req *http.Request) (*http.Response, error) {
	s.mu.Lock()
	path := req.URL.EscapedPath()
	s.requests = append(s.requests, sentRequest{path, req.Header.Get("Client-Request-Id"), time.Now()})
	s.inFlight++
	s.most = max(s.most, s.inFlight)
	status := http.StatusNoContent
	if answers := s.answers[lastDevice(path)]; len(answers) > 0 {
		status = answers[0]
		if len(answers) > 1 {
			s.answers[lastDevice(path)] = answers[1:]
		}
	}
	s.mu.Unlock()
	timer := time.NewTimer(s.delay)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-req.Context().Done():
		status = -2
	}
	s.mu.Lock()
	s.inFlight--
	s.mu.Unlock()
	switch status {
	case -1:
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")}
	case -2:
		return nil, errors.New("broken")
	}
	return answer(req, status, s.header, ""), nil
}

func lastDevice(path string) string {
	path = strings.TrimSuffix(path, "/requestRemoteAssistance")
	return path[strings.LastIndex(path, "/")+1:]
}

func (s *manyScript) sentTo(device string) (at []time.Time) {
	for _, r := range s.requests {
		if lastDevice(r.path) == device {
			at = append(at, r.at)
		}
	}
	return at
}

// client has azcore's own delays between tries.
func (s *manyScript) client(tb testing.TB, change ...func(*intune.ClientOptions)) *intune.Client {
	return newClient(tb, s, append([]func(*intune.ClientOptions){func(o *intune.ClientOptions) { o.Retry.RetryDelay = 0 }}, change...)...)
}

func (s *manyScript) Do(req *http.Request) (*http.Response, error) { return s.RoundTrip(req) }

func devicesNamed(names ...string) iter.Seq[intune.DeviceRef] {
	return func(yield func(intune.DeviceRef) bool) {
		for _, name := range names {
			if !yield(intune.Device(name)) {
				return
			}
		}
	}
}

func numbered(n int) (names []string) {
	for i := range n {
		names = append(names, fmt.Sprintf("d%d", i))
	}
	return names
}

// summary is a result in short.
func summary(r intune.RequestResult) string {
	return fmt.Sprint(lastDevice(r.Device.String()), " ", r.Outcome, " ", r.Attempts)
}

func collect(results iter.Seq[intune.RequestResult]) (list []intune.RequestResult) {
	for r := range results {
		list = append(list, r)
	}
	slices.SortFunc(list, func(a, b intune.RequestResult) int { return strings.Compare(a.Device.String(), b.Device.String()) })
	return list
}

func summaries(results iter.Seq[intune.RequestResult]) (list []string) {
	for _, r := range collect(results) {
		list = append(list, summary(r))
	}
	return list
}
