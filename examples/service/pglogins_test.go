//go:build unix

package main

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-intune/intune/intunetest"
	_ "github.com/jackc/pgx/v5/stdlib"
	"golang.org/x/oauth2"
)

// loginPlace is a place whose copies keep their sign-ins in one table.
type loginPlace struct {
	*place

	shared *pgShared
}

func newLoginPlace(t *testing.T, db *sql.DB) *loginPlace {
	t.Helper()
	l := &loginPlace{shared: &pgShared{db: db, schema: schemaName()}}
	l.shared.exec(t, "CREATE SCHEMA {schema}")
	l.shared.exec(t, loginTable)
	keys := mustKeys(t, keyLine(1))
	l.place = newPlace(t, func(o *settings) {
		o.keys = keys
		o.logins = func(keys *keyRing, makeIdentity identityMaker) logins {
			return newPGLogins(l.shared, keys, makeIdentity)
		}
	})
	return l
}

// copy is one more copy of the service.
func (l *loginPlace) copy() *place {
	l.tb.Helper()
	other := &place{
		tb: l.tb, tenant: l.tenant, entra: l.entra, network: inProcess{"login.example": l.entra.handler()},
		log: &syncBuffer{}, journal: filepath.Join(l.tb.TempDir(), "journal.jsonl"), limits: l.limits,
	}
	other.open()
	l.tb.Cleanup(other.close)
	return other
}

// at is the same browser at another copy.
func (c *caller) at(p *place) *caller {
	return &caller{tb: c.tb, http: &http.Client{Transport: p.network, Jar: c.http.Jar}, header: c.header}
}

func (l *loginPlace) exec(statement string, args ...any) {
	l.tb.Helper()
	l.shared.exec(l.tb, statement, args...)
}

// text is all of the table.
func (l *loginPlace) text() string {
	l.tb.Helper()
	var text sql.NullString
	statement := l.shared.sql("SELECT string_agg(one::text, E'\\n') FROM {schema}.service_login AS one")
	err := l.shared.db.QueryRowContext(l.tb.Context(), statement).Scan(&text)
	if err != nil {
		l.tb.Fatal(err)
	}
	return text.String
}

func (l *loginPlace) cookie(c *caller) string {
	at, err := url.Parse(serviceAt)
	if err != nil {
		l.tb.Fatal(err)
	}
	for _, one := range c.http.Jar.Cookies(at) {
		if one.Name == "__Host-session" {
			return one.Value
		}
	}
	l.tb.Fatal("no cookie")
	return ""
}

// ok expects that a search of Graph works.
func (c *caller) ok(what string) {
	c.tb.Helper()
	if got := c.get("/devices?q=LT-1"); got.status != http.StatusOK {
		c.tb.Errorf("%s: %d %s", what, got.status, got.body)
	}
}

// TestPGLogins is one test, because its parts share a server, which ends with it.
func TestPGLogins(t *testing.T) {
	t.Parallel()
	db, err := sql.Open("pgx", postgres(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	for name, test := range map[string]func(*testing.T, *loginPlace){
		"any copy":          anyCopyAcceptsASignIn,
		"renewal":           oneCopyRenewsAtATime,
		"sign-out":          signOutHoldsAtAllCopies,
		"other sign-in":     anotherSignInHoldsAtAllCopies,
		"rotation":          signInsOutliveARotation,
		"changed rows":      changedRowsSignNobodyIn,
		"what a row shows":  rowsShowNoSecret,
		"waits go on":       aSignInOfAnOwner,
		"ends":              signInsEnd,
		"no database":       noDatabase,
		"the lease is over": aCopyThatDiedWhileItRenewed,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, newLoginPlace(t, db))
		})
	}
}

func anyCopyAcceptsASignIn(t *testing.T, l *loginPlace) {
	device := l.add("LT-1")
	first := l.browser(dana)
	for range 3 {
		other := first.at(l.copy())
		other.ok("another copy")
		if got := other.get("/me"); !strings.Contains(got.body, first.header.Get("X-Csrf-Token")) {
			t.Errorf("the token of the page differs: %s", got.body)
		}
	}
	if got := first.at(l.copy()).ask(device, anyKey); got.status != http.StatusCreated {
		t.Errorf("%d %s", got.status, got.body)
	}
	// A sign-in that began at one copy ends at another.
	c, at := l.begun(robin)
	other := c.at(l.copy())
	if got := other.get(at.RequestURI()); got.status != http.StatusOK {
		t.Errorf("%d %s", got.status, got.body)
	}
	other.ok("the copy that finished")
	c.ok("the copy that began")
}

// The stand-in takes a refresh token once. No call fails, and what comes is written back for the next copy.
func oneCopyRenewsAtATime(t *testing.T, l *loginPlace) {
	l.add("LT-1")
	first := l.browser(dana)
	copies := []*place{l.copy(), l.copy(), l.copy(), l.copy()}
	var all sync.WaitGroup
	for i := range 40 {
		all.Go(func() { first.at(copies[i%len(copies)]).ok(fmt.Sprint("copy ", i%len(copies))) })
	}
	all.Wait()
	if n := len(l.entra.refresh); n != 1 {
		t.Errorf("%d refresh tokens are good, want 1", n)
	}
	for _, one := range copies {
		one.close()
	}
	first.at(l.copy()).ok("a copy that was started later")
}

