package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/go-intune/intune"
	"github.com/spf13/cobra"
)

// connectOptions is a command line of connect.
type connectOptions struct {
	whom
	handover

	yes, askAgain bool
	reference     string
	wait          time.Duration
}

func (a *app) connectCommand() *cobra.Command {
	var o connectOptions
	cmd := &cobra.Command{
		Use:   "connect WHO",
		Short: "open a session: find the device, ask its user",
		Long: wrapped("Finds the device, shows it to you, and asks its user for remote assistance once you have agreed; then waits for the "+
			"link of the session and gives it to you. Whoever has the link can join.", lineWidth, "") + "\n" +
			wrapped(whomHelp, lineWidth, "") + "\n" +
			wrapped("Ctrl-C while waiting is safe: \"helpdesk resume\" goes on without asking the user again.", lineWidth, "") + "\n" +
			wrapped("Needs the Graph permission DeviceManagementManagedDevices.ReadWrite.All and, for a person, the Intune role right "+
				"\"Remote tasks / Offer remote assistance\".", lineWidth, ""),
		Example: "  helpdesk connect 8XK42Q3 --demo --yes\n  helpdesk connect anna.berg@contoso.com --os Windows --open\n" +
			"  helpdesk connect --serial 5CG1234ABC --yes --json",
		Args: noMore(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.need(cmd, args); err != nil {
				return err
			}
			if err := checkWait(o.wait); err != nil {
				return err
			}
			if err := a.checkReference(o.reference); err != nil {
				return err
			}
			if !o.yes && !a.asks {
				return failed(exitUsage, "this shows a prompt on somebody's screen, and there is nobody here to confirm it; add --yes")
			}
			return a.connect(cmd.Context(), &o)
		},
	}
	flags := cmd.Flags()
	o.whom.register(flags)
	flags.BoolVarP(&o.yes, "yes", "y", false, "ask the user without confirming it here")
	flags.BoolVar(&o.askAgain, "ask-again", false, askAgainHelp)
	flags.StringVar(&o.reference, "reference", "", referenceHelp)
	flags.DurationVar(&o.wait, "wait", defaultWait, "how long to wait for the link")
	o.handover.register(flags)
	return cmd
}

const (
	defaultWait = 10 * time.Minute

	askAgainHelp = "ask even if the user was asked in the last 24 hours, unless somebody is asking or waiting"
)

func checkWait(wait time.Duration) error {
	if wait <= 0 || wait > oldest {
		return failed(exitUsage, "--wait must be above zero, such as 10m, and at most 24h")
	}
	return nil
}

// connect is the main job.
func (a *app) connect(ctx context.Context, o *connectOptions) (err error) {
	record, err := a.openRecord(ctx, nil)
	if err != nil {
		return err
	}
	defer record.close()
	defer func() {
		if _, ok := stoppedBy(ctx); ok && errors.Is(err, context.Canceled) { // what comes after the request says more
			err = failed(exitFailure, "stopped; nobody was asked")
		}
	}()
	client, err := a.client(ctx, record)
	if err != nil {
		return err
	}
	device, err := a.theOne(ctx, client, &o.whom)
	if err != nil {
		return err
	}
	fmt.Fprint(a.err, card(&device, time.Now(), a.width))
	if synced(device.LastSyncDateTime) && time.Since(device.LastSyncDateTime) > oldSync {
		a.warn("the device has not spoken with Intune for long; it may be an old record")
	}
	record.device = func(string) (name, serialNumber string) { return device.DeviceName, device.SerialNumber }
	if o.askAgain {
		record.again()
	}
	err = record.mayAsk(ctx, device.Ref().DeviceID())
	before, asked := errors.AsType[*askedBeforeError](err)
	switch {
	case asked && before.request.isOpen() && before.request.actor() == record.me:
		goOn, err := a.offerToGoOn(ctx, before.request, o.yes)
		if err != nil {
			return err
		}
		if goOn {
			before.request.deviceName = device.DeviceName
			return a.goOn(ctx, client, record, before.request, o.wait, &o.handover)
		}
		record.again()
	case err != nil:
		return a.notOpened(ctx, err)
	case !o.yes:
		if err := a.confirm(ctx, &device); err != nil {
			return err
		}
	}
	return a.askUser(ctx, client, record, &device, o)
}

// oldSync is when a device counts as forgotten.
const oldSync = 30 * 24 * time.Hour

