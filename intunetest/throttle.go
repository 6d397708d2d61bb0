package intunetest

import (
	"fmt"
	"net/http"
	"strings"
	"time"
)

// The limits per app and tenant of https://learn.microsoft.com/graph/throttling-limits, in any throttleWindow. All apps of
// a tenant together have twice as much.
const (
	throttleWindow = 20 * time.Second

	deviceWrites, deviceRequests   = 200, 2000
	partnerWrites, partnerRequests = 100, 1000
)

// windowKey identifies what one allowance is for.
type windowKey struct {
	app      string
	allApps  bool
	partners bool
	writes   bool
}

// throttle counts a request, and refuses it if there were too many, including this one. The caller holds the lock.
func (t *Tenant) throttle(x *exchange) *answer {
	if !t.options.ThrottleLimits {
		return nil
	}
	now := t.now()
	partners := strings.Contains(strings.ToLower(x.request.Path), "/remoteassistancepartners")
	limit, writeLimit := deviceRequests, deviceWrites
	if partners {
		limit, writeLimit = partnerRequests, partnerWrites
	}
	writes := false
	switch x.request.Method {
	case http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete:
		writes = true
	}
	var delay time.Duration
	for _, key := range []windowKey{{app: x.caller.app, partners: partners}, {partners: partners, allApps: true}} {
		factor := 1
		if key.allApps {
			factor = 2
		}
		delay = max(delay, t.count(key, factor*limit, now))
		if key.writes = true; writes {
			delay = max(delay, t.count(key, factor*writeLimit, now))
		}
	}
	if delay <= 0 {
		return nil
	}
	a := x.intuneError(http.StatusTooManyRequests, "TooManyRequests", unspecific, x.backend())
	if !t.options.OmitRetryAfter {
		a.header.Set("Retry-After", seconds(delay))
	}
	return a
}

// count adds a request to a window. It returns 0 if the request is let through, or how long to wait until the next one
// would be. Rejected requests stay in the window, because they count against the allowance too.
func (t *Tenant) count(key windowKey, limit int, now time.Time) time.Duration {
	window := t.windows[key] // in the order of time
	for len(window) > 0 && now.Sub(window[0]) >= throttleWindow {
		window = window[1:]
	}
	window = append(window, now)
	t.windows[key] = window
	if len(window) <= limit {
		return 0
	}
	return window[len(window)-limit].Add(throttleWindow).Sub(now)
}

// seconds writes a delay as Graph does: a number of seconds with up to three decimals, rounded up so that waiting
// helps.
func seconds(d time.Duration) string {
	ms := (d + time.Millisecond - 1) / time.Millisecond
	return fmt.Sprint(float64(ms) / 1000)
}
