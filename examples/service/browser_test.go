package main

import (
	"context"
	"errors"
	"iter"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
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

// browsers bounds how many tests run one at once, of which each takes one place: a machine with few cores starves them otherwise.
var browsers = make(chan struct{}, 2)

func openTab(t *testing.T) *tab {
	t.Helper()
	browsers <- struct{}{}
	t.Cleanup(func() { <-browsers })
	return openAnother(t)
}

// openAnother opens a second browser of a test, which takes no place: two tests that held one each would wait for each other.
func openAnother(t *testing.T) *tab {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(chromium(t)), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"), chromedp.WindowSize(900, 1100))
	// The steps end long before this; it is for a browser that does not start or does not end.
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
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

// another is a second tab of the same browser.
func (b *tab) another() *tab {
	b.t.Helper()
	ctx, cancel := chromedp.NewContext(b.ctx)
	b.t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil {
		b.t.Fatalf("the second tab does not open: %v", err)
	}
	return &tab{b.t, ctx, chromedp.Console(ctx)}
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

// pictures saves what the tab shows, in both sizes and both colors, if SERVICE_PICTURES names a folder.
func (b *tab) pictures(name string) {
	b.t.Helper()
	folder := os.Getenv("SERVICE_PICTURES")
	if folder == "" {
		return
	}
	for _, size := range []step{phone(), desktop()} {
		for _, scheme := range []string{"light", "dark"} {
			file := filepath.Join(folder, name+"-"+size.what+"-"+scheme+".png")
			b.do(size, colors(scheme), step{"a picture", chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
				image, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
				if err != nil {
					return err
				}
				return os.WriteFile(file, image, 0o600)
			})})
		}
	}
}

func phone() step {
	return step{"390", chromedp.EmulateViewport(390, 844, chromedp.EmulateScale(1), chromedp.EmulateMobile)}
}

func desktop() step {
	return step{"1280", chromedp.EmulateViewport(1280, 800, chromedp.EmulateScale(1))}
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
	return step{"the search for " + text, chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		if _, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`(document.getElementById("q").value = "") === ""`)); err != nil {
			return err
		}
		return chromedp.Do(ctx, chromedp.SendKeys(chromedp.CSS("#q"), text+kb.Enter))
	})}
}

// holds waits until an expression in the page is true.
func holds(what, expression string) step {
	return step{what, chromedp.Poll[chromedp.Void](
		expression, chromedp.WithPollingInterval(100*time.Millisecond), chromedp.WithPollingTimeout(0),
	)}
}

func pageTitle(want string) step {
	return holds(`the title is "`+want+`"`, `document.title === `+strconv.Quote(want))
}

func reload() step { return step{"the page loads again", chromedp.Reload()} }

// back is the browser's button.
func back() step {
	return step{"back", chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`history.back() === undefined`))
		return err
	})}
}

// before runs a script in each document before those of the page.
func before(script string) step {
	return step{"a script before the page's", chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: script})
		return err
	})}
}

// tabTo presses Tab until an element has the focus.
func tabTo(selector string) step {
	return step{"the way to " + selector + " with Tab", chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		for range 25 {
			if err := chromedp.Do(ctx, chromedp.KeyEvent(kb.Tab)); err != nil {
				return err
			}
			there, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`document.activeElement.matches(`+strconv.Quote(selector)+`)`))
			if there || err != nil {
				return err
			}
		}
		return errors.New("it was not reached")
	})}
}

// quiet checks that the browser has no complaint but those that a function knows.
func (b *tab) quiet(expected func(chromedp.ConsoleMessage) bool) {
	b.t.Helper()
	for _, m := range b.messages() {
		isSignIn := m.Source == "network" && strings.HasSuffix(m.URL, "/me") && strings.Contains(m.Text, " 401 ")
		if !isSignIn && m.Type != chromedp.ConsoleInfo && (expected == nil || !expected(m)) {
			b.t.Errorf("the browser complains: %s (%s)", m, m.URL)
		}
	}
}

// demoIn starts the demo and signs somebody in, in a tab of its own.
func demoIn(t *testing.T, upn string) (*tab, *program) {
	t.Helper()
	b := openTab(t)
	p := launch(t, "service", nil, "-demo", "-listen", "127.0.0.1:0")
	t.Cleanup(func() { _ = p.Cancel(); _ = p.Wait() })
	b.signIn(p.at, upn)
	return b, p
}

// signIn opens the page and takes the person on the stand-in's page.
func (b *tab) signIn(at, upn string) {
	b.t.Helper()
	who := `button[value="` + upn + `"]`
	b.do(step{"the page loads", chromedp.Navigate(at)}, visible("#enter a"), click("#enter a"), visible(who), click(who), visible("#q"))
}
