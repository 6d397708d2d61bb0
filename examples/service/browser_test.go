package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// chromium is the path of an installed browser.
func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium-headless-shell", "headless-shell", "chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Skip("no Chromium is installed")
	return ""
}

// openBrowser is a tab of a new browser without a network beyond this machine.
func openBrowser(t *testing.T) context.Context {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(chromium(t)), chromedp.NoSandbox,
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"), chromedp.WindowSize(900, 1100),
		chromedp.UserDataDir(t.TempDir()))
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	return ctx
}

// step is an action that gives no value.
type step = chromedp.Action[chromedp.Void]

// picture saves what the tab shows, if SERVICE_PICTURES names a folder.
func picture(name string) step {
	return chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		folder := os.Getenv("SERVICE_PICTURES")
		if folder == "" {
			return nil
		}
		image, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(folder, name), image, 0o600)
	})
}

func colors(scheme string) step {
	return chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
		})
		return err
	})
}

// text waits until an element shows a text.
func text(id, want string) step {
	return chromedp.Poll[chromedp.Void](`document.getElementById("`+id+`").innerText.includes("`+want+`")`,
		chromedp.WithPollingTimeout(time.Minute))
}

func visible(selector string) step { return chromedp.WaitVisible(chromedp.CSS(selector)) }

func click(selector string) step { return chromedp.Click(chromedp.CSS(selector)) }

func TestPageInABrowser(t *testing.T) {
	t.Parallel()
	ctx := openBrowser(t)
	p := launch(t, "service", nil, "-demo", "-listen", "127.0.0.1:0")
	defer func() { _ = p.Cancel(); _ = p.Wait() }()

	var mu sync.Mutex
	var complaints []string
	console := chromedp.Console(ctx)
	go func() {
		for message, err := range console {
			if err != nil {
				return
			}
			if message.Type == "info" { // such as that the sign-out cleared the cache
				continue
			}
			mu.Lock()
			complaints = append(complaints, string(message.Type)+": "+message.Text) // such as a breach of the page's policy
			mu.Unlock()
		}
	}()
	steps := func(actions ...step) {
		t.Helper()
		if err := chromedp.Do(ctx, actions...); err != nil {
			page, _ := chromedp.Run(ctx, chromedp.Text(chromedp.CSS("body")))
			mu.Lock()
			defer mu.Unlock()
			t.Fatalf("%v\n%s\n%v", err, page, complaints)
		}
	}
	value := func(expression string) bool {
		t.Helper()
		is, err := chromedp.Run(ctx, chromedp.Evaluate[bool](expression))
		if err != nil {
			t.Fatal(err)
		}
		return is
	}
	steps(colors("light"), chromedp.Navigate(p.at), visible("#enter a"), click("#enter a"),
		visible(`button[value="dana.cole@contoso.com"]`), click(`button[value="dana.cole@contoso.com"]`),
		visible("#q"), text("name", "Dana Cole"))

	// With the keyboard alone: the field has the focus, Enter searches, the card gets the focus, Tab goes to its button.
	steps(chromedp.KeyEvent("LT-4F7K2"), chromedp.KeyEvent(kb.Enter), visible("#card"), text("ready", "Nothing stands in the way"),
		picture("page-card.png"), chromedp.KeyEvent(kb.Tab), chromedp.KeyEvent(kb.Enter), text("state", "The user is being asked"),
		colors("dark"), picture("page-waiting.png"), visible("#open"), text("state", "The link is ready"))

	steps(chromedp.EmulateViewport(390, 844, chromedp.EmulateScale(1), chromedp.EmulateMobile), visible("#open"), picture("page-phone.png"))
	if value(`document.documentElement.scrollWidth > 390`) {
		t.Error("the page is wider than a phone")
	}
	html, err := chromedp.Run(ctx, chromedp.OuterHTML(chromedp.CSS("html")))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(html, "teamviewer.com") {
		t.Error("the page has the link before somebody asks for it")
	}
	opened := chromedp.WaitNewTarget(ctx, func(info *target.Info) bool {
		return strings.HasPrefix(info.URL, "https://get.teamviewer.com/")
	})
	steps(click("#open"), text("state", "The session was opened"))
	select {
	case <-opened:
	case <-time.After(time.Minute):
		t.Error("no window with the link was opened")
	}
	if strings.Contains(p.log.String(), "teamviewer") {
		t.Error("the log has the link")
	}
	if !value(`document.getElementById("open").hidden`) {
		t.Error("the button for the link is still there")
	}
	steps(chromedp.Reload(), visible("#history li"), text("history", "LT-4F7K2"), text("history", "The session was opened"))

	// A session that fails says why.
	steps(chromedp.SendKeys(chromedp.CSS("#q"), "ben.ito@contoso.com"+kb.Enter), visible("#card"), text("ready", "sync it in Company Portal"),
		click("#ask"), text("state", "There is no session"), text("expect", "no seats left"))
	steps(click("#leave"), visible("#enter a"))

	// Somebody without the permission is told whom to ask, and not which permission.
	steps(click("#enter a"), visible(`button[value="lee.park@contoso.com"]`), click(`button[value="lee.park@contoso.com"]`),
		visible("#q"), chromedp.SendKeys(chromedp.CSS("#q"), "LT-4F7K2"+kb.Enter), text("trouble", "Give your administrator the request id"))
	mu.Lock()
	defer mu.Unlock()
	for _, complaint := range complaints {
		if !strings.Contains(complaint, "401") && !strings.Contains(complaint, "403") { // what the test expects of the service
			t.Errorf("the browser complains: %s", complaint)
		}
	}
}
