package odata_test

import (
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-intune/intune/internal/odata"
)

// singleton is the one name of these paths that has no key.
const singleton = "deviceManagement"

func TestSplit(t *testing.T) {
	t.Parallel()
	keyed := func(name, key string) odata.Step { return odata.Step{Name: name, Key: key, HasKey: true} }
	alone := odata.Step{Name: singleton}
	for path, want := range map[string][]odata.Step{
		"/deviceManagement/managedDevices/1":             {alone, keyed("managedDevices", "1")},
		"deviceManagement/managedDevices/1":              {alone, keyed("managedDevices", "1")},
		"/users/anna%40contoso.com/managedDevices/a%2Fb": {keyed("users", "anna@contoso.com"), keyed("managedDevices", "a/b")},
		"/users('$a''b')/managedDevices('$c')":           {keyed("users", "$a'b"), keyed("managedDevices", "$c")},
		"/users('%24a%27%27b')/managedDevices/1":         {keyed("users", "$a'b"), keyed("managedDevices", "1")},
		"/users('a''''b')":                               {keyed("users", "a''b")},
		"/users('')":                                     {keyed("users", "")},
		"/users/('a')":                                   {keyed("users", "('a')")},
		"/users//managedDevices/":                        {keyed("users", ""), keyed("managedDevices", "")},
		"/deviceManagement('a')/managedDevices/1":        {keyed(singleton, "a"), keyed("managedDevices", "1")},
		"/deviceManagement/managedDevices":               {alone, {Name: "managedDevices"}},
		"/deviceManagement":                              {alone},
		"/users/deviceManagement":                        {keyed("users", singleton)},
		"/a('1')/b('2')/c('3')/d('4')":                   {keyed("a", "1"), keyed("b", "2"), keyed("c", "3"), keyed("d", "4")},
		"/a/1/b/2/c/3/d":                                 {keyed("a", "1"), keyed("b", "2"), keyed("c", "3"), {Name: "d"}},
		"":                                               {{}},
		"//x":                                            {keyed("", "x")},
	} {
		got, err := odata.Split(path, singleton)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: got %+v, error %v", path, got, err)
		}
	}
}

func TestSplit_Refuses(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"/users/%zz":            "holds a malformed percent escape",
		"/users('a'":            "holds a malformed key",
		"/users('a')b":          "holds a malformed key",
		"/users('%zz')":         "holds a malformed key",
		"/users('a'b')":         "holds a key whose quotes are not doubled",
		"/users('a'''b')":       "holds a key whose quotes are not doubled",
		"/a/1/b/2/c/3/d/4":      "is too long",
		"/a/1/b/2/c/3/d('4')/e": "is too long",
	} {
		steps, err := odata.Split(path, singleton)
		if err == nil || err.Error() != want {
			t.Errorf("%q: error %v, want %q", path, err, want)
		}
		if steps != nil {
			t.Errorf("%q: got %+v with the error", path, steps)
		}
	}
}

