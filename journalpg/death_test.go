package journalpg_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// dying is what a copy does outside of itself. It dies at one of the steps: nothing goes in or out any more.
type dying struct {
	at    int
	after bool // the step has its effect

	mu    sync.Mutex
	steps []string
	dead  bool
	died  string // the step
	conns []*stdlib.Conn
	gone  context.CancelFunc
}

var errDead = errors.New("this copy is dead")

// step does what work does, unless the copy is dead or dies.
func (d *dying) step(name string, work func() error) error {
	d.mu.Lock()
	d.steps = append(d.steps, name)
	dies := len(d.steps) == d.at
	if dies {
		d.died = name
	}
	d.dead = d.dead || dies && !d.after
	dead := d.dead
	d.mu.Unlock()
	var err error
	if !dead {
		err = work()
	}
	if !dies {
		if d.isDead() {
			return errDead
		}
		return err
	}
	d.mu.Lock()
	d.dead = true
	conns := d.conns
	d.mu.Unlock()
	d.gone()
	for _, conn := range conns { // as the system does for a process that was killed
		_ = conn.Conn().PgConn().Conn().Close()
	}
	return errDead
}

func (d *dying) isDead() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.dead
}

// dyingTransport is that of a copy that dies.
type dyingTransport struct {
	*intunetest.Tenant

	d *dying
}

func (t dyingTransport) Do(req *http.Request) (resp *http.Response, err error) {
	failed := t.d.step(req.Method, func() error {
		resp, err = t.Tenant.Do(req)
		return err
	})
	if failed != nil {
		return nil, failed
	}
	return resp, nil
}

// A copy that dies at any step, between any two, or in the middle of one: the user is asked once at most, the record never says
// that nobody was asked if somebody was, and the next copy gets the link, or knows that nobody has it.
func TestJournal_DiesAtEachStep(t *testing.T) {
	t.Parallel()
	config, err := pgx.ParseConfig(server(t))
	must(t, err)
	for _, after := range []bool{false, true} {
		t.Run(fmt.Sprintf("after=%t", after), func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			met := map[string]int{}
			for at := 1; ; at++ {
				d := &dying{at: at, after: after}
				end := (&death{f: f, d: d, config: config}).run(t)
				if t.Failed() {
					t.Fatalf("it died at step %d, %s", at, d.died)
				}
				if d.died == "" {
					break
				}
				met[d.died+": "+end]++
				f.exec(`TRUNCATE {request}`)
			}
			t.Log(met)
			if met["POST: nobody knows"]+met["POST: asked"] == 0 {
				t.Error("it did not die at the request")
			}
		})
	}
}

type death struct {
	f      *fixture
	d      *dying
	config *pgx.ConnConfig
}

// run lets one copy die and another one go on, and says how it ended.
func (x *death) run(t *testing.T) string {
	t.Helper()
	tenant := intunetest.NewTenant(&intunetest.TenantOptions{LookAgainAfter: time.Millisecond})
	device := tenant.AddDevice(intune.ManagedDevice{}, intunetest.SessionScript{AfterReads: 1})
	db := sql.OpenDB(&dyingDriver{stdlib.GetConnector(*x.config), x.d})
	t.Cleanup(func() { db.Close() })
	db.SetMaxOpenConns(4)
	j := x.f.journalOn(db)
	options := tenant.ClientOptions()
	options.Journal, options.Transport = j, dyingTransport{tenant, x.d}
	client, err := intune.NewClient(tenant.Credential(), options)
	must(t, err)
	open := &intune.OpenRemoteAssistanceOptions{ClientRequestID: keyFor(device, 0), ConfirmWithin: 50 * time.Millisecond}
	ctx, gone := context.WithCancel(t.Context())
	defer gone()
	x.d.gone = gone // a dead copy waits for nothing
	_, err = client.OpenRemoteAssistance(ctx, device, open)
	shown := err == nil && !x.d.isDead()
	if err != nil && !x.d.isDead() {
		t.Errorf("it lives, and has no link: %v", err)
	}
	prompts := tenant.Prompts(device)
	go j.Close() // ends what the test has started
	x.f.die()
	other := x.f.journal()
	defer other.Close()
	second := newClient(t, tenant, other)
	claimed, err := other.Claim(t.Context(), 10)
	must(t, err)
	for _, c := range claimed {
		session, err := second.WaitForRemoteAssistance(c.Context, c.Request.ResumeToken(), nil)
		if err == nil && shown {
			t.Error("the link was handed out twice")
		}
		shown = shown || err == nil && !session.URL.IsZero()
	}
	if n := tenant.Prompts(device); n != prompts {
		t.Errorf("going on with the wait asked the user: %d prompts", n)
	}
	list := requests(t, other)
	outcome := intune.OutcomeNotSent
	if len(list) > 0 {
		outcome = list[len(list)-1].Outcome()
	}
	switch {
	case prompts > 1 || len(list) > 1:
		t.Errorf("%d prompts, and %d requests in the record", prompts, len(list))
	case prompts == 1 && shown:
		return "asked"
	case prompts == 1 && list[0].Ended.Session == intune.SessionReady: // the copy died before it could hand the link out
		read, err := second.GetRemoteAssistanceSession(t.Context(), device, nil)
		must(t, err)
		if read.URL.IsZero() {
			t.Error("the link is lost")
		}
		return "asked, and the link is read again"
	case prompts == 1:
		t.Errorf("the user was asked, and nobody has the link: %s %s", outcome, list[0].Ended.Session)
	case shown:
		t.Error("a link, and nobody was asked")
	case outcome == intune.OutcomeUnknown: // the device is busy, and the key used; half an hour later it can be asked again
		wantBusy(t, other.Asking(t.Context(), asking(device)))
		if err := other.Asking(t.Context(), sameKey(list[0])); !isAlready(err) {
			t.Errorf("the key can be used again: %v", err)
		}
		x.f.age(31 * time.Minute)
	case outcome != intune.OutcomeNotSent:
		t.Errorf("nobody was asked, and the record says %s", outcome)
	}
	_, err = second.OpenRemoteAssistance(t.Context(), device, nil)
	must(t, err)
	if n := tenant.Prompts(device); n != 1 {
		t.Errorf("%d prompts after asking again", n)
	}
	if len(list) == 0 {
		return "nobody was asked"
	}
	return "nobody knows"
}

func sameKey(r intune.JournalRequest) intune.JournalEntry {
	entry := bare(r.Device())
	entry.ClientRequestID = r.Asking.ClientRequestID
	return entry
}

func isAlready(err error) bool {
	_, ok := errors.AsType[*intune.AlreadyAskedError](err)
	return ok
}

// dyingDriver is the driver of a copy that dies.
type dyingDriver struct {
	driver.Connector

	d *dying
}

func (x *dyingDriver) Connect(ctx context.Context) (driver.Conn, error) {
	if x.d.isDead() {
		return nil, errDead
	}
	inner, err := x.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	of, ok := inner.(*stdlib.Conn)
	if !ok {
		return nil, fmt.Errorf("pgx has another connection: %T", inner)
	}
	x.d.mu.Lock()
	defer x.d.mu.Unlock()
	x.d.conns = append(x.d.conns, of)
	return &steppedConn{of, x.d.step}, nil
}
