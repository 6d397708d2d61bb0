package main

import (
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-intune/intune/intunetest"
)

// slowly makes the next request for assistance be on its way for 20 seconds, after its user was asked.
func (p *place) slowly() {
	p.tenant.Inject(intunetest.Fault{PathSuffix: actionSuffix, Effect: true, Delay: 20 * time.Second})
}

// A wait that was left must not go on while somebody else asks, whose link it would take.
func TestWaitThatGoesOnTakesNobodysLink(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		device := p.add("LT-1", intunetest.SessionScript{Never: true}, intunetest.SessionScript{After: 30 * time.Second})
		a, b := p.browser(dana), p.browser(robin)
		first := a.begin(device, anyKey).ID
		time.Sleep(11 * time.Minute)
		p.slowly()
		asked := make(chan reply, 1)
		go func() { asked <- b.ask(device, anyKey) }()
		for range 30 {
			time.Sleep(time.Second / 2)
			a.refused(a.post("/sessions/"+first+"/wait", ""), kindNotWaiting)
		}
		var second sessionView
		theirs := <-asked
		theirs.into(t, &second)
		for range 30 {
			time.Sleep(time.Second)
			a.refused(a.post("/sessions/"+first+"/wait", ""), kindNotWaiting)
			a.refused(a.post("/sessions/"+first+"/link", ""), kindNotReady)
		}
		if got := a.session(first); got.State != stateSuperseded {
			t.Errorf("the first: %+v", got)
		}
		if got := b.post("/sessions/"+second.ID+"/link", ""); got.status != http.StatusOK {
			t.Errorf("the second: %d %s", got.status, got.body)
		}
	})
}

// After a restart, the mere list of a technician makes interrupted waits go on.
func TestListAfterARestartTakesNobodysLink(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		device := p.add("LT-1", intunetest.SessionScript{Never: true}, intunetest.SessionScript{After: 30 * time.Second})
		first := p.browser(dana).begin(device, anyKey).ID
		time.Sleep(time.Minute)
		p.crash()
		a, b := p.program(dana), p.program(robin)
		p.slowly()
		asked := make(chan reply, 1)
		go func() { asked <- b.ask(device, anyKey) }()
		time.Sleep(time.Second)
		a.get("/sessions")
		var second sessionView
		theirs := <-asked
		theirs.into(t, &second)
		time.Sleep(time.Minute)
		if got := a.session(first); got.State != stateSuperseded {
			t.Errorf("the first: %+v", got)
		}
		if got := b.post("/sessions/"+second.ID+"/link", ""); got.status != http.StatusOK {
			t.Errorf("the second: %d %s", got.status, got.body)
		}
	})
}

// Whoever asks takes what was left for the device, and gives it back if nobody was asked.
func TestRefusedRequestGivesTheDeviceBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		left := p.add("LT-1", intunetest.SessionScript{After: 12 * time.Minute})
		ready := p.add("LT-2")
		a, b := p.browser(dana), p.browser(robin)
		l, r := a.begin(left, "key-000l").ID, a.begin(ready, "key-000r").ID
		time.Sleep(11 * time.Minute)
		p.tenant.Inject(intunetest.Fault{
			PathSuffix: actionSuffix, Status: http.StatusForbidden, Code: "Forbidden", Message: "no", Delay: 5 * time.Second, Times: 2,
		})
		var group sync.WaitGroup
		group.Go(func() { b.refused(b.ask(left, "key-000l"), kindForbidden) })
		group.Go(func() { b.refused(b.ask(ready, "key-000r"), kindForbidden) })
		time.Sleep(time.Second)
		for _, id := range []string{l, r} {
			if got := a.session(id); got.State != stateSuperseded {
				t.Errorf("while somebody asks: %+v", got)
			}
		}
		group.Wait()
		if got := a.post("/sessions/"+r+"/link", ""); got.status != http.StatusOK {
			t.Errorf("the link: %d %s", got.status, got.body)
		}
		if got := a.post("/sessions/"+l+"/wait", ""); got.status != http.StatusAccepted {
			t.Errorf("the wait: %d %s", got.status, got.body)
		}
		time.Sleep(2 * time.Minute)
		if got := a.session(l); got.State != stateReady {
			t.Errorf("the wait: %+v", got)
		}
	})
}

