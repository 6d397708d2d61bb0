package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"github.com/go-intune/intune"
	"github.com/pkg/browser"
	"github.com/spf13/pflag"
)

// handover is how the technician gets the link: on standard output, unless a flag says otherwise.
type handover struct{ open, clip, asJSON bool }

func (h *handover) register(flags *pflag.FlagSet) {
	flags.BoolVar(&h.open, "open", false, "open the link in the browser instead of printing it")
	flags.BoolVar(&h.clip, "copy", false, "copy the link to the clipboard instead of printing it")
	flags.BoolVar(&h.asJSON, "json", false, "one JSON object with the link, for programs")
}

// sessionJSON is a session for programs.
type sessionJSON struct {
	Link            string    `json:"link"`
	DeviceID        string    `json:"deviceId"`
	DeviceName      string    `json:"deviceName"`
	ClientRequestID string    `json:"clientRequestId"`
	RequestID       string    `json:"requestId"`
	RequestedAt     time.Time `json:"requestedAt"`
}

// pendingJSON is a request without a link yet, for programs. It has no resume token, which the journal keeps: the id of the
// request is enough to go on.
type pendingJSON struct {
	Pending         bool      `json:"pending"`
	Asked           string    `json:"asked"` // "yes", or "unknown" when nobody knows
	DeviceID        string    `json:"deviceId"`
	DeviceName      string    `json:"deviceName"`
	ClientRequestID string    `json:"clientRequestId"`
	RequestID       string    `json:"requestId"`
	RequestedAt     time.Time `json:"requestedAt"`
	Resume          string    `json:"resume"`
}

// printPending prints the request of a wait that ended without a link, if a program reads the answer.
func (a *app) printPending(err error, deviceName string, h *handover) error {
	pending, ok := errors.AsType[*intune.PendingError](err)
	if !ok || !h.asJSON {
		return nil
	}
	asked := "yes"
	if pending.OutcomeUnknown {
		asked = "unknown"
	}
	return a.printJSON(pendingJSON{
		Pending: true, Asked: asked, DeviceID: pending.Device.DeviceID(), DeviceName: deviceName,
		ClientRequestID: pending.ClientRequestID, RequestID: pending.RequestID, RequestedAt: pending.RequestedAt.UTC(),
		Resume: "helpdesk resume " + pending.ClientRequestID + " --json" + a.flagsToRepeat(),
	})
}

// handOver gives the link to the technician, once. It is noted only when that has worked: after a full disk, resume
// shows it again.
func (a *app) handOver(ctx context.Context, record *record, deviceName string, session *intune.RemoteAssistanceSession, h *handover) error {
	link := printable(session.URL.Reveal())
	shown, err := a.show(ctx, link, deviceName, session, h)
	if err != nil {
		a.warn("the link could not be handed over: %v", err)
		a.say("To see it without asking again: helpdesk resume%s", a.flagsToRepeat())
		return &failure{code: exitFailure}
	}
	record.handedOver(session.ClientRequestID)
	fmt.Fprintln(a.err, a.strong(shown))
	a.say("The user now has to agree in the Company Portal app: a flag on its icon, and a notification in it.")
	return nil
}

func (a *app) show(
	ctx context.Context, link, deviceName string, session *intune.RemoteAssistanceSession, h *handover,
) (shown string, err error) {
	var done []string
	if h.open {
		err := errors.New("there is none here")
		if hasBrowser() {
			err = openOnce(ctx, link, browser.OpenURL)
		}
		if err != nil {
			a.warn("the browser could not be started: %v", err)
		} else {
			done = append(done, "opened in the browser")
		}
	}
	if h.clip {
		if err := copyText(ctx, link); err != nil {
			a.warn("the link could not be copied: %v", err)
		} else {
			done = append(done, "copied")
		}
	}
	switch {
	case h.asJSON:
		err = a.printJSON(sessionJSON{
			Link: link, DeviceID: session.Device.DeviceID(), DeviceName: deviceName,
			ClientRequestID: session.ClientRequestID, RequestID: session.RequestID, RequestedAt: session.RequestedAt.UTC(),
		})
	case len(done) == 0:
		err = a.print(link + "\n")
	}
	if len(done) > 0 {
		return "The link was " + strings.Join(done, " and ") + ".", err
	}
	return "The link opens the session, for whoever has it.", err
}

// printable writes letters outside of ASCII, which may look like others, as percent escapes, which mean the same in a
// link.
func printable(link string) string {
	var b strings.Builder
	for i := range len(link) {
		if c := link[i]; c > 0x20 && c < 0x7f {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

// clipboards are the programs that copy their input, the most likely first.
func clipboards() [][]string {
	switch runtime.GOOS {
	case "windows":
		return [][]string{{"clip.exe"}}
	case "darwin":
		return [][]string{{"pbcopy"}}
	}
	return [][]string{{"wl-copy"}, {"xclip", "-selection", "clipboard"}, {"xsel", "--clipboard", "--input"}, {"clip.exe"}}
}

// copyText gives a text to the clipboard by a program's input, where other users of the machine cannot see it.
func copyText(ctx context.Context, text string) error {
	last := errors.New("there is no clipboard here; it needs wl-copy, xclip or xsel")
	for _, command := range clipboards() {
		path, err := exec.LookPath(command[0])
		if err != nil {
			continue
		}
		cmd := exec.CommandContext(ctx, path, command[1:]...)
		cmd.Stdin = strings.NewReader(text)
		if err := cmd.Run(); err != nil {
			last = fmt.Errorf("%s: %w", command[0], err)
			continue
		}
		return nil
	}
	return last
}
