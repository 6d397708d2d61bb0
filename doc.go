// Package intune opens remote-assistance sessions on devices that Microsoft Intune manages, through the action
// requestRemoteAssistance of Microsoft Graph v1.0: it asks Intune for a session, waits for the session's link, and if
// there is no session says why in one line.
//
//	client, err := intune.NewClient(credential, nil) // any azcore.TokenCredential
//	...
//	session, err := client.OpenRemoteAssistance(ctx, intune.Device(id), nil)
//	...
//	show(session.URL.Reveal()) // to the person who is to open it, and to nobody else
//
// # Permissions
//
// The action needs the Graph permission DeviceManagementManagedDevices.ReadWrite.All, delegated or application, with
// an administrator's consent. A delegated caller also needs the Intune role right "Remote tasks / Offer remote
// assistance". Reading devices and sessions needs DeviceManagementManagedDevices.Read.All. Reading the connector needs
// DeviceManagementServiceConfig.Read.All. Each method names the permission that it needs. [Client.TokenInfo] shows
// which permissions the caller's token holds. The token of the Azure CLI normally holds none of these.
//
// # Addresses
//
// A [DeviceRef] is the address of a device, in one of three forms. Prefer [Device]. [UserDevice] is no longer
// documented, but is still in the schema of every cloud with Intune. [DetectedAppDevice] is documented, but users
// reported that the service answers 400 there. The id is the one that Intune gave the device, not one of the two ids
// that Entra has for the same device.
//
// # Finding the device
//
// [Client.FindDevice] returns the one device that matches a [DeviceFilter], or an error that lists the candidates;
// [Client.Devices] goes through all that match. There is no free-text filter, because users reported that Intune
// ignores a $filter that it does not support and answers with every device of the tenant. For the same reason the
// library checks every device that comes back against the filter.
//
// # Before the user is asked
//
// Package readiness says why there would be no session: it reads the connector and the device, looks at the cloud and the
// token, and names a remedy for each finding.
//
// # Accepted is not open
//
// [Client.RequestRemoteAssistance] returns when Intune has accepted the request (204). The session comes later: a link
// or an error text appears on the device's record. The record does not say when they were set, so both may be left over
// from an earlier session. [Client.OpenRemoteAssistance] and [Client.BeginRemoteAssistance] therefore read the record
// first, ask once, and wait for a change; BeginRemoteAssistance returns an azcore poller. [Client.OpenRemoteAssistanceMany]
// does so for many devices. A wait that ends without a
// link after the request was sent returns a [*PendingError]. With its ResumeToken, [Client.WaitForRemoteAssistance] and
// [Client.ResumeRemoteAssistance] continue the wait, in this process or another, without asking again. Any other error
// of OpenRemoteAssistance, except a [*SessionError], means that nobody was asked. Any other error of WaitForRemoteAssistance
// means that the earlier request stands: fix the cause and wait again. Both give up after ten minutes by default, because
// the service documents neither how long a link takes to appear nor how long it stays valid. A link does not mean that the
// device's user has agreed, and no call ends a session.
//
// # A record of who asked
//
// The client reports every request for remote assistance to ClientOptions.Journal before it is sent, again when its outcome
// is known, and once more when a wait for its link ends. A request that the journal cannot record is not sent. Package
// journalfile keeps the record in a file. After a crash, [JournalRequests] tells from the entries which devices may have been
// asked and which waits are open, with tokens that continue them without asking again.
//
// # In production
//
// https://github.com/go-intune/intune/blob/main/docs/production.md says how a program keeps these promises: what a journal
// needs, what to do after a restart, a stop that cuts no request, one client for each person who signs in
// ([Client.WithCredential]), contexts, pace, and what to measure.
//
// # Errors
//
// A call that the service refused, or that got no answer, returns an [*Error]. It has a text of one line, the innermost
// sentence of the JSON that Intune nests in Graph's, the ids that Microsoft's support asks for, and a Hint if the
// remedy is known. Branch with [errors.Is] on the sentinels, such as [ErrForbidden] and [ErrNotFound]; [errors.As]
// finds azcore's ResponseError with the raw response. If the service could not make a session, the error is a
// [*SessionError]. If an argument cannot be used, the error is an [ErrInvalidArgument], and nothing was sent.
//
// # Retries
//
// Reads are retried as azcore does it, and so is a page that the service breaks off with an error in place of a row, if
// that error may pass. The action is the only write of this package, and has no body. It is sent again only if the first
// request was refused without effect or never sent, because every accepted request may show a prompt to the device's
// user:
//
//   - Sent again, within the limits of ClientOptions.Retry: 429; a 503 that Graph itself gave, which its header
//     request-id proves, or a body {"error":{"code":"…"}} that came whole; and a connection that could not be made, if the
//     transport is Go's own (see [ClientOptions]).
//   - Sent again once, with a new token: a claims challenge (401 or 403).
//   - Not sent again, and reported as [ErrOutcomeUnknown]: 408, 499, 500, 502 and 504; any other 503, because a gateway
//     may have delivered the request before it gave up; a connection that broke or a context that ended after the
//     connection was made; an error of a transport that is not Go's own; and a redirect that may have come after the
//     action was carried out.
//   - Not sent again: every other refusal.
//
// Retry-After is understood in whole and fractional seconds and as a date. After ErrOutcomeUnknown, read the session
// before asking again; BeginRemoteAssistance and OpenRemoteAssistance do that by themselves.
//
// # Logging, tracing, secrets
//
// The library logs through azcore (package azcore/log) and traces through ClientOptions.TracingProvider, one span for
// each method with the HTTP spans below it. Tokens, session links, and the values of $filter and $skiptoken appear in
// none of its logs, spans and errors. The user of a [UserDevice] appears in no error, but does appear in the path that
// azcore logs. A [SessionURL] and a [Secret] always print as REDACTED; [SessionURL.Reveal] returns the link. The raw
// response inside an error is not redacted.
//
// # Testing
//
// Package intunetest holds an in-memory tenant that answers like Graph, with its quirks, and responders for httpmock:
//
//	tenant := intunetest.NewTenant(nil)
//	device := tenant.AddDevice(intune.ManagedDevice{DeviceName: "DESKTOP-1"})
//	client := tenant.Client() // no network, no waiting between tries
//
// Code that waits for a link takes no real time inside testing/synctest, and almost none outside of it with the
// LookAgainAfter of intunetest.TenantOptions.
//
// # Conventions
//
// The package follows the guidelines of the Azure SDK for Go: options pointers that come last and may be nil, Response
// structs, azcore's pagers and pollers, and a [Client] that is safe for concurrent use. It departs from them on purpose
// where this service or present-day Go asks for it: the name has no az prefix; errors have a type of their own that
// wraps azcore's, because the useful sentence is several JSON levels deep; models hold values instead of pointers where
// null and zero mean the same; some policies replace azcore's behavior (the action, Retry-After, redirects, the hosts that
// get a token); the package reads next links and resume tokens itself, because azcore rewrites the links and trusts the
// tokens; and the fake is a tenant that answers HTTP requests, instead of one function per method.
//
// The package supports Graph v1.0 only. National clouds are values such as [CloudChina]; Microsoft rules remote
// assistance out in GCC High and DoD.
package intune
