package main

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-intune/intune"
)

// complianceText is what Intune says of a device's compliance, in words. A state that is not known is quoted, if it is short.
func complianceText(state intune.ComplianceState) string {
	const longest = 40
	for known, text := range map[intune.ComplianceState]string{
		intune.ComplianceStateUnknown:       "Not checked yet",
		intune.ComplianceStateCompliant:     "Compliant",
		intune.ComplianceStateNoncompliant:  "Not compliant",
		intune.ComplianceStateConflict:      "Not clear: rules contradict each other",
		intune.ComplianceStateError:         "Not clear: the check failed",
		intune.ComplianceStateInGracePeriod: "In its grace period",
		intune.ComplianceStateConfigManager: "Checked by Configuration Manager",
	} {
		if strings.EqualFold(string(known), string(state)) {
			return text
		}
	}
	switch {
	case state == "":
		return ""
	case utf8.RuneCountInString(string(state)) > longest:
		return "Not known to this service"
	}
	return "Not known to this service: " + strconv.Quote(string(state))
}
