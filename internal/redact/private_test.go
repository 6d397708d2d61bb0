package redact_test

import (
	"encoding/json"
	"fmt"
	"html"
	"net/url"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/go-intune/intune/internal/redact"
)

// What a service quotes of a request has the form that suits the service, and may have gone through several.
func TestPrivateInEveryForm(t *testing.T) {
	t.Parallel()
	inJSON := func(s string) string {
		text, err := json.Marshal(s)
		if err != nil {
			t.Error(err)
		}
		return strings.Trim(string(text), `"`)
	}
	each := func(format string) func(string) string {
		return func(s string) string {
			var b strings.Builder
			for _, r := range s {
				fmt.Fprintf(&b, format, r)
			}
			return b.String()
		}
	}
	codeUnits := func(s string) string {
		var b strings.Builder
		for _, unit := range utf16.Encode([]rune(s)) {
			fmt.Fprintf(&b, `\u%04X`, unit)
		}
		return b.String()
	}
	forms := map[string]func(string) string{
		"plain":          func(s string) string { return s },
		"capitals":       strings.ToUpper,
		"quotes doubled": func(s string) string { return strings.ReplaceAll(s, "'", "''") },
		"spaces joined":  func(s string) string { return strings.Join(strings.Fields(s), " ") },
		"parted":         func(s string) string { return strings.ReplaceAll(s, "a", "a\u200b") },
		"path":           url.PathEscape,
		"query":          url.QueryEscape,
		"lower query":    func(s string) string { return strings.ToLower(url.QueryEscape(s)) },
		"HTML":           html.EscapeString,
		"decimals":       each("&#%d;"),
		"hexadecimals":   each("&#x%04x;"),
		"JSON":           inJSON,
		"code units":     codeUnits,
		"slashes":        func(s string) string { return strings.ReplaceAll(inJSON(s), "/", `\/`) },
	}
	for _, secret := range []string{"josé.o'hara@contoso.com", `Contoso\a/b`, "Anna's  R&D+\"1\"\u00a0📱"} {
		private := redact.Of("$filter="+url.QueryEscape("deviceName eq '"+strings.ReplaceAll(secret, "'", "''")+"'"), "another")
		for outer, wrap := range forms {
			for inner, form := range forms {
				text := wrap(form(secret))
				if got := private.Clean("no " + text + "!"); got != "no REDACTED!" {
					t.Errorf("%s in %s: %q became %q", inner, outer, text, got)
				}
			}
		}
		if got := private.Hide(secret[1:] + " " + secret[:len(secret)-1]); strings.Contains(got, redact.Placeholder) {
			t.Errorf("parts of %q became %q", secret, got)
		}
	}
}