func signOutHoldsAtAllCopies(t *testing.T, l *loginPlace) {
	c := l.browser(dana)
	other := l.copy()
	id := c.at(other).begin(l.add("LT-1", intunetest.SessionScript{Never: true}), anyKey).ID
	there := c.at(other)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	stream, err := there.http.Do(there.request(ctx, http.MethodGet, "/sessions/"+id+"/events", "", nil))
	if err != nil {
		t.Fatal(err)
	}
	cookie := l.cookie(c)
	if got := c.post("/auth/logout", ""); got.status != http.StatusNoContent {
		t.Fatalf("%d %s", got.status, got.body)
	}
	begin := time.Now()
	_, _ = io.Copy(io.Discard, stream.Body) // which the other copy ends by itself
	if took := time.Since(begin); took > 5*time.Second {
		t.Errorf("the stream at another copy ended after %v", took)
	}
	thief := l.nobody().at(other)
	thief.header.Set("Cookie", "__Host-session="+cookie)
	thief.refused(thief.get("/me"), kindNotSignedIn)
	if text := l.text(); text != "" {
		t.Errorf("the row is still there: %s", text)
	}
}

func anotherSignInHoldsAtAllCopies(t *testing.T, l *loginPlace) {
	first := l.browser(dana)
	second := &caller{tb: t, http: first.http, header: http.Header{"Origin": {serviceAt}}}
	page := second.visit(serviceAt + "/auth/login")
	second.submit(page.Request.URL.String(), robin)
	got := first.at(l.copy()).get("/sessions")
	if body := first.refused(got, kindOtherPerson); body.SignedInAs != robin.name {
		t.Errorf("signed in as %q", body.SignedInAs)
	}
}

func signInsOutliveARotation(t *testing.T, l *loginPlace) {
	l.add("LT-1")
	c := l.browser(dana)
	before := l.limits
	with := func(lines ...string) func(*settings) {
		keys := mustKeys(t, lines...)
		return func(o *settings) {
			before(o)
			o.keys = keys
		}
	}
	l.limits = with(keyLine(2), keyLine(1))
	c.at(l.copy()).ok("both keys") // which seals the row again, with the new key
	l.limits = with(keyLine(2))
	c.at(l.copy()).ok("the new key")
	l.limits = with(keyLine(3))
	foreign := l.copy()
	c.refused(c.at(foreign).get("/me"), kindNotSignedIn)
	if text := foreign.log.String(); !strings.Contains(text, string(errOtherKey)) {
		t.Errorf("the log does not say why: %s", text)
	}
}

// Whoever can write the table but has no key cannot make a sign-in, move one, or prolong it.
func changedRowsSignNobodyIn(t *testing.T, l *loginPlace) {
	l.add("LT-1")
	victim, attacker := l.browser(dana), l.browser(robin)
	theirs, mine := loginIDOf(l.cookie(victim)), loginIDOf(l.cookie(attacker))
	victim.ok("before")
	attacker.ok("before")

	l.exec(`UPDATE {schema}.service_login SET owner = (SELECT owner FROM {schema}.service_login WHERE id = $1)
		WHERE id = $2`, theirs[:], mine[:])
	var me struct{ Name string }
	got := attacker.get("/me")
	got.into(t, &me)
	if me.Name != robin.name {
		t.Errorf("the owner of a row makes %q of %q", me.Name, robin.name)
	}
	who, err := l.service.entry.auth.logins.signedIn(t.Context(), identityKeyOf(l.place, dana))
	if err == nil && who != nil && who.name != dana.name {
		t.Errorf("waits of Dana would go on with the token of %s", who.name)
	}
	l.exec(`UPDATE {schema}.service_login SET sealed = (SELECT sealed FROM {schema}.service_login WHERE id = $1)
		WHERE id = $2`, theirs[:], mine[:])
	attacker.refused(attacker.get("/me"), kindNotSignedIn)
	forged := newCookie()
	id := loginIDOf(forged)
	l.exec(`INSERT INTO {schema}.service_login (id, owner, expires, sealed)
		SELECT $1, owner, expires, sealed FROM {schema}.service_login WHERE id = $2`, id[:], theirs[:])
	forger := l.nobody()
	forger.header.Set("Cookie", "__Host-session="+forged)
	forger.refused(forger.get("/me"), kindNotSignedIn)

	logins, ok := l.service.entry.auth.logins.(*pgLogins)
	if !ok {
		t.Fatalf("%T", l.service.entry.auth.logins)
	}
	over := logins.seal(theirs, loginFacts{Owner: identityKeyOf(l.place, dana), Name: dana.name, Expires: time.Now().Add(-time.Minute).Unix()})
	l.exec("UPDATE {schema}.service_login SET sealed = $1, expires = now() + interval '1 year' WHERE id = $2", over, theirs[:])
	victim.refused(victim.get("/me"), kindNotSignedIn)
}

