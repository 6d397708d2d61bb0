// Package intune opens remote-assistance sessions on devices that Microsoft Intune manages, through the action
// requestRemoteAssistance of Microsoft Graph v1.0: it asks the device's user, waits for the session's link, and if there
// is no session says why in one line.
//
//	client, err := intune.NewClient(credential, nil) // any azcore.TokenCredential
//	...
//	session, err := client.OpenRemoteAssistance(ctx, intune.Device(id), nil)
//	...
//	show(session.URL.Reveal()) // to the technician, and to nobody else
//
// The action needs the Graph permission DeviceManagementManagedDevices.ReadWrite.All, delegated or application, and of a
// signed-in user also the Intune role right "Remote tasks / Offer remote assistance". Each method names the permission
// that it needs. The id of a [Device] is Intune's, not one of the two that Entra has for the same device;
// [Client.FindDevice] looks it up. Package readiness says why there would be no session, before anybody is asked.
//
// # Accepted is not open
//
// [Client.RequestRemoteAssistance] returns when Intune has accepted the request. The session comes later, if at all: a
// link or an error text appears on the device's record, and may be left over from an earlier session.
// [Client.OpenRemoteAssistance], [Client.OpenRemoteAssistanceMany] and, as an azcore poller,
// [Client.BeginRemoteAssistance] read the record first, ask once, and wait for a change. A link does not mean that the
// user has agreed, and no call ends a session.
//
// A wait that ends without a link returns a [*PendingError]. With its ResumeToken, [Client.WaitForRemoteAssistance] and
// [Client.ResumeRemoteAssistance] continue the wait, in this process or another, without asking again. Any other error of
// OpenRemoteAssistance but a [*SessionError] means that nobody was asked; of WaitForRemoteAssistance, that the earlier
// request stands.
//
// With ClientOptions.Journal, each request is recorded before it is sent, or else not sent. After a crash
// [JournalRequests] tells which users may have been asked and which waits are open. Package journalfile keeps the record
// in a file.
//
// # Errors and retries
//
// A call that was refused or got no answer returns an [*Error]; branch with [errors.Is] on sentinels such as
// [ErrForbidden]. An argument that cannot be used is an [ErrInvalidArgument], and nothing was sent.
//
// Reads are retried as azcore does it. The action, the only write, is sent again only if the first request was refused
// without effect or never left. When nobody knows whether it was carried out, the error is [ErrOutcomeUnknown]: read the
// session before asking again. The methods that wait do so by themselves.
//
// # Secrets
//
// Tokens, session links, and the values of $filter and $skiptoken appear in no log, span or error of this package. A
// [SessionURL] and a [Secret] print as REDACTED. The raw response inside an error is not redacted, and the path that
// azcore logs names the user of a [UserDevice].
//
// # Testing
//
// Package intunetest holds a tenant in memory that answers like Graph, with its quirks. Its clients need no network and
// do not wait between tries.
//
// # Conventions
//
// The package follows the guidelines of the Azure SDK for Go. It departs from them where this service or present-day Go
// asks for it: the name has no az prefix; errors have a type of their own, because the useful sentence is several JSON
// levels deep; models hold values instead of pointers where null and zero mean the same; policies of its own decide about
// the action, Retry-After, redirects and the hosts that get a token; it reads next links and resume tokens itself, because
// azcore rewrites the links and trusts the tokens; and the fake is a tenant instead of one function per method.
//
// Further pages: https://github.com/go-intune/intune#where-to-read-on
package intune
