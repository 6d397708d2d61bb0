package main

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/go-intune/intune"
	"github.com/spf13/cobra"
)

// maxDays is more than any record holds, and far from times that cannot be reckoned with.
const maxDays = 3650

type historyOptions struct {
	whom

	days          int
	local, all    bool
	asJSON, asCSV bool
}

func (a *app) historyCommand() *cobra.Command {
	var o historyOptions
	cmd := &cobra.Command{
		Use:   "history [WHO]",
		Short: "list who asked for what, when, and what came of it",
		Long: wrapped("Lists your requests for remote assistance and what came of each, the latest first: those in the journal of "+
			"this machine, joined with Intune's own audit events, also those of others. JSON and CSV say whether Intune has an event "+
			"of the request; none proves nothing, for nobody has confirmed that Intune writes events of this action.", lineWidth, "") + "\n" +
			wrapped("Audit events need the Graph permission DeviceManagementApps.Read.All; without it the journal is shown alone. "+
				"With --local nothing is asked of Intune.", lineWidth, ""),
		Example: "  helpdesk history --demo\n  helpdesk history LT-4F7K2 --days 7\n  helpdesk history --local --csv",
		Args:    noMore(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.take(cmd, args); err != nil {
				return err
			}
			if o.days <= 0 || o.days > maxDays {
				return failed(exitUsage, "--days must be above zero, such as 30, and at most %d", maxDays)
			}
			if err := oneOf(cmd, "json", "csv"); err != nil {
				return err
			}
			return a.history(cmd.Context(), &o)
		},
	}
	o.register(cmd.Flags())
	cmd.Flags().IntVar(&o.days, "days", 30, "how many days to go back")
	cmd.Flags().BoolVar(&o.all, "all", false, "also what others asked, where the journal is shared; shows BY for REFERENCE")
	cmd.Flags().BoolVar(&o.local, "local", false, "the journal alone, without signing in")
	cmd.Flags().BoolVar(&o.asJSON, "json", false, "one JSON array, for programs")
	cmd.Flags().BoolVar(&o.asCSV, "csv", false, "CSV with a header, for spreadsheets")
	return cmd
}

// asking is one row: a request of the journal, an event of Intune's, or both of the same.
type asking struct {
	Time            time.Time `json:"time"`
	DeviceID        string    `json:"deviceId"`
	DeviceName      string    `json:"deviceName"`
	Result          string    `json:"result"`
	CameOf          string    `json:"cameOf"`
	By              string    `json:"by"`
	Reference       string    `json:"reference"`
	InJournal       bool      `json:"inJournal"`
	InIntune        *bool     `json:"inIntune"` // null when Intune was not asked, or did not tell
	ClientRequestID string    `json:"clientRequestId"`
	RequestID       string    `json:"requestId"`
	Error           string    `json:"error"`
}

func (a *app) history(ctx context.Context, o *historyOptions) error {
	after := time.Now().AddDate(0, 0, -o.days)
	list, err := a.requests()
	if err != nil {
		return err
	}
	rows := make([]asking, 0, len(list))
	for _, r := range list {
		if r.when().After(after) && (o.all || r.actor() == "" || r.actor() == a.actor()) {
			rows = append(rows, r.row())
		}
	}
	var devices []string // ids of the devices that are meant; nil means all
	if o.value != "" {
		devices = knownDevices(list, &o.whom)
	}
	if !o.local {
		if rows, devices, err = a.joinEvents(ctx, rows, devices, after, o); err != nil {
			return err
		}
	}
	if o.value != "" {
		rows = slices.DeleteFunc(rows, func(r asking) bool { return !slices.Contains(devices, r.DeviceID) })
	}
	slices.SortStableFunc(rows, func(x, y asking) int {
		return cmp.Or(y.Time.Compare(x.Time), cmp.Compare(x.ClientRequestID, y.ClientRequestID))
	})
	if err := a.historyOut(rows, o); err != nil {
		return err
	}
	if len(rows) == 0 {
		text := "nobody was asked in the last " + plural(o.days, "day")
		if o.value != "" {
			text += " on a device that matches " + o.String()
		}
		return failed(exitNothing, "%s", text)
	}
	return nil
}

// row is a request of the journal.
func (r *request) row() asking {
	result, trouble := "crashed", r.Asked.Error
	switch {
	case r.linkCame():
		result = "link"
	case r.hasFailed():
		result, trouble = "no session", r.Ended.Error
	case r.Outcome() == intune.OutcomeAccepted:
		result = "no link"
	case r.Outcome() == intune.OutcomeNotSent:
		result = "not sent"
	case r.Asked.Outcome != "":
		result = string(r.Asked.Outcome)
	}
	return asking{
		Time: r.when().UTC(), DeviceID: r.Device().DeviceID(), DeviceName: r.deviceName, Result: result, CameOf: r.cameOf(),
		By: firstOf(r.actor(), r.Asked.CallerID, r.Asked.AppID), Reference: r.Asking.Reference,
		InJournal: true, ClientRequestID: r.id(), RequestID: r.Asked.RequestID, Error: words(trouble),
	}
}