func TestCheckKey(t *testing.T) {
	t.Parallel()
	const guid = "705c034c-034c-705c-4c03-5c704c035c70"
	for _, key := range []string{
		guid, "{" + guid + "}", "anna@contoso.com", "guest_x#EXT#@contoso.com", "Ä b", "日本", "$count", "o'neill", "...", "a.b", "%2f", "1",
	} {
		for _, person := range []bool{false, true} {
			if got := odata.CheckKey(key, person); got != "" {
				t.Errorf("%q: %s", key, got)
			}
		}
	}
	const (
		blank     = "is blank"
		slash     = "holds a slash or backslash, which would change the path; pass the bare id"
		control   = "holds a control character: "
		invisible = "holds an invisible character, such as a byte-order mark: "
		space     = "has white space around it: "
	)
	for key, want := range map[string]struct{ thing, person string }{
		"":              {blank, blank},
		" ":             {blank, blank},
		"\t\u00a0":      {blank, blank},
		".":             {"is ., which would change the path", "is ., which would change the path"},
		"..":            {"is .., which would change the path", "is .., which would change the path"},
		"a/b":           {slash, slash},
		`a\b`:           {slash, slash},
		"a\xffb":        {"is not valid UTF-8", "is not valid UTF-8"},
		"aö\x00b":       {control + `"a\u00f6\x00b"`, control + `"**\x00*"`},
		"a\u0085b":      {control + `"a\u0085b"`, control + `"*\u0085*"`},
		"a\n":           {control + `"a\n"`, control + `"*\n"`},
		"\ufeffab":      {invisible + `"\ufeffab"`, invisible + `"\ufeff**"`},
		"a\u200bb":      {invisible + `"a\u200bb"`, invisible + `"*\u200b*"`},
		"a\u202eb":      {invisible + `"a\u202eb"`, invisible + `"*\u202e*"`},
		" an na":        {space + `" an na"`, space + `" ** **"`},
		"anna\u00a0":    {space + `"anna\u00a0"`, space + `"****\u00a0"`},
		"anna\u2003":    {space + `"anna\u2003"`, space + `"****\u2003"`},
		" " + guid:      {space + `" ` + guid + `"`, space + `" ` + strings.Repeat("*", len(guid)) + `"`},
		guid + "\u200b": {invisible + `"` + guid + `\u200b"`, invisible + `"` + strings.Repeat("*", len(guid)) + `\u200b"`},
	} {
		if got := odata.CheckKey(key, false); got != want.thing {
			t.Errorf("%q: %q, want %q", key, got, want.thing)
		}
		if got := odata.CheckKey(key, true); got != want.person {
			t.Errorf("%q of a person: %q, want %q", key, got, want.person)
		}
	}
}

// A key of any length gives a short sentence.
func TestCheckKey_QuotesAtMost80Bytes(t *testing.T) {
	t.Parallel()
	const says = "has white space around it: "
	for length, want := range map[int]int{79: 80, 80: 80, 1000: 80} {
		if got, want := odata.CheckKey(" "+strings.Repeat("a", length), false), says+`" `+strings.Repeat("a", want-1)+`"`; got != want {
			t.Errorf("%d characters: %s", length, got)
		}
	}
}

func TestLowerGUID(t *testing.T) {
	t.Parallel()
	const guid = "705c034c-034c-705c-4c03-5c704c035caf"
	upper := strings.ToUpper(guid)
	for key, want := range map[string]string{
		guid:                                   guid,
		upper:                                  guid,
		guid[:35] + "F":                        guid,
		"A" + guid[1:]:                         "a" + guid[1:],
		"":                                     "",
		"A":                                    "A",
		upper[:35]:                             upper[:35],
		upper[:35] + "G":                       upper[:35] + "G",
		upper[:23] + "A" + upper[24:]:          upper[:23] + "A" + upper[24:], // no hyphen there
		"{" + upper + "}":                      "{" + upper + "}",
		"urn:uuid:" + upper:                    "urn:uuid:" + upper,
		strings.ReplaceAll(upper, "-", ""):     strings.ReplaceAll(upper, "-", ""),
		"Anna.Berg-Lindstrom@UK.Contoso.co.uk": "Anna.Berg-Lindstrom@UK.Contoso.co.uk", // as long as a GUID
		strings.Repeat("Ä", 18):                strings.Repeat("Ä", 18),
	} {
		if got := odata.LowerGUID(key); got != want {
			t.Errorf("%q: %q, want %q", key, got, want)
		}
	}
	const letters = "abcdefab-cdef-abcd-efab-cdefabcdefab"
	for at := range letters {
		if got := odata.LowerGUID(letters[:at] + strings.ToUpper(letters[at:at+1]) + letters[at+1:]); got != letters {
			t.Errorf("upper case at %d: %q", at, got)
		}
	}
}

func TestLowerGUID_DoesNotAllocate(t *testing.T) { //nolint:paralleltest // it counts allocations
	const guid = "705c034c-034c-705c-4c03-5c704c035caf"
	if n := testing.AllocsPerRun(100, func() { _ = odata.LowerGUID(guid) }); n != 0 {
		t.Errorf("%v allocations for a GUID in lower case", n)
	}
}

func TestKeyed(t *testing.T) {
	t.Parallel()
	for key, want := range map[string]string{
		"1":                "/c/1",
		"anna@contoso.com": "/c/anna@contoso.com",
		"a#b?c%d":          "/c/a%23b%3Fc%25d",
		"a b'c":            "/c/a%20b%27c",
		"a$b":              "/c/a$b",
		"$count":           "/c('$count')",
		"$o'neill":         "/c('$o%27%27neill')",
		"$a')/b":           "/c('$a%27%27%29%2Fb')",
	} {
		if got := odata.Keyed("/c", key); got != want {
			t.Errorf("%q: %s, want %s", key, got, want)
		}
	}
}

