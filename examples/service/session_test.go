package main

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-intune/intune/intunetest"
)

const anyKey = "key-00000001"

func TestSessionFromAskToLink(t *testing.T) {
	t.Parallel()
	for name, who := range map[string]func(*place) *caller{
		"browser": func(p *place) *caller { return p.browser(dana) },
		"program": func(p *place) *caller { return p.program(dana) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := newPlace(t)
				const link = "https://get.teamviewer.com/v15/sSECRET?access=1"
				device := p.add("LT-1", intunetest.SessionScript{URL: link, After: 20 * time.Second})
				c := who(p)
				got := c.begin(device, anyKey)
				if got.State != stateWaiting || got.Unsure {
					t.Errorf("after asking: %s, unsure %t", got.State, got.Unsure)
				}
				if want := device.DeviceID(); got.Device != want {
					t.Errorf("the device is %s, want %s", got.Device, want)
				}
				c.refused(c.post("/sessions/"+got.ID+"/link", ""), kindNotReady)
				time.Sleep(time.Minute)
				if now := c.session(got.ID); now.State != stateReady {
					t.Fatalf("after a minute: %+v", now)
				}
				var answer struct{ Link string }
				opened := c.post("/sessions/"+got.ID+"/link", "")
				opened.into(t, &answer)
				if answer.Link != link || opened.header.Get("Cache-Control") != "no-store" {
					t.Errorf("link: %s, %v", opened.body, opened.header)
				}
				c.refused(c.post("/sessions/"+got.ID+"/link", ""), kindOpened)
				if now := c.session(got.ID); now.State != stateOpened {
					t.Errorf("after opening: %+v", now)
				}
				if n := p.tenant.Prompts(device); n != 1 {
					t.Errorf("%d prompts", n)
				}
				if text := p.log.String(); strings.Contains(text, "teamviewer") || strings.Contains(text, "eyJ") {
					t.Errorf("the log has a link or a token: %s", text)
				} else if !strings.Contains(text, `"session":"`+got.ID+`","device":"`+device.DeviceID()+`","state":"opened"`) {
					t.Errorf("the log does not say who opened which session: %s", text)
				}
			})
		})
	}
}

func TestLinkIsInNoOtherAnswer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		device := p.add("LT-1")
		c := p.browser(dana)
		id := c.begin(device, anyKey).ID
		time.Sleep(time.Minute)
		for _, path := range []string{
			"/sessions/" + id, "/sessions", "/sessions/" + id + "/events", "/devices/" + device.DeviceID(), "/devices?q=LT-1",
			"/devices/" + device.DeviceID() + "/readiness", "/me",
		} {
			got := c.get(path)
			if got.status != http.StatusOK || strings.Contains(got.body, "teamviewer.com") {
				t.Errorf("GET %s: %d %s", path, got.status, got.body)
			}
		}
	})
}

func TestServiceSaysWhyThereIsNoSession(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		device := p.add("LT-1", intunetest.SessionScript{ErrorDetails: "The TeamViewer account has no seats left."})
		c := p.browser(dana)
		id := c.begin(device, anyKey).ID
		time.Sleep(time.Minute)
		if got := c.session(id); got.State != stateFailed || got.Reason != "The TeamViewer account has no seats left." {
			t.Errorf("%+v", got)
		}
		p.close()
		p.open()
		c = p.browser(dana)
		if got := c.session(id); got.State != stateFailed || got.Reason == "" {
			t.Errorf("after a restart: %+v", got)
		}
	})
}

func TestWaitGoesOnWithoutAskingAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		device := p.add("LT-1", intunetest.SessionScript{After: 12 * time.Minute})
		c := p.browser(dana)
		id := c.begin(device, anyKey).ID
		time.Sleep(11 * time.Minute)
		if got := c.session(id); got.State != stateNoLink {
			t.Fatalf("%+v", got)
		}
		if got := c.post("/sessions/"+id+"/wait", ""); got.status != http.StatusAccepted {
			t.Fatalf("%d %s", got.status, got.body)
		}
		time.Sleep(2 * time.Minute)
		if got := c.session(id); got.State != stateReady {
			t.Errorf("%+v", got)
		}
		if n := p.tenant.Prompts(device); n != 1 {
			t.Errorf("%d prompts", n)
		}
		c.refused(c.post("/sessions/"+id+"/wait", ""), kindNotWaiting)
		time.Sleep(time.Hour)
		if got := c.session(id); got.State != stateExpired {
			t.Errorf("an hour later: %+v", got)
		}
		c.refused(c.post("/sessions/"+id+"/link", ""), kindNotReady)
	})
}
