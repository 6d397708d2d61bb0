// Package intunetest is a test kit for programs that use package intune: an in-memory tenant that answers like
// Microsoft Graph, responders for httpmock, and [TestJournal], which checks a journal of your own.
//
// # The tenant
//
// A [Tenant] holds devices, users, detected apps and the remote-assistance connector, and serves them over the wire
// format of Microsoft Graph v1.0. It is an [http.Handler], an [http.RoundTripper] and an azcore policy.Transporter, so
// any Graph client can talk to it, with or without sockets:
//
//	tenant := intunetest.NewTenant(nil)
//	device := tenant.AddDevice(intune.ManagedDevice{DeviceName: "DESKTOP-1"})
//	client := tenant.Client()
//	_, err := client.RequestRemoteAssistance(ctx, device, nil)
//	// tenant.Prompts(device) is 1
//
// The tenant reproduces the behavior of the service that surprises people, because a client that was tested only
// against a well-behaved server fails in production:
//
//   - Only a GET of one device whose $select names it returns the link of a session; lists return null.
//   - A $filter that uses other than the documented operators is ignored, and every device comes back; ne acts like eq.
//   - A page may be short, and its @odata.count is its own length. With [TenantOptions.Strict], a $skiptoken fails if
//     it was re-encoded, and an option name sent as %24select is ignored.
//   - Errors of Intune are JSON inside the message of Graph's JSON.
//   - The body of a request may be compressed with gzip; Microsoft's own clients compress every body.
//   - A POST that has neither a Content-Length nor chunks is refused with 411 and a page of HTML.
//   - A $batch answers its items in another order. It fails as a whole if one write has no body or no Content-Type.
//   - A 204 means that the request was accepted; the link, or an error text, comes later.
//
// [Tenant.Inject] arranges the failures of production: refusals, slow answers, connections that break before or after
// the service acted. [Tenant.Requests] shows what arrived, and [Tenant.Prompts] how often the user of a device was
// asked, which must not be more than once.
//
// # What it does not do
//
// Nothing in this package was compared with a live tenant: the behavior follows Microsoft's metadata, documentation and
// public reports. Texts that Microsoft does not publish, such as the error of a session without a connector, are
// invented. Graph's beta and the parts of Graph that the library does not use answer 501 with a message that names the
// request.
//
// Tokens are read and not checked: signature, lifetime and audience do not matter. A token that says what it may do, in a
// claim scp, roles or idtyp, is held to it; any other text after "Bearer" may do everything that an app may. Intune's
// roles and licenses are not modeled; a [Fault] can refuse what they would.
//
// Whoever has a tenant can compare: the program examples/conformance of this module checks on it what the kit does here.
//
// # Time
//
// The kit never sleeps, except for [Fault.Delay], which is a timer that ends with the request's context. It works
// inside testing/synctest; outside of it, [TenantOptions.LookAgainAfter] makes waits for a link short, which otherwise
// have the pace that they have in production. The tenant's clock is [TenantOptions.Clock] plus what [Tenant.Advance]
// added. A client made with [Tenant.ClientOptions] does not wait between tries: the wait moves the tenant's clock instead.
//
// # httpmock
//
// For a test of one answer, [NoContent], [GraphError], [IntuneError], [Throttled] and [Session] are responders for
// github.com/jarcoal/httpmock, and [Tenant.Register] serves a whole tenant through a mock transport. Give the client a
// transport of its own; httpmock.Activate does not reach clients that have one, as azcore's do:
//
//	mock := httpmock.NewMockTransport()
//	options.Transport = &http.Client{Transport: mock}
//
// All of the package is safe for concurrent use and holds no global state, so tests can run in parallel.
package intunetest
