// Package intune opens remote-assistance sessions on devices that Microsoft Intune manages, through the action
// requestRemoteAssistance of Microsoft Graph v1.0: it asks Intune for a session, waits for the session's link, and
// says in one line why there is none when there is none.
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
// assistance". Reading devices and sessions needs DeviceManagementManagedDevices.Read.All, and the connector
// DeviceManagementServiceConfig.Read.All, or ReadWrite.All to change it. Each method names its own.
// [Client.TokenInfo] shows what the caller's token holds. The token of the Azure CLI normally holds none of these.
//
// # Addresses
//
// A [DeviceRef] is the address of a device, in one of three forms. [Device] is the one to prefer. [UserDevice] is no
// longer documented, but in the schema of every cloud with Intune. [DetectedAppDevice] is documented, but was
// reported to answer 400. The id is Intune's own, not one of the two that Entra has for the same machine.
//
// # Finding the device
//
// [Client.FindDevice] returns the one device that matches a [DeviceFilter], or an error that lists the candidates;
// [Client.Devices] goes through all that match. There is no free-text filter, because Intune ignores a $filter that
// it does not support and answers with every device of the tenant; every device that comes back is checked once more.
//
// # Accepted is not open
//
// [Client.RequestRemoteAssistance] returns when Intune has accepted the request (204). The session comes later: its
// link appears on the device's record, or an error text does. Neither has a time, and both may be left over from an
// earlier session. [Client.OpenRemoteAssistance] and [Client.BeginRemoteAssistance] therefore read the record first,
// ask once, and wait for a change; Begin gives an azcore poller. A wait that ends without a link although the request
// went out is a [*PendingError], whose ResumeToken [Client.WaitForRemoteAssistance] and [Client.ResumeRemoteAssistance]
// go on with, in this process or another, without asking again. An error of Open that is neither that nor a
// [*SessionError] means that nobody was asked. Open ends by itself after ten minutes unless told otherwise: the service
// documents neither how long a link takes nor how long it lives. A link does not mean that the device's user has
// agreed, and no call ends a session.
//
// # A record of who asked
//
// ClientOptions.Journal is told of every request before it leaves and when its outcome is known, and a request that it
// cannot record is not sent. [NewJournal] keeps the record in a file. After a crash, [ReadJournal] and
// [UnfinishedRequests] tell who may have been asked, with tokens to go on without asking again.
//
// # Errors
//
// A call that the service refused, or that got no answer, is an [*Error]: one line of text, the innermost sentence of
// the JSON that Intune nests in Graph's, the ids that Microsoft's support asks for, and a Hint where the remedy is
// known. Branch with [errors.Is] on the sentinels, such as [ErrForbidden] and [ErrNotFound]; [errors.As] finds
// azcore's ResponseError with the raw response. A session that the service could not make is a [*SessionError]. What
// cannot be used is an [ErrInvalidArgument], and nothing was sent.
//
// # Retries
//
// Reads are retried as azcore does it. The action and the other writes are never sent twice unless it is certain that
// the first was not carried out, because every accepted request may show a prompt to the device's user:
//
//   - Sent again, within the limits of ClientOptions.Retry: 429 and 503, and a connection that could not be made.
//   - Sent again once, with a new token: a claims challenge (401 or 403).
//   - Not sent again, and [ErrOutcomeUnknown]: 408, 500, 502, 504, a connection that broke or a context that ended once
//     there was a connection, a redirect that may have followed the action.
//   - Not sent again: every other refusal.
//
// Retry-After is understood in whole and fractional seconds and as a date. After ErrOutcomeUnknown, look at the
// session before asking again; BeginRemoteAssistance and OpenRemoteAssistance do that by themselves.
//
// # Logging, tracing, secrets
//
// The library logs through azcore (package azcore/log) and traces through ClientOptions.TracingProvider, one span for
// each method with the HTTP spans below it. Tokens, session links, and the values of $filter and $skiptoken appear in
// none of its logs, spans and errors. The user of a [UserDevice] is in no error, but in the path that azcore logs. A
// [SessionURL] prints as REDACTED whatever prints it, and so does a [Secret]; [SessionURL.Reveal] gives the link. The raw
// response inside an error is as the service sent it.
//
// # Testing
//
// Package intunetest holds an in-memory tenant that answers like Graph, with its quirks, and responders for httpmock:
//
//	tenant := intunetest.NewTenant(nil)
//	device := tenant.AddDevice(intune.ManagedDevice{DeviceName: "DESKTOP-1"})
//	client := tenant.Client() // no network, no waiting between tries
//
// Code that waits for a link runs in no time inside testing/synctest, and outside of it with the LookAgainAfter of
// intunetest.TenantOptions.
//
// # Conventions
//
// The package follows the guidelines of the Azure SDK for Go: options pointers last, which may be nil, Response
// structs, azcore's pagers and pollers, concurrent use of a [Client]. It departs from them on purpose where this
// service or Go today asks for it: the name has no az prefix; errors are a type of its own around azcore's, since the
// useful sentence is several JSON levels down; models hold values and not pointers, where null and zero mean the
// same; some policies replace azcore's behavior (writes, Retry-After, redirects, the hosts that get a token); links
// to next pages and resume tokens are read by the package itself, because azcore rewrites the one and trusts the
// other; and the fake is a tenant on the wire instead of one function per method.
//
// Graph v1.0 only. National clouds are values such as [CloudChina]; Microsoft rules remote assistance out in GCC High
// and DoD.
package intune