// knownDevices finds devices by what the notes know of them, so that the history of a device that has left Intune is
// found too.
func knownDevices(list []*request, w *whom) []string {
	devices := []string{}
	for _, r := range list {
		id := r.Device().DeviceID()
		for _, c := range []struct{ kind, text string }{{byID, id}, {byName, r.deviceName}, {bySerial, r.serialNumber}} {
			if (w.kind == c.kind || w.kind == byItself) && w.system == "" && strings.EqualFold(w.value, c.text) {
				devices = append(devices, id)
			}
		}
	}
	return devices
}

// joinEvents adds Intune's own events, and the devices that only Intune can tell. Not being allowed to read events is no
// error: the journal is what can be relied on.
func (a *app) joinEvents(
	ctx context.Context, rows []asking, devices []string, after time.Time, o *historyOptions,
) ([]asking, []string, error) {
	client, err := a.client(ctx, nil)
	if err != nil {
		return nil, nil, err
	}
	ctx, cancel := a.limited(ctx)
	defer cancel()
	if o.value != "" {
		f := &finder{graph: client}
		found, err := f.find(ctx, &o.whom)
		if err != nil {
			return nil, nil, a.inTime(ctx, err)
		}
		f.sayOdd(a.console, &o.whom)
		for i := range found {
			devices = append(devices, found[i].Ref().DeviceID())
		}
	}
	var events []intune.AuditEvent
	filter := intune.AuditFilter{ActivityType: intune.ActivityRequestRemoteAssistance, After: after}
	for event, err := range client.AuditEvents(ctx, &intune.ListAuditEventsOptions{Filter: filter}) {
		if errors.Is(err, intune.ErrForbidden) {
			a.warn("Intune's audit events are not shown: that needs the permission DeviceManagementApps.Read.All")
			return rows, devices, nil
		}
		if err != nil {
			return nil, nil, a.inTime(ctx, err)
		}
		events = append(events, event)
	}
	return withEvents(rows, events), devices, nil
}

func withEvents(rows []asking, events []intune.AuditEvent) []asking {
	no, yes := false, true
	byRequest := map[string]int{}
	for i := range rows {
		rows[i].InIntune = &no
		byRequest[strings.ToLower(rows[i].ClientRequestID)] = i
	}
	for i := range events {
		e := &events[i]
		if at, ok := byRequest[strings.ToLower(e.CorrelationID)]; ok && e.CorrelationID != "" {
			rows[at].InIntune = &yes
			continue
		}
		row := asking{
			Time: e.ActivityDateTime.UTC(), Result: "elsewhere", InIntune: &yes, ClientRequestID: e.CorrelationID,
			By: firstOf(e.Actor.UserPrincipalName, e.Actor.ApplicationDisplayName, e.Actor.UserID, e.Actor.ApplicationID),
		}
		row.CameOf = "by " + firstOf(row.By, "somebody elsewhere")
		if len(e.Resources) > 0 {
			row.DeviceID, row.DeviceName = intune.Device(e.Resources[0].ResourceID).DeviceID(), e.Resources[0].DisplayName
		}
		rows = append(rows, row)
	}
	return rows
}

func (a *app) historyOut(rows []asking, o *historyOptions) error {
	switch {
	case o.asJSON:
		return a.printJSON(rows)
	case o.asCSV:
		table := [][]string{{
			"time", "deviceId", "deviceName", "result", "cameOf", "by", "reference", "inJournal", "inIntune",
			"clientRequestId", "requestId", "error",
		}}
		for _, r := range rows {
			table = append(table, []string{
				r.Time.Format(time.RFC3339), r.DeviceID, r.DeviceName, r.Result, r.CameOf, r.By, r.Reference,
				yesNo(&r.InJournal, ""), yesNo(r.InIntune, ""),
				r.ClientRequestID, r.RequestID, r.Error,
			})
		}
		return a.print(writeCSV(table))
	case len(rows) == 0:
		return nil
	}
	third, table := "REFERENCE", make([][]string, 0, len(rows)+1)
	if o.all {
		third = "BY"
	}
	table = append(table, []string{"WHEN (UTC)", "DEVICE", third, "WHAT CAME OF IT"})
	for i := range rows {
		r := &rows[i]
		if third = r.Reference; o.all {
			third = r.By
		}
		table = append(table, []string{r.Time.Format("2006-01-02 15:04"), firstOf(r.DeviceName, r.DeviceID), third, r.CameOf})
	}
	return a.print(strings.Join(aligned(table, a.columns), "\n") + "\n")
}

func yesNo(value *bool, unknown string) string {
	switch {
	case value == nil:
		return unknown
	case *value:
		return "yes"
	default:
		return "no"
	}
}
