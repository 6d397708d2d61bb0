package main

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

const (
	danaUPN  = "dana.cole@contoso.com"
	robinUPN = "robin.sato@contoso.com"
	leeUPN   = "lee.park@contoso.com"
)

// opensLink checks that a step leads to a window with the link.
func (b *tab) opensLink(s step) {
	b.t.Helper()
	if strings.Contains(value[string](b, `document.documentElement.outerHTML`), "teamviewer.com") {
		b.t.Error("the page has the link before somebody asks for it")
	}
	opened := chromedp.WaitNewTarget(b.ctx, func(info *target.Info) bool {
		return strings.HasPrefix(info.URL, "https://get.teamviewer.com/")
	})
	b.do(s, text("state", "The session was opened"))
	select {
	case <-opened:
	case <-time.After(patience):
		b.t.Error("no window with the link was opened")
	}
}

// inFront is back from a window that hides the page's tab.
func inFront() step {
	return step{"the tab is in front", chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, page.BringToFront, cdp.Empty{})
		return err
	})}
}

// Nobody needs a mouse, from the way in to the link.
func TestPageInABrowser_KeyboardAlone(t *testing.T) {
	t.Parallel()
	b := openTab(t)
	p := launch(t, "service", nil, "-demo", "-listen", "127.0.0.1:0")
	defer func() { _ = p.Cancel(); _ = p.Wait() }()
	enter := keys("Enter", kb.Enter)
	b.do(step{"the page loads", chromedp.Navigate(p.at)}, visible("#enter a"))
	b.accessible("the way in")
	b.pictures("enter")
	b.do(tabTo("#enter a"), enter, visible("button[value]"), keys("Tab", kb.Tab), enter, visible("#q"))
	b.accessible("nothing chosen")
	b.pictures("home")
	// The field has the focus, Enter searches, the card gets the focus, Tab goes to its button.
	b.do(keys("the name", "LT-4F7K2"), enter, visible("#card"), text("ready", "Nothing stands in the way"))
	b.accessible("a card")
	b.pictures("card")
	b.do(tabTo("#ask"), enter, text("state", "The user is being asked"), pageTitle("Waiting · LT-4F7K2"),
		holds("the session has the focus", `document.activeElement.id === "session"`))
	b.accessible("waiting")
	b.pictures("waiting")
	b.do(visible("#open"), text("state", "The link is ready"), pageTitle("Link ready · LT-4F7K2"))
	b.accessible("ready")
	b.pictures("ready")
	b.do(tabTo("#open"))
	b.opensLink(enter)
	if strings.Contains(p.log.String(), "teamviewer") {
		t.Error("the log has the link")
	}
	if !value[bool](b, `document.getElementById("open").hidden`) {
		t.Error("the button for the link is still there")
	}
	b.do(inFront(), tabTo(`#again`), enter, visible("#card"),
		holds("the device can be asked again", `!document.getElementById("ask").disabled`))
	b.accessible("opened")
	b.quiet(nil)
}

// A session has an address, and Back stays inside.
func TestPageInABrowser_ReloadAndBack(t *testing.T) {
	t.Parallel()
	b, p := demoIn(t, danaUPN)
	b.do(searchFor("LT-SALES-11"), visible("#card"), text("card-title", "LT-SALES-11"), click("#ask"),
		text("state", "The user is being asked"), text("session-title", "Session with LT-SALES-11"),
		reload(), visible("#session"), text("session-title", "Session with LT-SALES-11"), text("state", "The user is being asked"),
		pageTitle("Waiting · LT-SALES-11"))

	// While the user is asked, the device cannot be asked again, and the card says why.
	b.do(back(), visible("#card"), text("card-title", "LT-SALES-11"), holds("no second request", `document.getElementById("ask").disabled`),
		text("ask-why", "You asked this user"))
	b.accessible("a device that waits")
	b.pictures("busy")
	b.do(click("#ask-why-link"), visible("#session"), back(), visible("#card"), back(),
		holds("nothing is chosen", `document.getElementById("card").hidden && document.getElementById("session").hidden`))

	// All open sessions are live: another one of the list gets its link while this one is shown.
	b.do(searchFor("PHONE-ANNA"), visible("#card"), text("card-title", "PHONE-ANNA"), click("#ask"), text("session-title", "PHONE-ANNA"),
		click(`#open-list li:last-child a`), text("session-title", "LT-SALES-11"), pageTitle("Link ready · PHONE-ANNA"),
		text("open-list", "Link ready"), text("said", "PHONE-ANNA: The link is ready."))
	if got := value[string](b, `document.querySelector("#open-list a").innerText`); !strings.Contains(got, "PHONE-ANNA") {
		t.Errorf("the entry says %q", got)
	}

	// The address of a session that is nobody's.
	b.do(step{"an address", chromedp.Navigate(p.at + "/#/sessions/6b8f1f6c-3f0e-4d4b-9a39-1d8c5f7e2a10")},
		text("session-error", "There is nothing here"))
	for _, address := range []string{"/#/sessions/%", "/#/devices/..", "/#/nowhere"} {
		b.do(step{address, chromedp.Navigate(p.at + address)},
			holds("the beginning", `document.activeElement.id === "q" && document.getElementById("session").hidden`))
	}
	b.quiet(func(m chromedp.ConsoleMessage) bool { return strings.Contains(m.Text, " 404 ") })
}