func TestKeyOf(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"/v1.0/users/anna@contoso.com/x":          "anna@contoso.com",
		"/users/a%23b":                            "a#b",
		"/users/a":                                "a",
		"/users('$a')/managedDevices('$b')":       "$a",
		"/users('%24o%27%27neill')/x":             "$o'neill",
		"/users('$o''neill')":                     "$o'neill",
		"/users/o%27%27neill":                     "o''neill", // only parentheses double a quote
		"/users/('a')/x":                          "('a')",
		"/users('a/b":                             "a",
		"/users('a":                               "a",
		"/users/a%zz/x":                           "a%zz",
		"/users('a%zz''b')":                       "a%zz'b",
		"/users/":                                 "",
		"/users":                                  "",
		"/users//managedDevices":                  "",
		"/deviceManagement/managedDevices/1":      "",
		"/deviceManagement/managedDevices/1/user": "",
		"": "",
	} {
		if got := odata.KeyOf(path, "/users"); got != want {
			t.Errorf("%q: %q, want %q", path, got, want)
		}
	}
}

func TestHasDotSegment(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]bool{
		"/a/../b": true, "/a/./b": true, "..": true, ".": true, "/a/..": true, "./a": true, "/.": true,
		"/a/b": false, "/a/...": false, "/a/.b": false, "/a/b.": false, "/a/..b/c": false, "": false, "//": false, "/v1.0/x": false,
	} {
		if got := odata.HasDotSegment(path); got != want {
			t.Errorf("%q: %v", path, got)
		}
	}
}

func TestText(t *testing.T) {
	t.Parallel()
	const (
		zeros     = "is all zeros, a placeholder that many devices share; look for another property"
		blank     = "is blank; leave it empty to compare nothing"
		control   = "holds a control character: "
		invisible = "holds an invisible character, such as a byte-order mark: "
		space     = "has white space around it: "
	)
	for _, c := range []struct {
		text          string
		meaning       odata.Meaning
		want, problem string
	}{
		{text: "DESKTOP-1", want: "'DESKTOP-1'"},
		{text: "o'neill's", want: "'o''neill''s'"},
		{text: "'", want: "''''"},
		{text: "' or 1 eq 1", want: "''' or 1 eq 1'"},
		{text: "a %27\\", want: "'a %27\\'"},
		{text: "Anna’s\u00a0iPhone", want: "'Anna’s\u00a0iPhone'"},
		{text: "VMware-56 4d 10  20", meaning: odata.Number, want: "'VMware-56 4d 10  20'"},
		{text: "anna@contoso.com", meaning: odata.Person, want: "'anna@contoso.com'"},
		{text: "0", want: "'0'"},
		{text: "0", meaning: odata.Person, want: "'0'"},
		{text: "00000000-0000-0000-0000-000000000000", want: "'00000000-0000-0000-0000-000000000000'"},
		{text: "0a0", meaning: odata.Number, want: "'0a0'"},
		{text: "10", meaning: odata.Number, want: "'10'"},
		{text: "0", meaning: odata.Number, problem: zeros},
		{text: "0-0 0", meaning: odata.Number, problem: zeros},
		{text: " 0", meaning: odata.Number, problem: zeros},
		{text: "", problem: blank},
		{text: "\u00a0\t", problem: blank},
		{text: "", meaning: odata.Number, problem: blank},
		{text: " ", meaning: odata.Person, problem: blank},
		{text: "a\xff", problem: "is not valid UTF-8"},
		{text: "a\x00", problem: control + `"a\x00"`},
		{text: "a\u0085b", problem: control + `"a\u0085b"`},
		{text: "a\n", problem: control + `"a\n"`},
		{text: "anna\n", meaning: odata.Person, problem: control + `"****\n"`},
		{text: "\ufeff5CD1", meaning: odata.Number, problem: invisible + `"\ufeff5CD1"`},
		{text: "\ufeff", problem: invisible + `"\ufeff"`},
		{text: "5C\u200bD1", problem: invisible + `"5C\u200bD1"`},
		{text: "an\u00adna", meaning: odata.Person, problem: invisible + `"**\u00ad**"`},
		{text: "👩\u200d💻", problem: invisible + `"\U0001f469\u200d\U0001f4bb"`},
		{text: "5CD1 ", meaning: odata.Number, problem: space + `"5CD1 "`},
		{text: "5CD1\u00a0", meaning: odata.Number, problem: space + `"5CD1\u00a0"`},
		{text: "\u3000PC 1", problem: space + `"\u3000PC 1"`},
		{text: " anna@contoso.com", meaning: odata.Person, problem: space + `" ****************"`},
	} {
		got, problem := odata.Text(c.text, c.meaning)
		if got != c.want || problem != c.problem {
			t.Errorf("%q, %v: got %s, %q, want %s, %q", c.text, c.meaning, got, problem, c.want, c.problem)
		}
	}
}

