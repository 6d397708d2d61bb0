package intunetest

import (
	"cmp"
	"time"
)

// TenantOptions configures a [Tenant]. The zero value, like a nil pointer, gives a tenant with a working connector, no
// throttling and pages of 1000.
type TenantOptions struct {
	// Clock is the time of the tenant before [Tenant.Advance]; nil means [time.Now], which is the fake clock inside a
	// testing/synctest bubble. It is called from the goroutine of each request and must be safe for concurrent use.
	Clock func() time.Time

	// ThrottleLimits turns on the limits that Microsoft publishes per app: in any 20 seconds, 200 writes and 2000
	// requests in all for devices and detected apps, 100 and 1000 for remote-assistance partners. An app is the appid
	// claim of the token, or the token itself if it has none. Rejected requests count as well, so a client that does
	// not wait never gets through. The answer is 429 with Intune's nested body and, unless OmitRetryAfter is set, a
	// Retry-After in seconds that may be fractional. The items of a $batch count one by one. Source:
	// https://learn.microsoft.com/graph/throttling-limits.
	ThrottleLimits bool

	// OmitRetryAfter leaves the Retry-After header out of the answers of ThrottleLimits, as users report of Intune.
	OmitRetryAfter bool

	// Strict makes the tenant refuse or ignore what the service was seen to accept although a document of Microsoft says
	// that it does not, for those who want to catch a client that relies on it: option names that are sent encoded, such
	// as %24select, are ignored; a $skiptoken works only exactly as given, not re-encoded; and the Content-Type of an item
	// of a $batch has to be spelled so. Sources:
	// https://github.com/microsoftgraph/msgraph-sdk-design/blob/main/middleware/ParametersNameDecodingHandler.md for the
	// first, and https://github.com/microsoftgraph/microsoft-graph-docs-contrib/issues/8032 for the last.
	Strict bool

	// PageSize is how many items a page of a list holds when the request has no smaller $top. 0, a negative number and
	// more than 1000 mean 1000, the service's own default.
	PageSize int

	// ShortPages makes lists awkward in a way that Graph allows: the first page is empty and has a next link, and so is
	// every second page from there; the others hold half the page size. Of the list of detected apps, whose next links
	// say nothing but how many apps to skip, only the first page is empty.
	ShortPages bool

	// KeepRequests is how many of the last requests [Tenant.Requests] has; [Tenant.RequestCount] counts all. 0 means
	// 10,000, which takes about ten megabytes if the bodies are small, and a negative number none.
	KeepRequests int

	// RefuseDetectedAppAction makes the action answer 400 at the address below a detected app, as the GET of a device
	// there does. Users reported it of the GET in 2021; of the action nobody knows.
	RefuseDetectedAppAction bool

	// OmitAuditEvents makes the tenant write no audit event of the action. Microsoft documents events of remote actions, but
	// nobody has confirmed that the service writes one of this action, so that a program must do without. The tenant keeps
	// the last 9,000 to 10,000 of them.
	OmitAuditEvents bool

	// LookAgainAfter is for tests that wait for a link outside of a testing/synctest bubble. Above zero, each read of a
	// session asks in Retry-After-Ms to be repeated after so long of real time, such as a millisecond: the library's
	// waits, and azcore's PollUntilDone, do as they are asked, and the code under test needs no option. The tenant's clock
	// moves on by [LookInterval] with each read, so that [SessionScript.After] passes as if the client had waited. So does
	// the clock of a client that uses the tenant as its transport: ten minutes of MaxWait take some 120 reads, and
	// [Tenant.Advance] makes them pass at once.
	LookAgainAfter time.Duration

	// OnboardingCompletesAfter is how long after beginOnboarding a connector turns from onboarding to onboarded, on the
	// tenant's clock. 0 means that it does not by itself, since an administrator has to sign in at the partner; call
	// [Tenant.SetConnector] when that has happened.
	OnboardingCompletesAfter time.Duration
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
