package intunetest

import (
	"cmp"
	"time"
)

// TenantOptions configures a [Tenant]. The zero value, like a nil pointer, gives a tenant with a working connector, no
// throttling and pages of 1000.
type TenantOptions struct {
	// Clock is the time of the tenant before Tenant.Advance; nil means time.Now, which is the fake clock inside a
	// testing/synctest bubble. It is called from the goroutine of each request and must be safe for concurrent use. It must
	// not call methods of the tenant, which holds its lock meanwhile.
	Clock func() time.Time

	// ThrottleLimits turns on the limits that Microsoft publishes per app: in any 20 seconds, 200 writes and 2000 requests
	// in total for devices and detected apps, 100 and 1000 for remote-assistance partners, and twice that for all apps of
	// the tenant together. An app is the appid or azp claim of the token, or the token itself if it has neither. Rejected
	// requests count as well, so a client that does not wait never gets through. The answer is 429 with Intune's nested
	// body and, unless OmitRetryAfter is set, a Retry-After in seconds that may be fractional. Each item of a $batch counts,
	// and the $batch itself does not. Source:
	// https://learn.microsoft.com/graph/throttling-limits.
	ThrottleLimits bool

	// OmitRetryAfter leaves the Retry-After header out of the answers of ThrottleLimits, as users report of Intune.
	OmitRetryAfter bool

	// Strict is for tests of a client that must not rely on undocumented tolerance. It makes the tenant refuse or ignore
	// what the service was seen to accept although a document of Microsoft says that it does not: option names that are
	// sent encoded, such as %24select, are ignored; a $skiptoken works only exactly as given, not re-encoded; and the
	// header Content-Type of an item of a $batch must be spelled exactly so. Sources:
	// https://github.com/microsoftgraph/msgraph-sdk-design/blob/main/middleware/ParametersNameDecodingHandler.md for the
	// first, and https://github.com/microsoftgraph/microsoft-graph-docs-contrib/issues/8032 for the last.
	Strict bool

	// PageSize is how many items a page of a list holds, unless the request has a smaller $top. 0, a negative number and a
	// number above 1000 mean 1000, the service's own default.
	PageSize int

	// ShortPages makes lists awkward in a way that Graph allows: the first page is empty and has a next link, and every
	// second page after it is empty too; the others hold half the page size. In the list of detected apps, whose next
	// links say only how many apps to skip, only the first page is empty.
	ShortPages bool

	// KeepRequests is how many of the latest requests Tenant.Requests returns; Tenant.RequestCount counts all. 0 means
	// 10,000, which takes about ten megabytes if the bodies are small, and a negative number means none.
	KeepRequests int

	// RefuseDetectedAppAction makes the action answer 400 at the address below a detected app, as the GET of a device
	// there does. Users reported this for the GET in 2021; nobody knows whether the action does it.
	RefuseDetectedAppAction bool

	// OmitAuditEvents makes the tenant write no audit event of the action. Microsoft documents events of remote actions, but
	// nobody has confirmed that the service writes one for this action, so a program must not depend on it. The tenant
	// keeps the last 9,000 to 10,000 events.
	OmitAuditEvents bool

	// LookAgainAfter is for tests that wait for a link outside of a testing/synctest bubble. Above zero, it is the real
	// time between two reads of a session, such as a millisecond, and the code under test needs no option. A client whose
	// transport is the tenant, as in Tenant.ClientOptions, or an http.Client with the tenant as its Transport, asks the
	// tenant for it (Tenant.LookAgainAfter); it replaces the pace of the library's waits, their Frequency and
	// SessionReadsPerSecond. For azcore's PollUntilDone, which replaces its Frequency by what an answer asks for, the answers
	// to such reads say the same in Retry-After-Ms.
	//
	// Each read moves the tenant's clock by LookInterval, so that SessionScript.After passes as if the client had waited.
	// The clock of such a client moves along: ten minutes of MaxWait take some 120 reads, and Tenant.Advance makes them
	// pass at once. A client that reaches the tenant through a server or Tenant.Register has its own pace, because a
	// Retry-After never makes a wait read sooner, and measures its waits in real time: give it a short Frequency, a short
	// MaxWait and a SessionReadsPerSecond below zero, or a transport with a method LookAgainAfter of its own (see intune.ClientOptions).
	LookAgainAfter time.Duration
}

// LookInterval is how far a read of a session moves the tenant's clock when [TenantOptions.LookAgainAfter] is set.
const LookInterval = 5 * time.Second

// maxPageSize is Intune's default, and the largest $top that is known to work.
const maxPageSize = 1000

func (o *TenantOptions) withDefaults() TenantOptions {
	var options TenantOptions
	if o != nil {
		options = *o
	}
	if options.Clock == nil {
		options.Clock = time.Now
	}
	if options.PageSize <= 0 || options.PageSize > maxPageSize {
		options.PageSize = maxPageSize
	}
	options.KeepRequests = max(cmp.Or(options.KeepRequests, 10_000), 0)
	return options
}
