//go:build unix

package main

import (
	"database/sql"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-intune/intune/intunetest"
	"github.com/google/uuid"
)

// pgServices are copies of the service in this process, which meet in one schema.
type pgServices struct {
	*pgPlace

	first *place
}

// newPGServices starts the first copy.
func newPGServices(t *testing.T, change ...func(*settings)) *pgServices {
	t.Helper()
	return newPGServicesAt(t, newPGPlace(t), change...)
}

func newPGServicesAt(t *testing.T, p *pgPlace, change ...func(*settings)) *pgServices {
	t.Helper()
	s := &pgServices{pgPlace: p}
	s.first = &place{
		tb: t, tenant: intunetest.NewTenant(&intunetest.TenantOptions{LookAgainAfter: 20 * time.Millisecond}), log: &syncBuffer{},
		network: inProcess{},
	}
	s.first.entra = newStandIn(entraAt, serviceAt+"/auth/callback", s.first.tenant, []person{dana, robin}, testKey())
	s.first.network["login.example"] = s.first.entra.handler()
	s.start(s.first, change...)
	return s
}

// another is one more copy, for the same tenant.
func (s *pgServices) another(change ...func(*settings)) *place {
	s.tb.Helper()
	p := &place{
		tb: s.tb, tenant: s.first.tenant, entra: s.first.entra, log: &syncBuffer{}, network: inProcess{"login.example": s.first.entra.handler()},
	}
	s.start(p, change...)
	return p
}

func (s *pgServices) start(p *place, change ...func(*settings)) {
	p.limits = func(o *settings) {
		o.keys = mustKeys(s.tb, keyLine(1))
		must(s.tb, o.usePostgres(s.tb.Context(), &pgFlags{dsn: s.dsn, schema: s.schema, lease: 2 * time.Second}))
		for _, c := range change {
			c(o)
		}
	}
	p.open()
	s.tb.Cleanup(p.close)
}

func (s *pgServices) until(c *caller, id string, want state) {
	s.tb.Helper()
	var view sessionView
	for end := time.Now().Add(15 * time.Second); view.State != want; {
		if time.Now().After(end) {
			s.tb.Fatalf("the session is %s instead of %s", view.State, want)
		}
		time.Sleep(50 * time.Millisecond)
		got := c.get("/sessions/" + id)
		got.into(s.tb, &view)
	}
}

// Whose wait goes on after its copy has stopped: that of a person who is signed in, or everybody's, if the application may read.
func TestPGStore_WhoseWaitGoesOn(t *testing.T) {
	t.Parallel()
	asApp := func(o *settings) { o.waitAsApp = true }
	for name, c := range map[string]struct {
		signedIn bool
		change   func(*settings)
		want     state
	}{
		"signed in":     {true, func(*settings) {}, stateReady},
		"not signed in": {false, func(*settings) {}, stateNoLink},
		"as the app":    {false, asApp, stateReady},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newPGServices(t, c.change)
			device := s.first.add("LT-1", intunetest.SessionScript{After: 5 * time.Second})
			who := s.first.program(dana) // a program has no sign-in that lasts
			if c.signedIn {
				who = s.first.browser(dana)
			}
			var view sessionView
			got := who.ask(device, uuid.NewString())
			got.into(t, &view)
			s.first.close()
			two := s.another(c.change)
			// No request of dana's comes, which would be reason enough to go on.
			for end := time.Now().Add(14 * time.Second); ; {
				now, err := two.service.desk.store.get(t.Context(), view.ID)
				must(t, err)
				if now.state == c.want && (c.want != stateNoLink || time.Now().After(end.Add(-3*time.Second))) {
					break
				}
				if time.Now().After(end) {
					t.Fatalf("the session is %s instead of %s", now.state, c.want)
				}
				time.Sleep(50 * time.Millisecond)
			}
			again := two.program(dana)
			if c.want == stateNoLink {
				s.until(again, view.ID, stateReady)
			}
			if got := again.post("/sessions/"+view.ID+"/link", ""); got.status != http.StatusOK {
				t.Errorf("the link: %d %s", got.status, got.body)
			}
			if n := s.first.tenant.Prompts(device); n != 1 {
				t.Errorf("%d prompts", n)
			}
		})
	}
}

