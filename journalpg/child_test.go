package journalpg_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/go-intune/intune"
	"github.com/google/uuid"

	"github.com/go-intune/intune/journalpg"
)

// child is one copy of a small program, which the test binary becomes when the variable of this name is set. It sees to it that each of
// the devices is asked and its link handed out, whichever copy does what, and whatever died before.
type child struct {
	DSN, Schema string
	URL         string // of the tenant
	Root        []byte // its certificate
	Devices     []intune.DeviceRef
	Lease       time.Duration
	ClockAhead  time.Duration // of this copy
}

const (
	childVariable = "INTUNE_TEST_JOURNALPG_CHILD" // the file with the child
	clockVariable = "INTUNE_TEST_JOURNALPG_CLOCK"
)

func runChild() bool {
	file := os.Getenv(childVariable)
	if file == "" {
		return false
	}
	var c child
	go func() { // it dies with its parent
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(1)
	}()
	text, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(text, &c)
	}
	if err == nil && os.Getenv(clockVariable) != "" {
		c.ClockAhead, err = time.ParseDuration(os.Getenv(clockVariable))
	}
	if err == nil {
		err = c.run(context.Background())
	}
	if err != nil {
		fmt.Println("failed", err) //nolint:forbidigo // the parent reads it
	}
	return true
}

// impatient is a transport whose client reads again soon, and whose clock may be wrong.
type impatient struct {
	http.RoundTripper

	ahead time.Duration
	post  func(clientRequestID string) // hears of each request, before it is sent
}

func (t impatient) Do(req *http.Request) (*http.Response, error) {
	if req.Method == http.MethodPost && t.post != nil {
		t.post(req.Header.Get("Client-Request-Id"))
	}
	return t.RoundTrip(req)
}

func (t impatient) LookAgainAfter() time.Duration { return 20 * time.Millisecond }

func (t impatient) ClockAhead() time.Duration { return t.ahead }

// clientOf is a client of a tenant that is served at an address.
func clientOf(url string, root []byte, journal intune.Journal, transport impatient) (*intune.Client, error) {
	certificate, err := x509.ParseCertificate(root)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	roots.AddCert(certificate)
	options := &intune.ClientOptions{Journal: journal}
	options.Cloud = cloud.Configuration{Services: map[cloud.ServiceName]cloud.ServiceConfiguration{
		intune.ServiceGraph: {Endpoint: url, Audience: url},
	}}
	transport.RoundTripper = &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}
	options.Transport = transport
	return intune.NewClient(intune.StaticToken("opaque-token"), options)
}

// said is a journal that says what it does before and after it.
type said struct {
	*journalpg.Journal

	say func(words ...any)
}

func (s said) Asking(ctx context.Context, entry intune.JournalEntry) error {
	s.say("asks", entry.ClientRequestID)
	err := s.Journal.Asking(ctx, entry)
	if err != nil {
		s.say("refused", entry.ClientRequestID)
	}
	return err
}

func (s said) Ended(ctx context.Context, entry intune.JournalEntry) error {
	s.say("ends", entry.ClientRequestID, entry.Session)
	err := s.Journal.Ended(ctx, entry)
	if errors.Is(err, intune.ErrSuperseded) {
		s.say("superseded", entry.ClientRequestID)
	}
	return err
}

// copyOf is a child that runs.
type copyOf struct {
	child

	db      *sql.DB
	journal *journalpg.Journal
	client  *intune.Client
	say     func(words ...any)
}

func (c child) run(ctx context.Context) error {
	db, err := sql.Open("pgx", c.DSN)
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(8)
	var out sync.Mutex
	of := copyOf{child: c, db: db, say: func(words ...any) {
		out.Lock()
		defer out.Unlock()
		fmt.Println(words...) //nolint:forbidigo // the parent reads it
	}}
	of.journal, err = journalpg.New(db, &journalpg.Options{Schema: c.Schema, Scope: scope, Key: key(), Lease: c.Lease})
	if err != nil {
		return err
	}
	of.client, err = clientOf(c.URL, c.Root, said{of.journal, of.say}, impatient{
		ahead: c.ClockAhead, post: func(clientRequestID string) { of.say("posts", clientRequestID) },
	})
	if err != nil {
		return err
	}
	go of.lookAfterAll(ctx)
	return journalpg.Resume(ctx, of.journal, of.client, func(result intune.OpenResult) {
		if result.Err == nil {
			of.handOut(ctx, result.Session, "waited")
		}
	})
}

