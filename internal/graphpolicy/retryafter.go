package graphpolicy

import (
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	headerRetryAfter      = "Retry-After"
	headerRetryAfterMS    = "Retry-After-Ms"
	headerXMSRetryAfterMS = "X-Ms-Retry-After-Ms"

	// maxRetryAfter bounds what a header can ask for, so that arithmetic on it cannot overflow.
	maxRetryAfter = 365 * 24 * time.Hour
)

// normalizeRetryAfter makes azcore wait as long as the service asks. azcore reads whole seconds and RFC 1123 dates only
// and ignores the fractions that Graph sends ("0.249"), padded numbers and the other forms of dates; it does honor
// Retry-After-Ms, so the delay is written there, rounded up.
func normalizeRetryAfter(resp *http.Response) {
	if delay := RetryAfter(resp.Header, time.Now()); delay > 0 {
		setHeader(resp, headerRetryAfterMS, strconv.FormatInt(int64((delay+time.Millisecond-1)/time.Millisecond), 10))
	}
}

// RetryAfter is the wait that a response asks for, 0 if it asks for none: the longest of the Retry-After header and
// its variants in milliseconds.
func RetryAfter(header http.Header, now time.Time) time.Duration {
	var longest time.Duration
	for _, name := range [...]string{headerRetryAfterMS, headerXMSRetryAfterMS} {
		for _, value := range header[name] {
			longest = max(longest, parseNumber(value, time.Millisecond))
		}
	}
	for _, value := range header[headerRetryAfter] {
		longest = max(longest, ParseRetryAfter(value, header.Get("Date"), now))
	}
	return longest
}

// ParseRetryAfter reads a Retry-After value: seconds, whole or fractional, or a date in any form of RFC 9110. A date
// counts from the response's own Date, so that a wrong local clock does not matter. A value that makes no sense gives
// 0.
func ParseRetryAfter(value, date string, now time.Time) time.Duration {
	at, err := http.ParseTime(strings.TrimSpace(value))
	if err != nil {
		return parseNumber(value, time.Second)
	}
	if sent, _ := http.ParseTime(date); now.Sub(sent).Abs() < 24*time.Hour { // the zero time is long ago
		now = sent
	}
	return min(max(at.Sub(now), 0), maxRetryAfter)
}

func parseNumber(value string, unit time.Duration) time.Duration {
	number, _ := strconv.ParseFloat(strings.TrimSpace(value), 64) // 0 if it is none, infinite if it is too large
	if math.IsNaN(number) {
		return 0
	}
	return time.Duration(min(max(math.Ceil(number*float64(unit)), 0), float64(maxRetryAfter)))
}