// Two people want one device: the second one hears why not, beside the button.
func TestPageInABrowser_TwoPeople(t *testing.T) {
	t.Parallel()
	dana, p := demoIn(t, danaUPN)
	dana.do(searchFor("LT-SALES-11"), visible("#card"), click("#ask"), text("state", "The user is being asked"))
	robin := openAnother(t)
	robin.signIn(p.at, robinUPN)
	robin.do(searchFor("LT-SALES-11"), visible("#card"), text("ready", "session"), click("#ask"), visible("#ask-error"),
		text("ask-error", "is being asked already"), text("ask-error", "Request id"), text("none", "None in the last 30 days"))
	robin.accessible("a refusal")
	robin.pictures("refused")
	if far := value[float64](robin, `document.getElementById("ask-error").getBoundingClientRect().top -
		document.getElementById("ask").getBoundingClientRect().bottom`); far < 0 || far > 40 {
		t.Errorf("the error is %v pixels from the button", far)
	}
	if !value[bool](robin, `document.activeElement.id === "ask"`) {
		t.Error("the button lost the focus")
	}
}

// Two people in one browser: the page of the first one does not go on under the name of the second.
func TestPageInABrowser_TwoPeopleInOneBrowser(t *testing.T) {
	t.Parallel()
	first, p := demoIn(t, danaUPN)
	first.do(searchFor("LT-SALES-11"), visible("#card"), click("#ask"), text("state", "The user is being asked"))
	second := first.another()
	who := `button[value="` + robinUPN + `"]`
	second.do(step{"the way in", chromedp.Navigate(p.at + "/auth/login")}, visible(who), click(who), visible("#q"), text("name", "Robin Sato"))
	first.do(inFront(), visible("#other"), text("other-name", "Robin Sato"), pageTitle("This browser has signed in again"),
		holds("nothing of the first one is left", `document.getElementById("work").hidden && document.getElementById("who").hidden`))
	first.accessible("another person")
	first.pictures("other")
	first.do(click("#other-button"), visible("#q"), text("name", "Robin Sato"), text("none", "None in the last 30 days"))
}

// What goes wrong on the way in, and addresses that do not exist, end on a page that leads back.
func TestPageInABrowser_Refusals(t *testing.T) {
	t.Parallel()
	b := openTab(t)
	p := launch(t, "service", nil, "-demo", "-listen", "127.0.0.1:0")
	defer func() { _ = p.Cancel(); _ = p.Wait() }()
	b.do(step{"an answer to nobody", chromedp.Navigate(p.at + "/auth/callback?code=x&state=y")}, text("title", "The sign-in did not work"))
	b.accessible("a sign-in that failed")
	b.pictures("refusal")
	b.do(step{"an address", chromedp.Navigate(p.at + "/no/such/page")}, text("title", "There is nothing here"),
		click("main a"), visible("#enter a"))
	b.quiet(func(m chromedp.ConsoleMessage) bool {
		return strings.Contains(m.Text, " 403 ") || strings.Contains(m.Text, " 404 ")
	})
}

// The service is below a path, with a help desk of its own that wants a reference for each request.
func TestPageInABrowser_BelowAPath(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := listener.Addr().String()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	b := openTab(t)
	p := launch(t, "service", nil, "-demo", "-listen", at, "-public", "http://"+at+"/help/desk", "-desk-name", "Fabrikam Service Desk",
		"-desk-contact", "Call 4711", "-reference-label", "Case", "-require-reference")
	defer func() { _ = p.Cancel(); _ = p.Wait() }()
	b.signIn(p.at, danaUPN)
	b.do(searchFor("PHONE-ANNA"), visible("#card"), text("card-title", "PHONE-ANNA"), click("#ask"),
		holds("the field is demanded", `document.activeElement.id === "reference" && document.getElementById("session").hidden`),
		keys("the case", "INC-0042"), keys("Enter", kb.Enter), text("state", "The user is being asked"), text("session-facts", "Case\\nINC-0042"),
		text("open-list", "INC-0042"), reload(), text("session-title", "PHONE-ANNA"), text("session-facts", "INC-0042"))
	b.pictures("reference")
	b.opensLink(click("#open"))
	b.do(inFront(), step{"no such address", chromedp.Navigate(p.at + "/none")}, text("title", "There is nothing here"),
		click("main a"), visible("#q"))
	if got := value[string](b, `location.pathname`); got != "/help/desk/" {
		t.Errorf("the page is at %q", got)
	}
	if got := value[string](b, `document.querySelector(".brand").innerText`); got != "Remote assistance\nFabrikam Service Desk" {
		t.Errorf("the header says %q", got)
	}
	b.quiet(func(m chromedp.ConsoleMessage) bool { return strings.Contains(m.Text, " 404 ") })
}