// handOut hands a link out once, whichever copy tries: the table is whom it is handed to.
func (c copyOf) handOut(ctx context.Context, session intune.RemoteAssistanceSession, how string) {
	for {
		_, err := c.db.ExecContext(ctx, `INSERT INTO `+c.Schema+`.handed (device, client_request_id, link, how)
			VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`,
			session.Device.DeviceID(), session.ClientRequestID, session.URL.Reveal(), how)
		if err == nil {
			c.say("handed", session.ClientRequestID, how)
			return
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			return
		}
	}
}

// lookAfterAll looks through the record, again and again, for what is to be done for the devices.
func (c copyOf) lookAfterAll(ctx context.Context) {
	turns := make(chan struct{}, 4)
	var mu sync.Mutex
	working := map[intune.DeviceRef]bool{}
	for {
		record, err := c.record(ctx)
		for _, i := range rand.Perm(len(c.Devices)) {
			d := c.Devices[i]
			if err != nil {
				break
			}
			work := c.task(record[d.DeviceID()], d)
			if work == nil {
				continue
			}
			turns <- struct{}{}
			mu.Lock()
			busy := working[d]
			working[d] = true
			mu.Unlock()
			if busy {
				<-turns
				continue
			}
			go func() {
				work(ctx)
				mu.Lock()
				delete(working, d)
				mu.Unlock()
				<-turns
			}()
		}
		select {
		case <-time.After(500 * time.Millisecond):
		case <-ctx.Done():
			return
		}
	}
}

// history is what the record says of a device.
type history struct {
	latest intune.JournalRequest
	used   int // requests that asked the user, or may have
	handed bool
}

func (c copyOf) record(ctx context.Context) (map[string]history, error) {
	handed := map[string]bool{}
	rows, err := c.db.QueryContext(ctx, `SELECT client_request_id FROM `+c.Schema+`.handed`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		handed[id] = true
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	record := map[string]history{}
	for r, err := range c.journal.Requests(ctx, time.Now().Add(-24*time.Hour)) {
		if err != nil {
			return nil, err
		}
		h := record[r.Device().DeviceID()]
		if o := r.Outcome(); o == intune.OutcomeAccepted || o == intune.OutcomeUnknown {
			h.used++
		}
		h.latest, h.handed = r, handed[r.Asking.ClientRequestID]
		record[r.Device().DeviceID()] = h
	}
	return record, nil
}

// task is what is to be done for a device, nil for nothing.
func (c copyOf) task(h history, d intune.DeviceRef) func(context.Context) {
	of := h.latest
	switch {
	case h.handed:
		return nil
	case of.Ended.Session == intune.SessionReady: // and its copy died before it had handed the link out
		return func(ctx context.Context) { c.readAgain(ctx, d, of.Asking.ClientRequestID) }
	case h.used == 0, of.Outcome() == intune.OutcomeRejected, of.Outcome() == intune.OutcomeNotSent:
	case of.Outcome() == intune.OutcomeUnknown && time.Since(of.Asking.Time) > 30*time.Minute: // most likely nobody was asked
	default:
		return nil // it is waited for
	}
	return func(ctx context.Context) {
		session, err := c.client.OpenRemoteAssistance(ctx, d, &intune.OpenRemoteAssistanceOptions{
			ClientRequestID: keyFor(d, h.used), ConfirmWithin: confirmWithin,
		})
		if err == nil {
			c.handOut(ctx, session, "waited")
		}
	}
}

// confirmWithin is longer than the sessions of the tenant take.
const confirmWithin = 10 * time.Second

func (c copyOf) readAgain(ctx context.Context, d intune.DeviceRef, clientRequestID string) {
	read, err := c.client.GetRemoteAssistanceSession(ctx, d, nil)
	if err == nil && !read.URL.IsZero() {
		session := read.RemoteAssistanceSession
		session.ClientRequestID = clientRequestID
		c.handOut(ctx, session, "read again")
	}
}

// keyFor is the client-request-id of a device's n-th request.
func keyFor(device intune.DeviceRef, n int) string {
	return uuid.NewSHA1(uuid.NameSpaceURL, fmt.Append(nil, strings.ToLower(device.DeviceID()), n)).String()
}
