package main

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-intune/intune/intunetest"
)

const actionSuffix = "/requestRemoteAssistance"

func TestSameKeyNeverAsksTwice(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		device, other := p.add("LT-1"), p.add("LT-2")
		c := p.browser(dana)
		p.tenant.Inject(intunetest.Fault{PathSuffix: actionSuffix, Delay: 10 * time.Second}) // the retries come meanwhile
		ids := make([]string, 5)
		var group sync.WaitGroup
		for i := range ids {
			group.Go(func() {
				got := c.ask(device, anyKey)
				var view sessionView
				got.into(t, &view)
				ids[i] = view.ID
			})
		}
		group.Wait()
		for _, id := range ids {
			if id == "" || id != ids[0] {
				t.Errorf("ids %q", ids)
			}
		}
		time.Sleep(time.Minute)
		if got := c.ask(device, anyKey); got.status != http.StatusOK || !strings.Contains(got.body, `"ready"`) {
			t.Errorf("later: %d %s", got.status, got.body)
		}
		c.refused(c.ask(other, anyKey), kindKeyReused)
		if n, m := p.tenant.Prompts(device), p.tenant.Prompts(other); n != 1 || m != 0 {
			t.Errorf("prompts: %d and %d, want 1 and 0", n, m)
		}
	})
}

// A key stands for one request with all that it says, also while that is on its way. Whoever sends it with another reference
// would else find the new one in no record.
func TestKeyOfAnotherReference(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		device := p.add("LT-1")
		c := p.program(dana)
		p.tenant.Inject(intunetest.Fault{PathSuffix: actionSuffix, Delay: 10 * time.Second})
		var group sync.WaitGroup
		group.Go(func() {
			if got := c.askFor(device, `"INC1"`); got.status != http.StatusCreated {
				t.Errorf("%d %s", got.status, got.body)
			}
		})
		time.Sleep(5 * time.Second)
		c.refused(c.askFor(device, `"INC2"`), kindKeyReused)
		group.Wait()
		for _, other := range []string{`"INC2"`, `""`} {
			c.refused(c.askFor(device, other), kindKeyReused)
		}
		for _, same := range []string{`"INC1"`, `" INC1"`} {
			if got := c.askFor(device, same); got.status != http.StatusOK {
				t.Errorf("%s: %d %s", same, got.status, got.body)
			}
		}
		if n := p.tenant.Prompts(device); n != 1 {
			t.Errorf("%d prompts", n)
		}
	})
}

func TestKeyIsTheCallersOwn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		one, two := p.add("LT-1"), p.add("LT-2")
		a, b := p.browser(dana).begin(one, anyKey), p.browser(robin).begin(two, anyKey)
		if a.ID == b.ID {
			t.Errorf("both sessions are %s", a.ID)
		}
		if n, m := p.tenant.Prompts(one), p.tenant.Prompts(two); n != 1 || m != 1 {
			t.Errorf("prompts: %d and %d, want 1 each", n, m)
		}
	})
}

func TestCallerWhoGoesAwayChangesNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		device := p.add("LT-1")
		c := p.browser(dana)
		p.tenant.Inject(intunetest.Fault{PathSuffix: actionSuffix, Delay: 10 * time.Second})
		gone := *c.http
		gone.Timeout = time.Second
		request := c.request(t.Context(), http.MethodPost, "/sessions", `{"device":"`+device.DeviceID()+`"}`,
			http.Header{"Idempotency-Key": {anyKey}})
		if response, err := gone.Do(request); err == nil {
			_ = response.Body.Close()
			t.Fatal("the answer came too soon")
		}
		time.Sleep(time.Minute)
		got := c.ask(device, anyKey)
		if got.status != http.StatusOK || !strings.Contains(got.body, `"ready"`) {
			t.Errorf("%d %s", got.status, got.body)
		}
		if n := p.tenant.Prompts(device); n != 1 {
			t.Errorf("%d prompts, want 1", n)
		}
	})
}

func TestRefusedRequestFreesItsKey(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		device := p.add("LT-1")
		c := p.browser(dana)
		p.tenant.Inject(intunetest.Fault{PathSuffix: actionSuffix, Status: http.StatusForbidden, Code: "Forbidden", Message: "no"})
		c.refused(c.ask(device, anyKey), kindForbidden)
		if n := p.tenant.Prompts(device); n != 0 {
			t.Fatalf("%d prompts", n)
		}
		if got := c.ask(device, anyKey); got.status != http.StatusCreated {
			t.Errorf("again: %d %s", got.status, got.body)
		}
		if n := p.tenant.Prompts(device); n != 1 {
			t.Errorf("%d prompts", n)
		}
	})
}