// The roles of roles.sql: the owner makes the tables, and the application does all else.
func TestPGStore_Roles(t *testing.T) {
	t.Parallel()
	p := newPGPlace(t)
	text, err := os.ReadFile("roles.sql")
	must(t, err)
	owner, app := p.schema+"_o", p.schema+"_a"
	names := strings.NewReplacer("intune_owner", owner, "intune_app", app, "SCHEMA intune", "SCHEMA "+p.schema, "intune.", p.schema+".")
	before, after, ok := strings.Cut(names.Replace(string(text)), "-- After")
	if !ok {
		t.Fatal("roles.sql has no second part")
	}
	admin, err := pgConfig(p.dsn)
	must(t, err)
	db := openPool(admin)
	t.Cleanup(func() { db.Close() })
	_, err = db.ExecContext(t.Context(), before)
	must(t, err)
	t.Cleanup(func() {
		roles := owner + `, ` + app
		for _, statement := range []string{`DROP SCHEMA ` + p.schema + ` CASCADE`, `DROP OWNED BY ` + roles, `DROP ROLE ` + roles} {
			if _, err := db.Exec(statement); err != nil {
				t.Error(err)
			}
		}
	})
	as := func(role string) string {
		at, err := url.Parse(p.dsn)
		must(t, err)
		at.User = url.User(role)
		return at.String()
	}
	var talk strings.Builder
	migrate := func(role string) int {
		return run(t.Context(), []string{"-migrate", "-database", as(role), "-database-schema", p.schema},
			func(string) string { return "" }, io.Discard, &talk)
	}
	if code := migrate(app); code != 1 {
		t.Errorf("the application makes tables: %d %s", code, talk.String())
	}
	if code := migrate(owner); code != 0 {
		t.Fatalf("-migrate: %d %s", code, talk.String())
	}
	_, err = db.ExecContext(t.Context(), "-- After"+after)
	must(t, err)
	p.dsn = as(app)
	s := newPGServicesAt(t, p)
	c := s.first.browser(dana)
	var view sessionView
	got := c.ask(s.first.add("LT-1", intunetest.SessionScript{AfterReads: 1}), uuid.NewString())
	got.into(t, &view)
	s.until(c, view.ID, stateReady)
	if got := c.post("/sessions/"+view.ID+"/link", ""); got.status != http.StatusOK {
		t.Errorf("the link: %d %s", got.status, got.body)
	}
	if got := c.post("/auth/logout", ""); got.status >= http.StatusBadRequest {
		t.Errorf("sign-out: %d %s", got.status, got.body)
	}
	s.first.close()
	for line := range strings.SplitSeq(s.first.log.String(), "\n") {
		if strings.Contains(line, "permission denied") {
			t.Error(line)
		}
	}
	pool := openPool(must2(pgConfig(p.dsn)))
	t.Cleanup(func() { pool.Close() })
	for _, statement := range []string{
		`DELETE FROM ` + p.schema + `.request`, `DELETE FROM ` + p.schema + `.service_session`, `DROP TABLE ` + p.schema + `.request`,
		`CREATE TABLE ` + p.schema + `.other (x int)`, `SELECT nextval('` + p.schema + `.change')`,
	} {
		if _, err := pool.ExecContext(t.Context(), statement); err == nil {
			t.Errorf("the application may: %s", statement)
		}
	}
}

func must2[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// A DSN with a password is in a file, and in no message.
func TestPGStore_DSN(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "dsn")
	must(t, os.WriteFile(file, []byte("postgres://kim:pa55word@127.0.0.1:1/x?sslmode=disable\n"), 0o600))
	env := map[string]string{"SERVICE_DATABASE_FILE": file}
	var out, talk strings.Builder
	if code := run(t.Context(), []string{"-migrate"}, func(name string) string { return env[name] }, &out, &talk); code != 1 {
		t.Errorf("code %d", code)
	}
	for _, args := range [][]string{
		{"-database", "postgres://kim:pa55word@127.0.0.1:notaport/x"},
		{"-database", "postgres://kim:pa55word@127.0.0.1/x", "-journal", "j"},
		{"-database", "postgres://kim:pa55word@127.0.0.1/x", "-demo"},
		{"-database", "postgres://kim:pa55word@127.0.0.1/x"},
		{"-migrate"},
	} {
		if code := run(t.Context(), args, func(string) string { return "" }, &out, &talk); code != 2 {
			t.Errorf("%v: code %d", args, code)
		}
	}
	if text := out.String() + talk.String(); strings.Contains(text, "pa55word") {
		t.Errorf("the password is in %s", text)
	}
	for want, flags := range map[string]bool{"-journal and -database": true, "-keys-file": true, "belong to -database": true} {
		if strings.Contains(talk.String(), want) != flags {
			t.Errorf("no word of %q in %s", want, talk.String())
		}
	}
}

// A copy that dies before it keeps the hash of a link leaves a session whose link nobody can compare. Links from before the
// request do not count then, although a server that lags behind shows one.
func TestPGStore_CrashBeforeTheHashOfALink(t *testing.T) {
	t.Parallel()
	const old = "https://get.teamviewer.com/old"
	s := newPGServices(t)
	device := s.first.add("LT-1", intunetest.SessionScript{URL: old}, intunetest.SessionScript{})
	if _, err := s.first.tenant.Client().OpenRemoteAssistance(t.Context(), device, nil); err != nil {
		t.Fatal(err)
	}
	c := s.first.program(dana)
	var view sessionView
	got := c.ask(device, uuid.NewString())
	got.into(t, &view)
	for kept := false; !kept; idle(t.Context(), 10*time.Millisecond) { // a moment after the session is ready
		now, err := s.first.service.desk.store.get(t.Context(), view.ID)
		must(t, err)
		kept = len(now.linkHash) > 0
	}
	db, err := sql.Open("pgx", s.dsn)
	must(t, err)
	defer db.Close()
	_, err = db.ExecContext(t.Context(), `UPDATE `+s.schema+`.service_session SET link_hash = NULL`)
	must(t, err)
	s.first.tenant.Inject(intunetest.Fault{
		Method: http.MethodGet, PathSuffix: device.DeviceID(), Status: http.StatusOK, Times: 2,
		Body: `{"id":"` + device.DeviceID() + `","remoteAssistanceSessionUrl":"` + old + `","remoteAssistanceSessionErrorDetails":null}`,
	})
	got = c.post("/sessions/"+view.ID+"/link", "")
	if got.status != http.StatusOK {
		t.Errorf("the link: %d %s", got.status, got.body)
	}
	if strings.Contains(got.body, old) {
		t.Errorf("a link from before the request: %s", got.body)
	}
}