func rowsShowNoSecret(t *testing.T, l *loginPlace) {
	l.add("LT-1")
	c := l.browser(dana)
	cookie := l.cookie(c)
	c.at(l.copy()).ok("another copy") // which renews
	text := l.text()
	var binary []byte
	statement := l.shared.sql("SELECT id || sealed FROM {schema}.service_login")
	if err := l.shared.db.QueryRowContext(t.Context(), statement).Scan(&binary); err != nil {
		t.Fatal(err)
	}
	secrets := []string{cookie, dana.name, c.header.Get("X-Csrf-Token")}
	for token := range l.entra.refresh {
		secrets = append(secrets, token)
	}
	if len(secrets) != 4 {
		t.Fatalf("%d secrets", len(secrets))
	}
	for _, secret := range secrets {
		if strings.Contains(text, secret) || bytes.Contains(binary, []byte(secret)) {
			t.Errorf("the table shows %q", secret)
		}
	}
}

// Another copy goes on with the waits of a technician who is signed in somewhere.
func aSignInOfAnOwner(t *testing.T, l *loginPlace) {
	device := l.add("LT-1")
	ctx, owner := t.Context(), identityKeyOf(l.place, dana)
	find := func(p *place) *identity {
		t.Helper()
		who, err := p.service.entry.auth.logins.signedIn(ctx, owner)
		if err != nil {
			t.Fatal(err)
		}
		return who
	}
	if who := find(l.place); who != nil {
		t.Errorf("%v before anybody has signed in", who)
	}
	c := l.browser(dana)
	l.browser(robin)
	other := l.copy()
	who := find(other)
	if who == nil || who.key != owner {
		t.Fatalf("%v", who)
	}
	if _, err := who.client.GetDevice(ctx, device, nil); err != nil {
		t.Error(err)
	}
	clear(l.entra.refresh) // as if an administrator had revoked the sign-ins
	third := l.copy()
	if _, err := find(third).client.GetDevice(ctx, device, nil); !errors.Is(err, errSignInAgain) {
		t.Errorf("%v", err)
	}
	if who := find(third); who != nil {
		t.Errorf("a sign-in that cannot be renewed counts: %v", who)
	}
	c.post("/auth/logout", "")
	if who := find(other); who != nil {
		t.Errorf("%v after the sign-out", who)
	}
}

func signInsEnd(t *testing.T, l *loginPlace) {
	c := l.browser(dana)
	l.exec("UPDATE {schema}.service_login SET expires = now()")
	c.refused(c.get("/me"), kindNotSignedIn)
	all := make([]*caller, loginsEach+2)
	for i := range all {
		all[i] = l.browser(dana)
		l.exec("UPDATE {schema}.service_login SET expires = expires - interval '1 minute'") // as time goes by
	}
	if n := strings.Count(l.text(), "\n") + 1; n != loginsEach {
		t.Errorf("%d rows, want %d", n, loginsEach)
	}
	all[0].refused(all[0].get("/me"), kindNotSignedIn)
	if got := all[len(all)-1].get("/me"); got.status != http.StatusOK {
		t.Errorf("%d %s", got.status, got.body)
	}
}

func noDatabase(t *testing.T, l *loginPlace) {
	c, at := l.begun(dana)
	away, err := sql.Open("pgx", "postgres://nobody@127.0.0.1:1/none")
	if err != nil {
		t.Fatal(err)
	}
	defer away.Close()
	before := l.limits
	l.limits = func(o *settings) {
		before(o)
		o.logins = func(keys *keyRing, makeIdentity identityMaker) logins {
			return newPGLogins(&pgShared{db: away}, keys, makeIdentity)
		}
	}
	signed := l.browser(robin)
	other := l.copy()
	signed.refused(signed.at(other).get("/me"), kindRecord)
	there := c.at(other)
	there.refused(there.get(at.RequestURI()), kindRecord)
	if text := other.log.String(); !strings.Contains(text, "the database of the sign-ins") {
		t.Errorf("the log does not say why: %s", text)
	}
}

func aCopyThatDiedWhileItRenewed(t *testing.T, l *loginPlace) {
	l.add("LT-1")
	c := l.browser(dana)
	l.exec("UPDATE {schema}.service_login SET renewing_until = now() + interval '1 second'") // what a dead copy leaves, shortened
	begin := time.Now()
	c.at(l.copy()).ok("after the lease")
	if took := time.Since(begin); took < 500*time.Millisecond {
		t.Errorf("the lease of another copy was ignored: %v", took)
	}
	id := loginIDOf(l.cookie(c))
	tokens := &pgTokens{logins: l.service.entry.auth.logins.(*pgLogins), id: id}
	l.exec("UPDATE {schema}.service_login SET renewing_until = now() + interval '1 minute'")
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	never := func(context.Context, string) (*oauth2.Token, error) { return nil, errors.New("not its turn") }
	if _, err := tokens.renew(ctx, never); !errors.Is(err, errNoToken) || ctx.Err() == nil {
		t.Errorf("%v, %v", err, ctx.Err())
	}
}