// Nobody knows whether the user was asked, so that the service waits for a link and does not ask again.
func TestUnknownOutcomeIsNotAskedAgain(t *testing.T) {
	t.Parallel()
	for name, effect := range map[string]bool{"the service acted": true, "the service did not act": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := newPlace(t)
				device := p.add("LT-1")
				c := p.browser(dana)
				p.tenant.Inject(intunetest.Fault{PathSuffix: actionSuffix, Status: http.StatusBadGateway, Effect: effect})
				id := c.begin(device, anyKey).ID
				time.Sleep(5 * time.Minute)
				want, prompts := stateNoLink, 0
				if effect {
					want, prompts = stateReady, 1
				}
				if got := c.session(id); got.State != want || got.Unsure == effect {
					t.Errorf("%+v", got)
				}
				if got := c.ask(device, anyKey); got.status != http.StatusOK {
					t.Errorf("the same key again: %d %s", got.status, got.body)
				}
				if n := p.tenant.Prompts(device); n != prompts {
					t.Errorf("%d prompts", n)
				}
			})
		})
	}
}

// Nobody can tell whose link it is, so that a device is asked for one technician at a time.
func TestDeviceIsAskedForOneAtATime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		device := p.add("LT-1", intunetest.SessionScript{Never: true}, intunetest.SessionScript{})
		first, second := p.browser(dana), p.browser(robin)
		id := first.begin(device, anyKey).ID
		if got := second.refused(second.ask(device, anyKey), kindDeviceBusy); got.Session != "" {
			t.Errorf("a colleague's session is shown: %+v", got)
		}
		if got := first.refused(first.ask(device, "another-key"), kindDeviceBusy); got.Session != id {
			t.Errorf("the own session is not shown: %+v", got)
		}
		time.Sleep(11 * time.Minute)
		theirs := second.begin(device, anyKey).ID
		first.refused(first.post("/sessions/"+id+"/wait", ""), kindNotWaiting)
		time.Sleep(time.Minute)
		if a, b := first.session(id), second.session(theirs); a.State != stateSuperseded || b.State != stateReady {
			t.Errorf("%s and %s", a.State, b.State)
		}
	})
}

func TestLimitsOfAsking(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t, func(o *settings) { o.maxWaits = asksPerMinute + 1 })
		never := intunetest.SessionScript{Never: true}
		a, b := p.browser(dana), p.browser(robin)
		for i := range asksPerMinute {
			a.begin(p.add("LT-"+string(rune('a'+i)), never), anyKey+string(rune('a'+i)))
		}
		device := p.add("LT-x", never)
		if got := a.ask(device, anyKey); got.header.Get("Retry-After") != "59" { // the first was made two seconds ago, at their pace
			t.Errorf("%v", got.header)
		} else {
			a.refused(got, kindTooFast)
		}
		b.begin(p.add("LT-y", never), anyKey)
		b.refused(b.ask(device, "key-00000002"), kindFull)
		if n := p.tenant.Prompts(device); n != 0 {
			t.Errorf("%d prompts", n)
		}
		time.Sleep(11 * time.Minute)
		a.begin(device, anyKey)
	})
}

