package main

import (
	"context"
	"iter"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// chromium is the path of an installed browser. Full browsers come first: in the headless shell, no tab is ever hidden, and
// no page is asked for its icon.
func chromium(t *testing.T) string {
	t.Helper()
	if program := os.Getenv("SERVICE_BROWSER"); program != "" {
		return program
	}
	for _, name := range []string{ // as in .ci/run
		"chromium", "chromium-browser", "google-chrome", "chromium-headless-shell", "headless-shell",
	} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Skip("no Chromium is installed")
	return ""
}

// patience is for one step, on a busy machine.
const patience = 30 * time.Second

// tab is a tab of a browser of its own, without a network beyond this machine.
type tab struct {
	t       *testing.T
	ctx     context.Context
	console iter.Seq2[chromedp.ConsoleMessage, error]
}

func openTab(t *testing.T) *tab {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(chromium(t)), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"), chromedp.WindowSize(900, 1100))
	// The steps end long before this; it is for a browser that does not start or does not end.
	ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("the browser does not start: %v", err)
	}
	return &tab{t, ctx, chromedp.Console(ctx)}
}

// do takes steps, each of which has to end in time.
func (b *tab) do(steps ...step) {
	b.t.Helper()
	for _, s := range steps {
		ctx, cancel := context.WithTimeout(b.ctx, patience)
		err := chromedp.Do(ctx, s.do)
		cancel()
		if err != nil {
			b.t.Fatalf("waited up to %v for: %s: %v\nThe page shows:\n%s\nThe console:\n%v", patience, s.what, err,
				value[string](b, `document.body.innerText`), b.messages())
		}
	}
}

// value is that of an expression in the page.
func value[T any](b *tab, expression string) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience/3) // nothing to wait for
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		b.t.Errorf("%s: %v", expression, err)
	}
	return v
}

// messages are what the console has got so far, such as a breach of the page's policy. It can be called once.
func (b *tab) messages() []chromedp.ConsoleMessage {
	b.t.Helper()
	const end = "the test reads up to here"
	if !value[bool](b, `console.log("`+end+`") === undefined`) {
		return nil
	}
	var all []chromedp.ConsoleMessage
	for message, err := range b.console {
		if err != nil {
			b.t.Errorf("the console: %v", err)
			break
		}
		if message.Text == end {
			break
		}
		all = append(all, message)
	}
	return all
}

// step is something to do in a tab, or to wait for.
type step struct {
	what string
	do   chromedp.Action[chromedp.Void]
}

// picture saves what the tab shows, if SERVICE_PICTURES names a folder.
func picture(name string) step {
	return step{"a picture", chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		folder := os.Getenv("SERVICE_PICTURES")
		if folder == "" {
			return nil
		}
		image, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(folder, name), image, 0o600)
	})}
}

func colors(scheme string) step {
	return step{"the colors are " + scheme, chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
		})
		return err
	})}
}

// text waits until an element shows a text. It looks at intervals, because a browser draws no frames of a tab that another
// one hides.
func text(id, want string) step {
	return step{
		"#" + id + ` shows "` + want + `"`,
		chromedp.Poll[chromedp.Void](`document.getElementById("`+id+`").innerText.includes("`+want+`")`,
			chromedp.WithPollingInterval(100*time.Millisecond), chromedp.WithPollingTimeout(0)),
	}
}

func visible(selector string) step {
	return step{selector + " is visible", chromedp.WaitVisible(chromedp.CSS(selector))}
}

func click(selector string) step {
	return step{"a click on " + selector, chromedp.Click(chromedp.CSS(selector))}
}

func keys(what, text string) step { return step{"keys: " + what, chromedp.KeyEvent(text)} }

func searchFor(text string) step {
	return step{"the search for " + text, chromedp.SendKeys(chromedp.CSS("#q"), text+kb.Enter)}
}

func TestPageInABrowser(t *testing.T) {
	t.Parallel()
	b := openTab(t)
	p := launch(t, "service", nil, "-demo", "-listen", "127.0.0.1:0")
	defer func() { _ = p.Cancel(); _ = p.Wait() }()

	b.do(colors("light"), step{"the page loads", chromedp.Navigate(p.at)}, visible("#enter a"), click("#enter a"),
		visible(`button[value="dana.cole@contoso.com"]`), click(`button[value="dana.cole@contoso.com"]`),
		visible("#q"), text("name", "Dana Cole"))

	// With the keyboard alone: the field has the focus, Enter searches, the card gets the focus, Tab goes to its button.
	b.do(keys("the name", "LT-4F7K2"), keys("Enter", kb.Enter), visible("#card"), text("ready", "Nothing stands in the way"),
		picture("page-card.png"), keys("Tab", kb.Tab), keys("Enter", kb.Enter), text("state", "The user is being asked"),
		colors("dark"), picture("page-waiting.png"), visible("#open"), text("state", "The link is ready"))

	b.do(step{"the size of a phone", chromedp.EmulateViewport(390, 844, chromedp.EmulateScale(1), chromedp.EmulateMobile)},
		visible("#open"), picture("page-phone.png"))
	if value[bool](b, `document.documentElement.scrollWidth > 390`) {
		t.Error("the page is wider than a phone")
	}
	if strings.Contains(value[string](b, `document.documentElement.outerHTML`), "teamviewer.com") {
		t.Error("the page has the link before somebody asks for it")
	}
	opened := chromedp.WaitNewTarget(b.ctx, func(info *target.Info) bool {
		return strings.HasPrefix(info.URL, "https://get.teamviewer.com/")
	})
	b.do(click("#open"), text("state", "The session was opened"))
	select {
	case <-opened:
	case <-time.After(patience):
		t.Error("no window with the link was opened")
	}
	if strings.Contains(p.log.String(), "teamviewer") {
		t.Error("the log has the link")
	}
	if !value[bool](b, `document.getElementById("open").hidden`) {
		t.Error("the button for the link is still there")
	}
	// Back from the window that hides the page's tab.
	b.do(step{"the tab is in front", chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, page.BringToFront, cdp.Empty{})
		return err
	})}, step{"the page loads again", chromedp.Reload()}, visible("#history li"), text("history", "LT-4F7K2"),
		text("history", "The session was opened"))

	// The page does not say that a user was asked of whom nobody knows it.
	b.do(searchFor("LT-LOBBY-02"), visible("#card"), text("ready", "Nothing stands in the way"), click("#ask"),
		text("state", "The user may be asked"), text("expect", "Nobody knows"), text("state", "The link is ready"),
		step{"the page loads again", chromedp.Reload()}, visible("#history li"))

	// A session that fails says why.
	b.do(searchFor("ben.ito@contoso.com"), visible("#card"), text("ready", "sync it in Company Portal"),
		click("#ask"), text("state", "There is no session"), text("expect", "no seats left"), click("#leave"), visible("#enter a"))

	// Somebody without the permission is told whom to ask, and not which permission.
	b.do(click("#enter a"), visible(`button[value="lee.park@contoso.com"]`), click(`button[value="lee.park@contoso.com"]`),
		visible("#q"), searchFor("LT-4F7K2"), text("trouble", "Give your administrator the request id"))
	for _, m := range b.messages() {
		asked := m.Source == "network" && (m.URL == p.at+"/me" && strings.Contains(m.Text, " 401 ") ||
			m.URL == p.at+"/devices?q=LT-4F7K2" && strings.Contains(m.Text, " 403 ")) // what the service refuses above
		if !asked && m.Type != chromedp.ConsoleInfo { // such as that the sign-out cleared the cache
			t.Errorf("the browser complains: %s (%s)", m, m.URL)
		}
	}
}
