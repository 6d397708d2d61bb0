package readiness_test

import (
	"strings"
	"testing"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/readiness"
)

func TestReport_String(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("0123456789", 9)
	for _, c := range []struct {
		report readiness.Report
		want   string
	}{
		{readiness.Report{}, "no device: not checked"},
		{
			readiness.Report{Device: intune.Device("1"), Results: []readiness.Result{{"token", "pass", "a token", ""}}},
			"device 1: ready\npass  token  a token",
		},
		{
			readiness.Report{Device: intune.UserDevice("anna@contoso.com", "1"), Results: []readiness.Result{
				{"device", "unknown", "not\x1b[31m\nread " + long, "look " + long},
				{"user", "unknown", "not read", "look " + long}, // as above
				{"x", "warn", strings.Repeat("字", 30), "look"},
				// The first character that is wide, and the last that is not.
				{"y", "warn", strings.Repeat("\u1100", 27) + " " + strings.Repeat("\u10ff", 53), ""},
			}},
			`device 1 (user address): ready, as far as is known
unknown  device  not [31m read
                 01234567890123456789012345678901234567890123456789012
                 3456789012345678901234567890123456789
                 -> look
                    01234567890123456789012345678901234567890123456789
                    0123456789012345678901234567890123456789
unknown  user    not read
warn     x       字字字字字字字字字字字字字字字字字字字字字字字字字字
                 字字字字
                 -> look
warn     y       ` + strings.Repeat("\u1100", 26) + `
                 ` + "\u1100" + `
                 ` + strings.Repeat("\u10ff", 53),
		},
		{
			readiness.Report{Device: intune.Device(long), Results: []readiness.Result{{"a", "fail", "b", "c"}}},
			"device\n" + long[:70] + "\n" + long[70:] + ": not ready\nfail  a  b\n         -> c",
		},
	} {
		if got := c.report.String(); got != c.want {
			t.Errorf("got\n%s\nwant\n%s", got, c.want)
		}
	}
}