// A wait that goes on keeps the device, also from somebody who has just looked at it.
func TestWaitThatGoesOnKeepsTheDevice(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		device := p.add("LT-1", intunetest.SessionScript{Never: true})
		a, b := p.browser(dana), p.browser(robin)
		id := a.begin(device, anyKey).ID
		time.Sleep(11 * time.Minute)
		p.tenant.Inject(intunetest.Fault{Method: http.MethodGet, PathSuffix: device.DeviceID(), Delay: 5 * time.Second})
		asked := make(chan reply, 1)
		go func() { asked <- b.ask(device, anyKey) }()
		time.Sleep(time.Second)
		var group sync.WaitGroup
		for range 20 {
			group.Go(func() {
				if got := a.post("/sessions/"+id+"/wait", ""); got.status != http.StatusAccepted {
					t.Errorf("%d %s", got.status, got.body)
				}
			})
		}
		group.Wait()
		b.refused(<-asked, kindDeviceBusy)
		synctest.Wait()
		if n := p.service.desk.waitingNow(); n != 1 {
			t.Errorf("%d wait for one session", n)
		}
		if n := p.tenant.Prompts(device); n != 1 {
			t.Errorf("%d prompts", n)
		}
	})
}

// A link that came from elsewhere, such as the admin center, is not the one that the technician waited for.
func TestLinkOfSomebodyElsewhere(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		device := p.add("LT-1", intunetest.SessionScript{}, intunetest.SessionScript{AfterReads: 1})
		c := p.browser(dana)
		id := c.begin(device, anyKey).ID
		time.Sleep(time.Minute)
		if _, err := p.tenant.Client().RequestRemoteAssistance(t.Context(), device, nil); err != nil {
			t.Fatal(err)
		}
		c.refused(c.post("/sessions/"+id+"/link", ""), kindNotReady)
		if got := c.session(id); got.State != stateSuperseded {
			t.Errorf("%+v", got)
		}
	})
}

// A device is not held for a wait that could not read it.
func TestWaitNeedsASignIn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		device := p.add("LT-1", intunetest.SessionScript{Never: true})
		c := p.browser(dana)
		id := c.begin(device, anyKey).ID
		time.Sleep(11 * time.Minute)
		p.tenant.Inject(intunetest.Fault{Method: http.MethodGet, Status: http.StatusUnauthorized, Code: "InvalidAuthenticationToken", Times: -1})
		c.refused(c.post("/sessions/"+id+"/wait", ""), kindSignInAgain)
		if got := c.session(id); got.State != stateNoLink {
			t.Errorf("%+v", got)
		}
	})
}

// Some of the servers that answer lag behind: what they show is no reason to end a session.
func TestLinkThatAServerDoesNotShowYet(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		device := p.add("LT-1")
		c := p.browser(dana)
		id := c.begin(device, anyKey).ID
		time.Sleep(time.Minute)
		for _, link := range []string{"null", `"https://get.teamviewer.com/v15/sOLD"`} {
			p.tenant.Inject(intunetest.Fault{
				Method: http.MethodGet, PathSuffix: device.DeviceID(), Status: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}},
				Body: `{"id":"` + device.DeviceID() + `","remoteAssistanceSessionUrl":` + link + `,"remoteAssistanceSessionErrorDetails":null}`,
			})
		}
		if got := c.post("/sessions/"+id+"/link", ""); got.status != http.StatusOK {
			t.Errorf("%d %s", got.status, got.body)
		}
	})
}