func TestMoment(t *testing.T) {
	t.Parallel()
	at := func(year, nanoseconds int) time.Time { return time.Date(year, 3, 4, 5, 6, 7, nanoseconds, time.UTC) }
	berlin := time.FixedZone("", 3600)
	for _, c := range []struct {
		moment       time.Time
		lower, upper string
	}{
		{at(2026, 0), "2026-03-04T05:06:07Z", "2026-03-04T05:06:07Z"},
		{at(2026, 100), "2026-03-04T05:06:07.0000001Z", "2026-03-04T05:06:07.0000001Z"},
		{at(2026, 101), "2026-03-04T05:06:07.0000001Z", "2026-03-04T05:06:07.0000002Z"},
		{at(2026, 199), "2026-03-04T05:06:07.0000001Z", "2026-03-04T05:06:07.0000002Z"},
		{at(2026, 500_000_000), "2026-03-04T05:06:07.5Z", "2026-03-04T05:06:07.5Z"},
		{at(2026, 999_999_999), "2026-03-04T05:06:07.9999999Z", "2026-03-04T05:06:08Z"},
		{time.Date(2026, 1, 1, 0, 30, 0, 0, berlin), "2025-12-31T23:30:00Z", "2025-12-31T23:30:00Z"},
		{at(2, 0), "0002-03-04T05:06:07Z", "0002-03-04T05:06:07Z"},
		{at(9998, 0), "9998-03-04T05:06:07Z", "9998-03-04T05:06:07Z"},
		{at(1, 0), "", ""},
		{time.Time{}, "", ""},
		{at(0, 0), "", ""},
		{at(9999, 0), "", ""},
		{at(12026, 0), "", ""},
		{time.Date(2, 1, 1, 0, 30, 0, 0, berlin), "", ""}, // in the year 1 of the service
	} {
		for upper, want := range map[bool]string{false: c.lower, true: c.upper} {
			got, problem := odata.Moment(c.moment, upper)
			wantProblem := ""
			if want == "" {
				wantProblem = "is not a time that the service can compare"
			}
			if got != want || problem != wantProblem {
				t.Errorf("%v, upper %v: got %q, %q, want %q", c.moment, upper, got, problem, want)
			}
		}
	}
}

func TestEscapeQuery(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]string{
		"deviceName eq 'a+b'": "deviceName%20eq%20%27a%2Bb%27",
		"a&$top=1#c?d%20":     "a%26%24top%3D1%23c%3Fd%2520",
		"ä":                   "%C3%A4",
		"":                    "",
	} {
		got := odata.EscapeQuery(value)
		if got != want {
			t.Errorf("%q: %s, want %s", value, got, want)
		}
		if back, err := url.QueryUnescape(got); err != nil || back != value {
			t.Errorf("%q reads as %q, %v", got, back, err)
		}
	}
}

// Whatever Split accepts it reads again from the form with parentheses.
func FuzzSplit(f *testing.F) {
	f.Add("/users('$a''b')/managedDevices/1")
	f.Add("deviceManagement/detectedApps/a%2f/managedDevices('1')")
	f.Add("//('')")
	f.Fuzz(func(t *testing.T, path string) {
		steps, err := odata.Split(path, singleton)
		if err != nil {
			if len(err.Error()) > 60 || steps != nil {
				t.Fatalf("%q: %+v, %v", path, steps, err)
			}
			return
		}
		if len(steps) > 4 {
			t.Fatalf("%q has %d steps", path, len(steps))
		}
		var written strings.Builder
		for _, step := range steps {
			written.WriteString("/" + step.Name)
			if step.HasKey {
				written.WriteString("('" + url.PathEscape(strings.ReplaceAll(step.Key, "'", "''")) + "')")
			}
		}
		again, err := odata.Split(written.String(), singleton)
		if err != nil || !slices.Equal(again, steps) {
			t.Fatalf("%q is %+v; %q is %+v, %v", path, steps, written.String(), again, err)
		}
	})
}