// offerToGoOn is for a device whose user was asked before. Going on is what never prompts, so it is the default.
func (a *app) offerToGoOn(ctx context.Context, open *request, yes bool) (goOn bool, err error) {
	a.warn("%s, and the link was not handed over", open.whoAsked(a.actor()))
	if yes || !a.asks {
		return true, nil
	}
	for {
		answer, err := a.console.ask(ctx, "Go on waiting without asking again? [Y]es, [a]sk again, [s]top:")
		switch strings.ToLower(answer) {
		case "", "y", "yes":
			if errors.Is(err, errNoAnswer) {
				return false, errDeclined
			}
			return true, err
		case "a":
			return false, err
		case "s", "n", "no":
			return false, errDeclined
		}
		a.say("%q is none of y, a and s.", answer)
	}
}

var errDeclined = &failure{code: exitFailure, text: "nobody was asked"}

func (a *app) confirm(ctx context.Context, device *intune.ManagedDevice) error {
	who := firstOf(device.UserDisplayName, device.UserPrincipalName, "whoever uses it")
	answer, err := a.console.ask(ctx, "Ask "+clean(who)+" for remote assistance? [y/N]")
	switch strings.ToLower(answer) {
	case "y", "yes":
		return err
	}
	if err != nil && !errors.Is(err, errNoAnswer) {
		return err
	}
	return errDeclined
}

// askUser asks the user, once, and waits for the link.
func (a *app) askUser(ctx context.Context, client *intune.Client, record *record, device *intune.ManagedDevice, o *connectOptions) error {
	w := a.startWait(func(elapsed time.Duration) string { return "Asking Intune, " + clock(elapsed) })
	session, err := client.OpenRemoteAssistance(ctx, intune.Device(device.ID), &intune.OpenRemoteAssistanceOptions{
		MaxWait: o.wait, Reference: o.reference,
		OnRequested: func(requested intune.Requested) {
			w.next()
			if requested.Outcome == intune.OutcomeAccepted {
				a.say("Intune asks TeamViewer for a session.")
			} else {
				a.say("Nobody knows whether Intune took the request; a link will tell.")
			}
			w.begin(waitingFor(o.wait))
		},
	})
	w.next()
	if err != nil {
		return cmp.Or(a.printPending(err, device.DeviceName, &o.handover), a.notOpened(ctx, err))
	}
	return a.handOver(ctx, record, device.DeviceName, &session, &o.handover)
}

// waitingFor is the progress line of a wait.
func waitingFor(most time.Duration) func(time.Duration) string {
	return func(elapsed time.Duration) string {
		return fmt.Sprintf("Waiting for the link, %s of %s. Ctrl-C keeps it for later.", clock(elapsed), clock(most))
	}
}

// waiting is a progress line that can change into another.
type waiting struct {
	screen *console
	stop   func()
}

func (a *app) startWait(text func(time.Duration) string) *waiting {
	w := &waiting{screen: a.console}
	w.begin(text)
	return w
}

// begin shows a line.
func (w *waiting) begin(text func(time.Duration) string) { w.stop = w.screen.progress(text) }

// next takes the line away.
func (w *waiting) next() { w.stop() }

// notOpened says what an error of a wait means to the user of the device, and how to go on.
func (a *app) notOpened(ctx context.Context, err error) error {
	if refused, ok := errors.AsType[*intune.SessionError](err); ok {
		a.warn("%s", words(err.Error()))
		a.say("To see what may be in the way: helpdesk check --id %s%s", refused.Device.DeviceID(), a.flagsToRepeat())
		return &failure{code: exitRefused}
	}
	if text, ok := refusedByRecord(err, a.actor()); ok {
		a.warn("%s", text)
		a.say("Nobody was asked.")
		return &failure{code: exitRefused}
	}
	_, interrupted := stoppedBy(ctx)
	code, text := exitCode(ctx, err), ""
	switch {
	case errors.Is(err, intune.ErrOutcomeUnknown):
		text = "nobody knows whether the user was asked"
	case errors.Is(err, intune.ErrSessionPending):
		text = "the user was asked, and there is no link yet"
		if !interrupted {
			code = exitPending
		}
	case interrupted:
		return failed(exitFailure, "stopped; nobody was asked")
	default:
		a.warn("%s", words(err.Error()))
		a.say("Nobody was asked.")
		return &failure{code: code}
	}
	if interrupted {
		text = "stopped; " + text
	} else if cause := errors.Unwrap(err); cause != nil {
		a.warn("%s", words(cause.Error()))
	}
	a.warn("%s", text)
	a.say("To go on without asking again: helpdesk resume%s", a.flagsToRepeat())
	return &failure{code: code}
}

// flagsToRepeat are the flags that a command to paste needs: to reach the same tenant, and the same journal.
func (a *app) flagsToRepeat() string {
	if a.demo {
		return " --demo"
	}
	text := a.given
	if a.journal != "" {
		text += " --journal " + strconv.Quote(a.journal)
	}
	return text
}