func TestPrivateWithinEscapes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ secret, text, want string }{
		"six layers":             {"anna@contoso.com", "anna%25252525252540contoso.com", "anna%25252525252540contoso.com"},
		"a layer less":           {"anna@contoso.com", "anna%252525252540contoso.com!", "REDACTED!"},
		"named character":        {"émile@contoso.com", "&eacute;mile&commat;contoso.com!", "REDACTED!"},
		"character of two":       {"ab<\u20d2cd", "&nbsp;ab&nvlt;cd", "&nbsp;REDACTED"},
		"longest name":           {"ab∳cd-ef", "ab&CounterClockwiseContourIntegral;cd-ef", "REDACTED"},
		"unknown name":           {"ab&nil;cd", "ab&nil;cd!", "REDACTED!"},
		"decimal, no end":        {"anna@contoso.com", "anna&#64contoso&#46com!", "REDACTED!"},
		"hexadecimal, no end":    {"anna@home", "anna&#X40home anna&#x040", "REDACTED anna&#x040"},
		"many zeros":             {"anna@home", "anna&#" + strings.Repeat("0", 40) + "64;home!", "REDACTED!"},
		"at the end":             {"anna@", "!anna&#64", "!REDACTED"},
		"no number":              {"anna@", "anna&# anna&#x anna&#; anna&#xg anna&#", "anna&# anna&#x anna&#; anna&#xg anna&#"},
		"no end of a name":       {"anna@contoso", "anna&commat contoso", "anna&commat contoso"},
		"half of a pair":         {"ab\ufffdcd", `ab\ud83dcd!`, "REDACTED!"},
		"two halves of no pair":  {"ab\ufffd\ufffdcd", `ab\ud83d\ud83dcd!`, "REDACTED!"},
		"a pair":                 {"ab📱cd", `ab\ud83d\udcf1cd!`, "REDACTED!"},
		"a pair that breaks off": {"ab\ufffd", `!ab\ud83d\udcf`, `!REDACTED\udcf`},
		"a half at the end":      {"ab\ufffd", `!ab\ud83d`, `!REDACTED`},
		"a half and a word":      {"ab\ufffdxudcf1", `ab\ud83dxudcf1!`, `REDACTED!`},
		"a half and an x":        {"ab\ufffd\\xdcf1", `ab\ud83d\xdcf1!`, `REDACTED!`},
		"a pair in capitals":     {"ab📱cd", `AB\UD83D\UDCF1CD!`, "REDACTED!"},
		"a quote at the end":     {`anna"`, `!anna\"`, "!REDACTED"},
		"no digits, others":      {"anna%zz", "anna%yy", "anna%yy"},
		"no code point, others":  {`anna\u00zz`, `anna\u00yy`, `anna\u00yy`},
		"part of an entity":      {"anna<", "!anna&nvlt;!", "!REDACTED!"},
		"a control character":    {"anna-pc", "an\x07na%07-pc!", "REDACTED!"},
		"six layers of its own":  {"anna%25252525252540contoso", "anna%40contoso! anna@contoso!", "REDACTED! anna@contoso!"},
		"five layers of its own": {"anna%252525252540contoso", "anna%40contoso! anna@contoso!", "REDACTED! REDACTED!"},
		"percent at the end":     {"abc%4", "!abc%4", "!REDACTED"},
		"no digits":              {"abc%4gh", "!abc%4gh", "!REDACTED"},
		"backslash at the end":   {`abc\`, `!abc\`, "!REDACTED"},
		"other escape":           {`abc\n`, `!abc\n`, "!REDACTED"},
		"no code point":          {`abc\x0041`, `!abc\x0041`, "!REDACTED"},
		"unlike a code point":    {"abcA", `!abc\x0041`, `!abc\x0041`},
		"escaped by accident":    {"40-PC-anna", "like %40-PC-anna", "like %REDACTED"},
		"escaped itself":         {"anna%40contoso", "!anna%40contoso anna%2540contoso anna@contoso", "!REDACTED REDACTED REDACTED"},
		"quotes around":          {"anna-pc", "'''anna-pc'''", "'''REDACTED'''"},
		"quote in front":         {"'anna-pc", "eq '''anna-pc'", "eq REDACTED'"},
		"quote behind":           {"anna-pc'", "eq 'anna-pc'''.", "eq 'REDACTED."},
		"space behind":           {"anna-pc ", "anna-pc  b", "REDACTEDb"},
		"old letters":            {"süſs-anna", "SÜSS-ANNA, süss-anna", "REDACTED, REDACTED"},
		"last letter":            {"νίκος", "ΝΊΚΟΣ", "REDACTED"},
		"dotted":                 {"istanbul", "İSTANBUL", "REDACTED"},
		"kelvin":                 {"anna-k1", "anna-\u212a1", "REDACTED"},
		"short, after an escape": {"dev", "%27dev%27 &#39;dev&#39; x%20dev", "%27REDACTED%27 &#39;REDACTED&#39; x%20REDACTED"},
		"short, in a word":       {"dev", "device%20&#100;eveloper", "device%20&#100;eveloper"},
		"too short":              {"ab", "ab", "ab"},
		"too short, unescaped":   {"%41b", "Ab %41b", "Ab REDACTED"},
		"invalid":                {"abc\xffdef", "abc\xffdef!", "REDACTED!"},
		"part of an escape":      {"annac", "annacd &#97;nnac!", "annacd REDACTED!"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := redact.Of("", c.secret).Hide(c.text); got != c.want {
				t.Errorf("%q became %q, want %q", c.text, got, c.want)
			}
		})
	}
}

// A word of a filter is one of an error's text too, in which it does not say what was looked for.
func TestPrivateWords(t *testing.T) {
	t.Parallel()
	const page = "https://learn.microsoft.com/windows/device"
	private := redact.Of("$filter="+url.QueryEscape("category eq 'Device' and os eq 'Windows' and manufacturer eq 'Microsoft'"+
		" and userDisplayName eq 'Schmidt' and contains(emailAddress,'bruno''s') and deviceName eq 'PC-windows'"+
		" and model eq 'Geräte'"), "anders")
	for text, want := range map[string]string{
		"DeviceManagementManagedApps.Read.All":      "DeviceManagementManagedApps.Read.All",
		"no 'device', no Device: WINDOWS.":          "no 'REDACTED', no REDACTED: REDACTED.",
		"device1 2device ädevice":                   "device1 2device ädevice",
		"端末deviceが":                                 "端末REDACTEDが",
		"see " + page + ".":                         "see " + page + ".",
		`see https:\/\/docs.microsoft.com\/windows`: `see https:\/\/docs.microsoft.com\/windows`,
		page + "?a=device windows":                  page + "?a=REDACTED REDACTED",
		page + ",device":                            page + ",REDACTED",
		"https://graph.microsoft.com/device":        "https://graph.REDACTED.com/REDACTED",
		"https://learn.microsoft.com.ex/device":     "https://learn.microsoft.com.ex/REDACTED",
		"https://desk.example/device":               "https://desk.example/REDACTED",
		"aschmidts xbruno'sx xpc-windowsx":          "aREDACTEDs xREDACTEDx xREDACTEDx",
		"xanders https://aka.ms/anders":             "xREDACTED https://aka.ms/REDACTED",
		"xgerätex":                                  "xREDACTEDx",
	} {
		if got := private.Hide(text); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
	// A name stays one, whether it is a word of a filter too or becomes one.
	for _, both := range []redact.Private{
		redact.Of("$filter=os%20eq%20%27anders%27", "anders"), redact.Of("$filter=os%20eq%20%27anders%27").And("", "anders"),
	} {
		if got := both.Hide("xandersx"); got != "xREDACTEDx" {
			t.Errorf("got %q", got)
		}
	}
}

// A request that continues an earlier one has the private parts of both, each with its own bound.
func TestPrivateOfTwoQueries(t *testing.T) {
	t.Parallel()
	first := redact.Of("$filter=deviceName%20eq%20%27PC-anna%27", "bruno@contoso.com")
	var query strings.Builder
	query.WriteString("$skiptoken=")
	for i := range 200 {
		fmt.Fprintf(&query, "'operand-%03d',", i)
	}
	both, other := first.And(query.String()), first.And("$search=carla-1")
	for text, want := range map[string][3]string{
		"PC-Anna":           {"REDACTED", "REDACTED", "REDACTED"},
		"bruno@contoso.com": {"REDACTED", "REDACTED", "REDACTED"},
		"operand-047":       {"operand-047", "REDACTED", "operand-047"},
		"operand-048":       {"operand-048", "operand-048", "operand-048"},
		"carla-1":           {"carla-1", "carla-1", "REDACTED"},
	} {
		if got := [3]string{first.Hide(text), both.Hide(text), other.Hide(text)}; got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}

// A part that a query repeats counts once.
func TestPrivatePartsThatAreRepeated(t *testing.T) {
	t.Parallel()
	query := "$filter=" + strings.Repeat("'anna-pc',", 48) + "&$filter=" + strings.Repeat("'bruno-pc',", 48) + "&$search=carla-pc"
	if got := redact.Of(query).Hide("anna-pc bruno-pc carla-pc"); got != "REDACTED REDACTED REDACTED" {
		t.Errorf("got %q", got)
	}
}

// hostile are texts that take long to search: each is all escapes, or all beginnings of what is private.
var hostile = map[string]string{
	"percent":   "%25",
	"backslash": `\\`,
	"units":     `\ud83d`,
	"entities":  "&amp;",
	"names":     "&a;",
	"unended":   "&",
	"numbers":   "&#64",
	"long ones": "&#" + strings.Repeat("0", 1<<16),
	"letters":   "a",
	"quotes":    "'",
}

// What a service sends is searched in bounded time, however long it is.
func BenchmarkClean(b *testing.B) {
	var query strings.Builder
	query.WriteString("$filter=")
	for i := range 100 {
		fmt.Fprintf(&query, "a eq '%sb%d' or ", strings.Repeat("a", 500), i)
	}
	private := redact.Of(query.String(), "anna@contoso.com")
	for name, part := range hostile {
		text := strings.Repeat(part, 8<<20/len(part))
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if clean := private.Clean(text); len(clean) > 64<<10 {
					b.Fatal(len(clean))
				}
			}
		})
	}
}