// A key that passes CheckKey is one part of the address, which every reader reads back as it was.
func FuzzKeyed(f *testing.F) {
	f.Add("anna@contoso.com")
	f.Add("$o'neill')/..")
	f.Add("guest#EXT#%2F?\u00e4\u202e ")
	f.Fuzz(func(t *testing.T, key string) {
		problem, masked := odata.CheckKey(key, false), odata.CheckKey(key, true)
		if (problem == "") != (masked == "") {
			t.Fatalf("%q: %q, of a person %q", key, problem, masked)
		}
		if problem != "" {
			for _, text := range []string{problem, masked} {
				if strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' }) {
					t.Fatalf("%q: not one line of ASCII: %q", key, text)
				}
			}
			return
		}
		path := odata.Keyed("/users", key) + "/managedDevices/1"
		want := []odata.Step{{Name: "users", Key: key, HasKey: true}, {Name: "managedDevices", Key: "1", HasKey: true}}
		if steps, err := odata.Split(path, singleton); err != nil || !slices.Equal(steps, want) {
			t.Fatalf("%q in %s reads as %+v, %v", key, path, steps, err)
		}
		if got := odata.KeyOf(path, "/users"); got != key {
			t.Fatalf("%q in %s reads as %q", key, path, got)
		}
		u, err := url.Parse("https://graph.microsoft.com" + path)
		if err != nil {
			t.Fatalf("%q: %v", path, err)
		}
		if u.EscapedPath() != path || u.RawQuery+u.Fragment != "" {
			t.Fatalf("%q goes out as %s", path, u)
		}
		if odata.HasDotSegment(u.EscapedPath()) || strings.Contains(path, "/$") {
			t.Fatalf("%q goes out as %s", key, path)
		}
	})
}

// The operand is always one literal of OData, which means the text.
func FuzzText(f *testing.F) {
	f.Add("it''s 'x' and 1 eq 1", uint8(odata.Anything))
	f.Add("' or ''='", uint8(odata.Number))
	f.Add("00-0", uint8(odata.Number))
	f.Add("\ufeffanna\u00a0", uint8(odata.Person))
	f.Fuzz(func(t *testing.T, text string, meaning uint8) {
		operand, problem := odata.Text(text, odata.Meaning(meaning))
		if (operand == "") != (problem != "") {
			t.Fatalf("%q: operand %s, problem %q", text, operand, problem)
		}
		if problem != "" {
			if strings.ContainsFunc(problem, func(r rune) bool { return r < ' ' || r > '~' }) {
				t.Fatalf("%q: not one line of ASCII: %q", text, problem)
			}
			return
		}
		if strings.TrimSpace(text) != text {
			t.Fatalf("%q is sent", text)
		}
		if meant, rest := literal(operand); meant != text || rest != "" {
			t.Fatalf("%q is sent as %s, which means %q and then %q", text, operand, meant, rest)
		}
	})
}

// literal reads the text literal with which an OData expression begins, and returns what follows it.
func literal(expression string) (text, rest string) {
	var b strings.Builder
	for i := 1; i < len(expression); i++ {
		if expression[0] != '\'' {
			break
		}
		if expression[i] == '\'' {
			if !strings.HasPrefix(expression[i+1:], "'") {
				return b.String(), expression[i+1:]
			}
			i++
		}
		b.WriteByte(expression[i])
	}
	return "", expression
}

func TestIsGUID(t *testing.T) {
	t.Parallel()
	const guid = "705c034c-034c-705c-4c03-5c704c035c70"
	for text, want := range map[string]bool{
		guid: true, strings.ToUpper(guid): true, "": false, "PC-017": false, "{" + guid + "}": false,
		strings.ReplaceAll(guid, "-", ""): false, "x" + guid[1:]: false,
	} {
		if got := odata.IsGUID(text); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}
