package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/go-intune/intune"
)

// table is a list of devices for a person, two lines each so that it fits a narrow terminal.
func table(devices []intune.ManagedDevice, now time.Time, width int) string {
	if len(devices) == 0 {
		return ""
	}
	rows := [][]string{{"NAME", "SERIAL", "USER", "SYNCED AGO"}}
	for i := range devices {
		d := &devices[i]
		rows = append(rows, []string{
			d.DeviceName, d.SerialNumber, firstOf(d.UserPrincipalName, d.UserDisplayName),
			strings.TrimSuffix(syncAge(d.LastSyncDateTime, now), " ago"),
		})
	}
	lines := aligned(rows, width)
	for i := range devices {
		d := &devices[i]
		// The id is never shortened: it is there to be copied.
		id := "   " + orDash(clean(d.ID)) + "  "
		lines[i+1] += "\n" + id + cut(orDash(clean(d.OperatingSystem+" "+d.OSVersion)), less(width, len(id)))
	}
	return strings.Join(lines, "\n") + "\n"
}

// deviceJSON is a device for programs. Its names are those of Graph and stay as they are; new ones may come.
type deviceJSON struct {
	ID                string     `json:"id"`
	DeviceName        string     `json:"deviceName"`
	SerialNumber      string     `json:"serialNumber"`
	Manufacturer      string     `json:"manufacturer"`
	Model             string     `json:"model"`
	OperatingSystem   string     `json:"operatingSystem"`
	OSVersion         string     `json:"osVersion"`
	UserPrincipalName string     `json:"userPrincipalName"`
	UserDisplayName   string     `json:"userDisplayName"`
	ComplianceState   string     `json:"complianceState"`
	LastSyncDateTime  *time.Time `json:"lastSyncDateTime"`
}

// forPrograms is a type of its own rather than intune.ManagedDevice, so that what is printed does not change when the
// library learns a property.
func forPrograms(d *intune.ManagedDevice) deviceJSON {
	row := deviceJSON{
		ID: d.ID, DeviceName: d.DeviceName, SerialNumber: d.SerialNumber, Manufacturer: d.Manufacturer, Model: d.Model,
		OperatingSystem: d.OperatingSystem, OSVersion: d.OSVersion,
		UserPrincipalName: d.UserPrincipalName, UserDisplayName: d.UserDisplayName,
		ComplianceState: string(d.ComplianceState),
	}
	if synced(d.LastSyncDateTime) {
		at := d.LastSyncDateTime.UTC()
		row.LastSyncDateTime = &at
	}
	return row
}

// csvOf is the same for spreadsheets.
func csvOf(devices []intune.ManagedDevice) string {
	rows := [][]string{{
		"id", "deviceName", "serialNumber", "manufacturer", "model", "operatingSystem", "osVersion",
		"userPrincipalName", "userDisplayName", "complianceState", "lastSyncDateTime",
	}}
	for i := range devices {
		d := forPrograms(&devices[i])
		row := []string{
			d.ID, d.DeviceName, d.SerialNumber, d.Manufacturer, d.Model, d.OperatingSystem, d.OSVersion,
			d.UserPrincipalName, d.UserDisplayName, d.ComplianceState, stamp(d.LastSyncDateTime),
		}
		rows = append(rows, row)
	}
	return writeCSV(rows)
}

func stamp(at *time.Time) string {
	if at == nil {
		return ""
	}
	return at.UTC().Format(time.RFC3339)
}

// writeCSV writes rows that a spreadsheet can open without running what a device calls itself: a cell that would be taken
// for a formula gets an apostrophe before it, and control characters go.
func writeCSV(rows [][]string) string {
	var b strings.Builder
	w := csv.NewWriter(&b)
	for _, row := range rows {
		cells := make([]string, len(row))
		for i, text := range row {
			cells[i] = clean(text)
			if cells[i] != "" && strings.ContainsRune("=+-@", rune(cells[i][0])) {
				cells[i] = "'" + cells[i]
			}
		}
		_ = w.Write(cells) // a strings.Builder takes everything
	}
	w.Flush()
	return b.String()
}

// printJSON prints a value for a program.
func (c *console) printJSON(value any) error {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false) // nobody puts this into a page unescaped, and "R&D" should read so
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(value); err != nil {
		return err
	}
	return c.print(string(escapeHidden(b.Bytes())))
}

// escapeHidden writes the characters that encoding/json leaves raw and that a terminal may act on (DEL, the controls from
// U+0080, marks that reverse the direction of text) as JSON escapes. JSON has them in strings only, so the values stay the same.
func escapeHidden(text []byte) []byte {
	out := make([]byte, 0, len(text))
	for _, r := range string(text) {
		switch {
		case r == '\n' || unicode.IsPrint(r):
			out = utf8.AppendRune(out, r)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			out = fmt.Appendf(out, `\u%04x\u%04x`, high, low)
		default:
			out = fmt.Appendf(out, `\u%04x`, r)
		}
	}
	return out
}

// devicesOut prints devices in the form that was asked for.
func (a *app) devicesOut(devices []intune.ManagedDevice, asJSON, asCSV bool) error {
	switch {
	case asJSON:
		list := make([]deviceJSON, 0, len(devices))
		for i := range devices {
			list = append(list, forPrograms(&devices[i]))
		}
		return a.printJSON(list)
	case asCSV:
		return a.print(csvOf(devices))
	default:
		return a.print(table(devices, time.Now(), a.columns))
	}
}
