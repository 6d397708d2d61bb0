package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/go-intune/intune"
	"github.com/spf13/cobra"
)

func (a *app) resumeCommand() *cobra.Command {
	var h handover
	var wait time.Duration
	cmd := &cobra.Command{
		Use:   "resume [TOKEN]",
		Short: "go on with a wait, without asking the user again",
		Long: wrapped("Goes on after Ctrl-C, a crash or a closed laptop: the journal knows which users were asked "+
			"and never got you a link. It never asks anybody again. Requests of the last 24 hours can go on.", lineWidth, "") + "\n" +
			wrapped("Without TOKEN it offers the open requests. TOKEN is one of them, by its device's name or its request id, or a resume token of "+
				"another program that uses the library; \"-\" reads that from standard input, where no list of processes shows it.", lineWidth, ""),
		Example: "  helpdesk connect 8XK42Q3 --demo --yes --wait 1s\n  helpdesk resume --demo\n\n  helpdesk resume LT-4F7K2 --open",
		Args:    noMore(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkWait(wait); err != nil {
				return err
			}
			token := ""
			if len(args) > 0 {
				token = strings.TrimSpace(args[0])
				if token == "" {
					return failed(exitUsage, "TOKEN is blank; leave it out to see the open requests")
				}
			}
			return a.resume(cmd.Context(), token, wait, &h)
		},
	}
	cmd.Flags().DurationVar(&wait, "wait", defaultWait, "how long to wait for the link")
	h.register(cmd.Flags())
	return cmd
}

// maxToken is more than a token can have.
const maxToken = 64 << 10

func (a *app) resume(ctx context.Context, token string, wait time.Duration, h *handover) error {
	if token == "-" {
		content, err := io.ReadAll(io.LimitReader(a.in, maxToken))
		if err != nil {
			return fmt.Errorf("read the token: %w", err)
		}
		token = strings.TrimSpace(string(content))
		if token == "" {
			return failed(exitUsage, "there is no token on standard input")
		}
	}
	chosen := &request{JournalRequest: intune.JournalRequest{Asking: intune.JournalEntry{ResumeToken: token}}}
	if !strings.HasPrefix(token, "{") {
		var err error
		if chosen, err = a.chooseRequest(ctx, token); err != nil {
			return err
		}
	}
	record, err := a.openRecord(ctx, nil)
	if err != nil {
		return err
	}
	defer record.close()
	client, err := a.client(ctx, record)
	if err != nil {
		return err
	}
	return a.goOn(ctx, client, record, chosen, wait, h)
}

// chooseRequest finds the request that is meant. One alone needs no choice, since going on prompts nobody.
func (a *app) chooseRequest(ctx context.Context, named string) (*request, error) {
	list, err := a.requests()
	if err != nil {
		return nil, err
	}
	open := openOf(list)
	var matches []*request
	for _, r := range open {
		if named == "" || r.isNamed(named) {
			matches = append(matches, r)
		}
	}
	if len(matches) == 0 && named != "" {
		if err := a.notOpen(list, named); err != nil {
			return nil, err
		}
	}
	switch {
	case len(open) == 0:
		return nil, failed(exitNothing, "no request of the last 24 hours is open")
	case len(matches) == 0:
		return nil, failed(exitNothing, "no open request is for %q; leave it out to see which there are", named)
	case len(matches) == 1:
		return matches[0], nil
	}
	lines := make([]string, len(matches))
	for i, r := range matches {
		state := "asked"
		if !r.certain() {
			state = "perhaps asked"
		}
		lines[i] = fmt.Sprintf("%s  %s\n     %s", cell(r.name(), 24), state+" "+age(time.Since(r.when())), clean(r.id()))
	}
	by := "pass its request id"
	if named == "" {
		by = "pass its device's name or its request id"
	}
	i, err := a.choose(ctx, plural(len(matches), "request")+" are open", lines, by)
	if err != nil {
		return nil, err
	}
	return matches[i], nil
}

func (r *request) isNamed(named string) bool {
	return slices.ContainsFunc([]string{r.id(), r.Device().DeviceID(), r.deviceName, r.serialNumber}, func(name string) bool {
		return strings.EqualFold(named, name)
	})
}

// notOpen says what came of the latest request of that name, where it is one with which nobody can go on. It gives nil if
// there is none.
func (a *app) notOpen(list []*request, named string) error {
	for _, r := range slices.Backward(list) {
		if r.isNamed(named) {
			return failed(exitNothing, "%s: %s (%s); there is no wait to go on with", clean(r.name()), r.whoAsked(a.actor()), r.cameOf())
		}
	}
	return nil
}

// goOn waits for the link of a request that was made before.
func (a *app) goOn(ctx context.Context, client *intune.Client, record *record, r *request, wait time.Duration, h *handover) error {
	if at := r.when(); !at.IsZero() {
		a.say("Going on with %s, asked %s. Nobody is asked again.", clean(r.name()), age(time.Since(at)))
	}
	if err := record.takeOver(ctx, r); err != nil {
		return a.notOpened(ctx, err)
	}
	w := a.startWait(waitingFor(wait))
	session, err := client.WaitForRemoteAssistance(ctx, r.ResumeToken(), &intune.WaitForRemoteAssistanceOptions{
		MaxWait: wait, MaxAge: oldest,
	})
	w.next()
	if errors.Is(err, intune.ErrInvalidArgument) {
		return failed(exitUsage, "the token %s; to see the requests that are open: helpdesk resume%s",
			strings.TrimPrefix(words(err.Error()), "resumeToken "), a.flagsToRepeat())
	}
	if err != nil {
		return cmp.Or(a.printPending(err, r.deviceName, h), a.notOpened(ctx, err))
	}
	return a.handOver(ctx, record, r.deviceName, &session, h)
}
