// Package journalpg keeps the record of who asked for remote assistance in PostgreSQL (14 or newer), for programs of which
// several copies run. Whatever copy is asked, nobody is asked while another request for the device is being made or waited for,
// and a wait whose copy died is continued by another one.
//
//	journal, err := journalpg.New(db, &journalpg.Options{Scope: "graph.microsoft.com/" + tenantID, Key: key})
//	...
//	err = journal.Migrate(ctx)
//	...
//	client, err := intune.NewClient(credential, &intune.ClientOptions{Journal: journal})
//	...
//	go journalpg.Resume(ctx, journal, client, show) // continues what copies left behind
//
// It speaks database/sql only, so any driver works whose errors have a method SQLState, as those of pgx/v5 and lib/pq do.
// Each statement is in a transaction, and no state of a session is used, so pgbouncer's transaction mode works; pgx
// then needs default_query_exec_mode=cache_describe.
//
// A request is in one of these states:
//
//   - asking: nobody knows the outcome yet. The device is busy until Options.Busy after Asking.
//   - waiting: a copy waits for the link, and its lease lives. The device is busy.
//   - left: the user was or may have been asked, and no copy waits, because the wait stopped or its copy died. The device is
//     free. [Journal.Claim] may take the wait; a new request for the device ends it as superseded, and if that one is rejected
//     or not sent, the earlier one is left again.
//   - asked without a wait, by RequestRemoteAssistance, its Many form or a poller. The device is busy until Options.Busy
//     after Asking, except for a request with [Again].
//   - ended: ready, failed or superseded. The device is free.
//
// What is fenced is the record and the link, and never the request to the service: a copy that freezes for longer than
// Options.Busy between the library's last look at the clock and its socket asks a second time. A database that fails over to a
// standby that is not synchronous may forget the last requests.
package journalpg