// What became of a session is said in words, and no more than is known.
func TestPageInABrowser_Outcomes(t *testing.T) {
	t.Parallel()
	b, p := demoIn(t, danaUPN)
	b.do(searchFor("LT-LOBBY-02"), visible("#card"), text("ready", "Nothing stands in the way"), click("#ask"),
		text("state", "The user may be asked"), text("expect", "Nobody knows"), text("state", "The link is ready"))
	b.do(searchFor("ben.ito@contoso.com"), visible("#card"), text("ready", "sync it in Company Portal"))
	b.accessible("a device that is not ready")
	b.pictures("not-ready")
	b.do(click("#ask"), text("state", "There is no session"), text("expect", "no seats left"))
	b.accessible("failed")
	b.pictures("failed")
	b.do(click("#leave"), visible("#enter a"), holds("no trace", `sessionStorage.length === 0`))

	// Somebody without the permission is told whom to ask, and not which permission.
	b.do(click("#enter a"), visible(`button[value="`+leeUPN+`"]`), click(`button[value="`+leeUPN+`"]`), visible("#q"),
		searchFor("LT-4F7K2"), visible("#find-error"), text("find-error", "Give your administrator the request id"))
	b.pictures("not-allowed")
	b.quiet(func(m chromedp.ConsoleMessage) bool {
		return m.URL == p.at+"/devices?q=LT-4F7K2" && strings.Contains(m.Text, " 403 ")
	})
}

// Names come from anybody: nothing in them is hidden, or changes how the rest is shown, or breaks the page.
func TestPageInABrowser_OddNames(t *testing.T) {
	t.Parallel()
	b, _ := demoIn(t, danaUPN)
	b.do(searchFor("odd.names@contoso.com"), text("found", "2 devices"), text("devices", "LT-[U+202E]2K7F4"),
		text("devices", "[U+202E]regnirps"))
	b.accessible("odd names")
	b.pictures("odd-list")
	b.do(click("#devices li:first-child a"), visible("#card"), text("card-title", "LT-[U+202E]2K7F4"), back(),
		click("#devices li:last-child a"), visible("#card"), text("card-title", "257 characters"))
	b.accessible("a long name")
	b.do(click("#card-title summary"), holds("the whole name", `document.querySelector("#card-title details").innerText.length > 256`))
	b.accessible("a whole long name")
	b.pictures("odd-card")
	b.do(click("#ask"), visible("#session"), text("session-title", "LONGNAME"), holds("a short title", `document.title.length < 80`))
	b.accessible("a session with a long name")
	if value[bool](b, `/[\u202A-\u202E\u2066-\u2069]/.test(document.documentElement.outerHTML + document.title)`) {
		t.Error("the page has a mark that turns the direction of writing")
	}
	b.quiet(nil)
}

// The clock of the technician's computer is hours behind or ahead. Who looks elsewhere is told that the link is there, and
// never the link.
func TestPageInABrowser_WrongClock(t *testing.T) {
	t.Parallel()
	for _, hours := range []string{"-3", "5"} {
		t.Run(hours, func(t *testing.T) {
			t.Parallel()
			b := openTab(t)
			b.do(before(`{
				const now = Date.now;
				Date.now = () => now() + ` + hours + ` * 3600000;
				window.notes = [];
				window.Notification = class extends EventTarget {
					static permission = "default";
					static requestPermission = async () => (Notification.permission = "granted");
					constructor(title, more) { super(); window.notes.push(title + JSON.stringify(more)); }
				};
				document.hasFocus = () => false;
			}`))
			p := launch(t, "service", nil, "-demo", "-listen", "127.0.0.1:0")
			t.Cleanup(func() { _ = p.Cancel(); _ = p.Wait() })
			b.signIn(p.at, danaUPN)
			b.do(searchFor("LT-4F7K2"), visible("#card"), click("#ask"), visible("#notify"), click("#notify"),
				holds("the clock is right", `/^0:0\d since/.test(document.getElementById("clock").textContent)`),
				holds("a notification", `window.notes.length === 1`))
			if got := value[string](b, `window.notes[0]`); !strings.Contains(got, "Link ready · LT-4F7K2") || strings.Contains(got, "http") {
				t.Errorf("the notification says %s", got)
			}
		})
	}
}