func TestRequestsThatCannotBeRead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		device := p.add("LT-1")
		c := p.browser(dana)
		body := `{"device":"` + device.DeviceID() + `"}`
		for _, test := range []struct {
			key, contentType, body string
			want                   kind
		}{
			{"", "application/json", body, kindNoKey},
			{"short", "application/json", body, kindNoKey},
			{"with spaces in it", "application/json", body, kindNoKey},
			{strings.Repeat("k", 129), "application/json", body, kindNoKey},
			{anyKey, "text/plain", body, kindMalformed},
			{anyKey, "application/x-www-form-urlencoded", body, kindMalformed},
			{anyKey, "application/json", "", kindMalformed},
			{anyKey, "application/json", body + body, kindMalformed},
			{anyKey, "application/json", body + " ]", kindMalformed},
			{anyKey, "application/json", "[" + body + "]", kindMalformed},
			{anyKey, "application/json", "null", kindMalformed},
			{anyKey, "application/json", "{}", kindMalformed},
			{anyKey, "application/json", `{"device":null}`, kindMalformed},
			{anyKey, "application/json", body[:len(body)-1] + `,"device":"x"}`, kindMalformed},
			{anyKey, "application/json", strings.ToUpper(body), kindMalformed},
			{anyKey, "application/json", body[:len(body)-1] + `,"reference":7}`, kindMalformed},
			{anyKey, "application/json", body[:len(body)-1] + ",\"reference\":\"\xff\"}", kindMalformed},
			{anyKey, "application/json", `{"device":1}`, kindMalformed},
			{anyKey, "application/json", `{"devices":[]}`, kindMalformed},
			{anyKey, "application/json", `{"device":"` + strings.Repeat("x", maxBody) + `"}`, kindMalformed},
			{anyKey, "application/json", `{"device":"../users"}`, kindNoDevice},
			{anyKey, "application/json", `{"device":"{` + device.DeviceID() + `}"}`, kindNoDevice},
		} {
			got := c.send(http.MethodPost, "/sessions", test.body, http.Header{"Idempotency-Key": {test.key}, "Content-Type": {test.contentType}})
			c.refused(got, test.want)
		}
		if n := p.tenant.Prompts(device); n != 0 {
			t.Errorf("%d prompts", n)
		}
	})
}

// Intune goes down after the user was asked, for two minutes.
func TestIntuneIsDownWhileTheLinkIsWaitedFor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		device := p.add("LT-1", intunetest.SessionScript{After: time.Minute})
		c := p.browser(dana)
		id := c.begin(device, anyKey).ID
		p.tenant.Inject(intunetest.Fault{Status: http.StatusServiceUnavailable, Times: -1})
		time.Sleep(2 * time.Minute)
		if got := c.session(id); got.State != stateWaiting {
			t.Errorf("while it is down: %+v", got)
		}
		c.refused(c.get("/devices?q=LT-1"), kindUnavailable)
		p.tenant.ClearFaults()
		time.Sleep(time.Minute)
		if got := c.session(id); got.State != stateReady || p.tenant.Prompts(device) != 1 {
			t.Errorf("%+v, %d prompts", got, p.tenant.Prompts(device))
		}
	})
}

// Intune takes a minute to answer the look before the request. By then, the caller has been told that nobody was asked.
func TestRequestThatIsLateAsksNobody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		device := p.add("LT-1")
		c := p.program(dana)
		p.tenant.Inject(intunetest.Fault{Method: http.MethodGet, PathSuffix: device.DeviceID(), Delay: time.Minute})
		from := time.Now()
		c.refused(c.ask(device, anyKey), kindUnavailable)
		if took := time.Since(from); took > answerWithin {
			t.Errorf("the answer took %v", took)
		}
		time.Sleep(2 * time.Minute)
		if n := p.tenant.Prompts(device); n != 0 {
			t.Errorf("%d prompts", n)
		}
		if got := c.ask(device, anyKey); got.status != http.StatusCreated {
			t.Errorf("again: %d %s", got.status, got.body)
		}
	})
}

// The session of a request that Intune refused after a while says why, as its answer did.
func TestSessionSaysWhyNobodyWasAsked(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		fault intunetest.Fault
		want  kind
	}{
		"forbidden":  {intunetest.Fault{Status: 403, Code: "Forbidden", Message: "no"}, kindForbidden},
		"throttled":  {intunetest.Fault{Status: 429, Header: http.Header{"Retry-After": {"400"}}}, kindThrottled},
		"no license": {intunetest.Fault{Status: 400, Code: "BadRequest", Message: "Tenant is not licensed", Nested: true}, kindTenant},
		"no answer":  {intunetest.Fault{Drop: intunetest.DropConnect}, kindUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := newPlace(t)
				device := p.add("LT-1")
				c := p.program(dana)
				test.fault.PathSuffix, test.fault.Times = actionSuffix, -1
				p.tenant.Inject(test.fault)
				c.refused(c.ask(device, anyKey), test.want)
				for _, when := range []string{"before", "after"} {
					got := c.session(sessionID(identityKeyOf(p, dana), anyKey))
					if got.State != stateRefused || got.Problem == nil || got.Problem.Type != "/problems/"+test.want.name {
						t.Errorf("%s a restart: %+v, %+v", when, got, got.Problem)
					}
					p.close()
					p.open()
				}
			})
		})
	}
}
