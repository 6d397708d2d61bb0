package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/go-intune/intune"
)

// writeTable prints devices for a person. The user is shown on purpose, although it is personal data: names and serial
// numbers can repeat, and a technician must make sure to act on the device of the person who called.
func writeTable(out io.Writer, devices []intune.ManagedDevice, now time.Time) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "NAME\tSERIAL\tSYSTEM\tUSER\tCOMPLIANCE\tLAST SYNC\tINTUNE ID")
	for i := range devices {
		d := &devices[i]
		fmt.Fprintln(w, strings.Join([]string{
			cell(d.DeviceName),
			cell(d.SerialNumber),
			cell(d.OperatingSystem + " " + d.OSVersion),
			cell(firstOf(d.UserPrincipalName, d.UserDisplayName)),
			cell(complianceWords(d.ComplianceState)),
			lastSync(d.LastSyncDateTime, now),
			orDash(clean(d.ID)), // never shortened: it is there to be copied
		}, "\t"))
	}
	return w.Flush()
}

func firstOf(texts ...string) string {
	for _, text := range texts {
		if strings.TrimSpace(text) != "" {
			return text
		}
	}
	return ""
}

func complianceWords(state intune.ComplianceState) string {
	switch state {
	case intune.ComplianceStateNoncompliant:
		return "not compliant"
	case intune.ComplianceStateInGracePeriod:
		return "in grace period"
	case intune.ComplianceStateConfigManager:
		return "Configuration Manager"
	default:
		return string(state)
	}
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

// writeJSON prints devices for a program: one array, which is empty if there is none. A type of its own rather than
// intune.ManagedDevice, so that what is printed does not change when the library learns a property.
func writeJSON(out io.Writer, devices []intune.ManagedDevice) error {
	list := make([]deviceJSON, 0, len(devices))
	for i := range devices {
		d := &devices[i]
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
		list = append(list, row)
	}
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false) // nobody puts this into a page unescaped, and "R&D" should read so
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(list); err != nil {
		return err
	}
	_, err := out.Write(escapeHidden(b.Bytes()))
	return err
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
