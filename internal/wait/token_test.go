package wait_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-intune/intune/internal/wait"
)

// What is wrong with a token, in the words of Parse.
const (
	blank        = "is blank; a wait goes on from the token of a PendingError, of OnRequested or of a poller, and never asks"
	noToken      = "is not a token of a remote-assistance wait"
	tooLong      = noToken + ": it is too long"
	malformed    = noToken + ": a member is missing, unknown or malformed"
	badHash      = noToken + ": a hash has the wrong length"
	notPast      = noToken + ": the request was not made in the past"
	badConfirm   = noToken + ": confirmWithin is not a duration above zero"
	badAccept    = noToken + ": acceptExistingAfter is not a duration"
	damaged      = noToken + ": it was changed or damaged"
	otherVersion = "was made by another version of the library, which this one cannot read"
	otherCloud   = "is of another cloud than this client"
)

var (
	refusals = []string{blank, noToken, tooLong, malformed, badHash, notPast, badConfirm, badAccept, damaged, otherVersion, otherCloud}

	tooOld = regexp.MustCompile(`^is of a request made ([0-9.hms]+) ago, more than options\.MaxAge allows \(([0-9.a-zµ]+)\): ` +
		`whatever link has appeared on the device since would count as its own, and is probably another session's by now; ` +
		`read the device's session, or ask anew$`)
)

// isRefusal is whether Parse has such an error. None of them can hold anything of a token but the age of the request.
func isRefusal(err error) bool {
	return slices.Contains(refusals, err.Error()) || tooOld.MatchString(err.Error())
}

// written is the form of a token of version 1: tokens are kept by programs, so it can't change without a new version.
// Its checksum is the SHA-256 of these members in this order, without the sum.
type written struct {
	Version             int       `json:"version"`
	Graph               string    `json:"graph"`
	Device              string    `json:"device"`
	RequestedAt         time.Time `json:"requestedAt"`
	RequestID           string    `json:"requestId,omitempty"`
	ClientRequestID     string    `json:"clientRequestId,omitempty"`
	AcceptExistingAfter string    `json:"acceptExistingAfter,omitempty"`
	ConfirmWithin       string    `json:"confirmWithin"`
	Unconfirmed         bool      `json:"unconfirmed,omitempty"`
	Salt                []byte    `json:"salt"`
	Link                []byte    `json:"link"`
	Details             []byte    `json:"details"`
	Sum                 []byte    `json:"sum,omitempty"`
}

type enveloped struct {
	Type  string          `json:"type"`
	Token json.RawMessage `json:"token"`
}

// sealed has the checksum that fits the other members, as anyone can compute it. A text that is no token stays as it is.
func sealed(text string) string {
	var outer enveloped
	var t written
	if json.Unmarshal([]byte(text), &outer) != nil || json.Unmarshal(outer.Token, &t) != nil {
		return text
	}
	t.Sum = nil
	inner, err := json.Marshal(t)
	if err != nil {
		return text
	}
	sum := sha256.Sum256(inner)
	t.Sum = sum[:]
	if inner, err = json.Marshal(t); err != nil {
		return text
	}
	again, err := json.Marshal(enveloped{outer.Type, inner})
	if err != nil {
		return text
	}
	return string(again)
}

// changed is the token with another value of a member, and without the member if value is nil. The checksum stays.
func changed(t *testing.T, token, member string, value any) string {
	t.Helper()
	var outer struct {
		Type  string         `json:"type"`
		Token map[string]any `json:"token"`
	}
	if err := json.Unmarshal([]byte(token), &outer); err != nil {
		t.Fatal(err)
	}
	if value == nil {
		delete(outer.Token, member)
	} else {
		outer.Token[member] = value
	}
	text, err := json.Marshal(outer)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// members are those of a token.
func members(t *testing.T, token string) map[string]json.RawMessage {
	t.Helper()
	var outer enveloped
	var inner map[string]json.RawMessage
	if err := json.Unmarshal([]byte(token), &outer); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(outer.Token, &inner); err != nil {
		t.Fatal(err)
	}
	return inner
}

// full is a wait of which every member is set.
func full() *wait.State {
	s := asked(oldLink, "old trouble")
	s.AcceptExistingAfter, s.ConfirmWithin, s.Unconfirmed = 90*time.Second, 3*time.Minute, true
	return s
}

// refused wants Parse to refuse a token an hour after the request, in these words.
func refused(t *testing.T, token, want string) {
	t.Helper()
	s, err := wait.Parse(token, graph, start.Add(time.Hour), wait.ParseOptions{})
	if s != nil {
		t.Errorf("got a wait of %s", s.Device)
	}
	if err == nil {
		t.Fatalf("accepted, want %q", want)
	}
	if err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func TestState_Token_RoundTrip(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]*wait.State{"every member": full(), "as few as can be": {ConfirmWithin: 1, RequestedAt: start}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			token := s.Token(graph)
			again, err := wait.Parse(token, graph, start, wait.ParseOptions{})
			if err != nil {
				t.Fatal(err)
			}
			for what, c := range map[string]struct{ got, want any }{
				"Device":              {again.Device, s.Device},
				"RequestedAt":         {again.RequestedAt, s.RequestedAt},
				"RequestID":           {again.RequestID, s.RequestID},
				"ClientRequestID":     {again.ClientRequestID, s.ClientRequestID},
				"AcceptExistingAfter": {again.AcceptExistingAfter, s.AcceptExistingAfter},
				"ConfirmWithin":       {again.ConfirmWithin, s.ConfirmWithin},
				"Unconfirmed":         {again.Unconfirmed, s.Unconfirmed},
			} {
				if c.got != c.want {
					t.Errorf("%s is %v, want %v", what, c.got, c.want)
				}
			}
			if text := again.Token(graph); text != token {
				t.Errorf("the token becomes %s\nwas %s", text, token)
			}
		})
	}
}

// A token that a program has kept since an earlier release goes on.
func TestParse_KeptToken(t *testing.T) {
	t.Parallel()
	const kept = `{"type":"RemoteAssistanceSession","token":{"version":1,"graph":"https://graph.microsoft.com/v1.0",` +
		`"device":"/deviceManagement/managedDevices/d1",` +
		`"requestedAt":"2026-08-20T09:30:00Z","requestId":"r1","clientRequestId":"c1","acceptExistingAfter":"1m30s",` +
		`"confirmWithin":"3m0s","unconfirmed":true,"salt":"FK44Vmfw644Vcz8mm0++uQ==",` +
		`"link":"MiBjNCwiqiMXw1m61QydStnkvVT5Xe1Bftc5rv082Y4=",` +
		`"details":"yoR4RwMlm4JgKgey6H0zb5C7WeP2TIbF78x2ZNcpBKU=","sum":"f1G2vc1XiZqBWuTvF36UdRMUpNpMsy02m0GWtDrK5wY="}}`
	s, err := wait.Parse(kept, graph, start.Add(time.Hour), wait.ParseOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if got := s.Judge(oldLink, "old trouble"); got != wait.Waiting {
		t.Errorf("what was there before: %s", named(got))
	}
	if !s.Unconfirmed {
		t.Error("the outcome is known")
	}
	if s.AcceptExistingAfter != 90*time.Second {
		t.Errorf("AcceptExistingAfter is %v", s.AcceptExistingAfter)
	}
	if got := s.Token(graph); got != kept {
		t.Errorf("written again, it is %s", got)
	}
}

// azcore's ResumeToken is the JSON of the wait within its envelope.
func TestState_Token_IsJSONInAnEnvelope(t *testing.T) {
	t.Parallel()
	s := full()
	inner, err := s.JSON(graph)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"type":"RemoteAssistanceSession","token":` + string(inner) + `}`
	if got := s.Token(graph); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	var form written
	decoder := json.NewDecoder(bytes.NewReader(inner))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&form); err != nil {
		t.Fatal(err)
	}
	if got := sealed(want); got != want {
		t.Errorf("the checksum is that of other members or of another order: %s", inner)
	}
}

func TestState_JSON_LeavesOutWhatIsNotSet(t *testing.T) {
	t.Parallel()
	must := []string{"confirmWithin", "details", "device", "graph", "link", "requestedAt", "salt", "sum", "version"}
	may := []string{"acceptExistingAfter", "clientRequestId", "requestId", "unconfirmed"}
	least := &wait.State{ConfirmWithin: time.Second, RequestedAt: start}
	if got := slices.Sorted(maps.Keys(members(t, least.Token(graph)))); !slices.Equal(got, must) {
		t.Errorf("members %v, want %v", got, must)
	}
	want := slices.Sorted(slices.Values(slices.Concat(must, may)))
	if got := slices.Sorted(maps.Keys(members(t, full().Token(graph)))); !slices.Equal(got, want) {
		t.Errorf("members %v, want %v", got, want)
	}
	shortest := &wait.State{ConfirmWithin: time.Second, RequestedAt: start, AcceptExistingAfter: 1}
	if got := string(members(t, shortest.Token(graph))["acceptExistingAfter"]); got != `"1ns"` {
		t.Errorf("acceptExistingAfter is %s", got)
	}
}

// The time is written in UTC, without what is only of this process.
func TestState_JSON_Time(t *testing.T) {
	t.Parallel()
	s := full()
	s.RequestedAt = time.Now().In(time.FixedZone("", -7*3600))
	want := s.RequestedAt.UTC().Format(`"` + time.RFC3339Nano + `"`)
	if got := string(members(t, s.Token(graph))["requestedAt"]); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// Nothing in a token opens a session or tells what the service said, and two tokens do not tell which devices have the
// same link.
func TestState_JSON_HoldsNoLink(t *testing.T) {
	t.Parallel()
	one, two := full().Token(graph), full().Token(graph)
	for _, secret := range []string{oldLink, "old trouble", "teamviewer", "s-old", "trouble"} {
		if strings.Contains(one, secret) {
			t.Errorf("holds %q: %s", secret, one)
		}
	}
	for _, text := range []string{oldLink, "old trouble"} {
		sum := sha256.Sum256([]byte(text))
		for _, hash := range []string{base64.StdEncoding.EncodeToString(sum[:]), hex.EncodeToString(sum[:])} {
			if strings.Contains(one, hash) {
				t.Errorf("holds the bare hash of %q: %s", text, one)
			}
		}
	}
	for _, member := range []string{"salt", "link", "details"} {
		if a, b := string(members(t, one)[member]), string(members(t, two)[member]); a == b {
			t.Errorf("two tokens have the same %s: %s", member, a)
		}
	}
	same := members(t, asked("same", "same").Token(graph))
	if !bytes.Equal(same["link"], same["details"]) {
		t.Error("the same text has two hashes, so that a link and a text are not compared in the same way")
	}
}

// The ids come from outside. Whatever they are, the token can be read, and written again as it was.
func TestState_JSON_OddIDs(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ id, want string }{
		"as long as can be":                 {strings.Repeat("x", 256), strings.Repeat("x", 256)},
		"longer":                            {strings.Repeat("x", 9<<10), strings.Repeat("x", 256)},
		"longer, of two bytes each":         {"x" + strings.Repeat("ü", 5<<10), "x" + strings.Repeat("ü", 127)},
		"not UTF-8":                         {"a\xffb", "a\ufffdb"},
		"not UTF-8, and longer if it were":  {strings.Repeat("\xffa", 128), strings.Repeat("\ufffda", 64)},
		"markup, which JSON writes longer":  {strings.Repeat("<", 300), strings.Repeat("<", 256)},
		"with a separator of lines":         {"a\u2028b", "a\u2028b"},
		"quotes, backslashes, control bits": {"\"\\\x00\n", "\"\\\x00\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := full()
			s.RequestID, s.ClientRequestID = c.id, c.id
			token := s.Token(graph)
			again, err := wait.Parse(token, graph, start, wait.ParseOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if again.RequestID != c.want {
				t.Errorf("request id %q, want %q", again.RequestID, c.want)
			}
			if again.ClientRequestID != c.want {
				t.Errorf("client-request-id %q, want %q", again.ClientRequestID, c.want)
			}
			if text := again.Token(graph); text != token {
				t.Errorf("the token becomes %s\nwas %s", text, token)
			}
		})
	}
}

// A token may come from anywhere. azcore's own reader panics on a null token, and follows a fakeURL with the bearer
// token.
func TestParse_NoToken(t *testing.T) {
	t.Parallel()
	good := full().Token(graph)
	inner, err := full().JSON(graph)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ token, want string }{
		"blank":                  {"", blank},
		"white space":            {" \t\r\n", blank},
		"a text":                 {"hello", noToken},
		"null":                   {"null", noToken},
		"an array":               {"[]", noToken},
		"an empty object":        {"{}", noToken},
		"without the envelope":   {string(inner), noToken},
		"another type":           {strings.Replace(good, "RemoteAssistanceSession", "Other", 1), noToken},
		"no type":                {strings.Replace(good, `"type":"RemoteAssistanceSession",`, "", 1), noToken},
		"a member next to it":    {strings.Replace(good, `{"type"`, `{"x":1,"type"`, 1), noToken},
		"null token":             {`{"type":"RemoteAssistanceSession","token":null}`, noToken},
		"no token":               {`{"type":"RemoteAssistanceSession"}`, noToken},
		"a token that is a text": {`{"type":"RemoteAssistanceSession","token":"x"}`, noToken},
		"fake":                   {`{"type":"RemoteAssistanceSession","token":{"type":"fake","fakeURL":"https://attacker.example/"}}`, noToken},
		"fake and good":          {changed(t, good, "fakeURL", "https://attacker.example/"), malformed},
		"cut in half":            {good[:len(good)/2], noToken},
		"without its last byte":  {good[:len(good)-1], noToken},
		"twice":                  {good + good, noToken},
		"with a word after it":   {good + " x", noToken},
		"with a brace after it":  {good + "}", noToken},
		"five megabytes":         {strings.Repeat(" ", 5<<20) + good, tooLong},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			refused(t, c.token, c.want)
		})
	}
}

// A token is short, and so is what is read of it.
func TestParse_Length(t *testing.T) {
	t.Parallel()
	token := full().Token(graph)
	token += strings.Repeat(" ", 8<<10-len(token))
	if _, err := wait.Parse(token, graph, start, wait.ParseOptions{}); err != nil {
		t.Error(err)
	}
	refused(t, token+" ", tooLong)
}

// Each member is checked for itself: whoever changes a token can compute the checksum too.
func TestParse_Members(t *testing.T) {
	t.Parallel()
	now := start.Add(time.Hour) // that of refused
	hash := func(bytes int) string { return base64.StdEncoding.EncodeToString(make([]byte, bytes)) }
	for name, c := range map[string]struct {
		member string
		value  any // nil: none
		want   string
	}{
		"no version":                    {"version", nil, noToken},
		"version 0":                     {"version", 0, noToken},
		"version 2":                     {"version", 2, otherVersion},
		"version -1":                    {"version", -1, otherVersion},
		"version as a text":             {"version", "1", noToken},
		"version as a fraction":         {"version", 1.5, noToken},
		"no graph":                      {"graph", nil, otherCloud},
		"another cloud":                 {"graph", "https://graph.microsoft.us/v1.0", otherCloud},
		"another host":                  {"graph", "https://attacker.example/v1.0", otherCloud},
		"the graph with a slash":        {"graph", graph + "/", otherCloud},
		"graph as a number":             {"graph", 1, malformed},
		"device as a number":            {"device", 1, malformed},
		"no time":                       {"requestedAt", nil, notPast},
		"the zero time":                 {"requestedAt", time.Time{}, notPast},
		"a time in words":               {"requestedAt", "yesterday", malformed},
		"more than a day ahead":         {"requestedAt", now.Add(24*time.Hour + 1), notPast},
		"a year ahead":                  {"requestedAt", now.Add(365 * 24 * time.Hour), notPast},
		"request id as a number":        {"requestId", 1, malformed},
		"client-request-id as a number": {"clientRequestId", 1, malformed},
		"accept: no duration":           {"acceptExistingAfter", "soon", badAccept},
		"accept: below zero":            {"acceptExistingAfter", "-1ns", badAccept},
		"accept: a number":              {"acceptExistingAfter", 90, malformed},
		"accept: without a unit":        {"acceptExistingAfter", "90", badAccept},
		"no confirmWithin":              {"confirmWithin", nil, badConfirm},
		"confirm: zero":                 {"confirmWithin", "0s", badConfirm},
		"confirm: below zero":           {"confirmWithin", "-1s", badConfirm},
		"confirm: no duration":          {"confirmWithin", "soon", badConfirm},
		"confirm: too much":             {"confirmWithin", "9999999h", badConfirm},
		"unconfirmed as a text":         {"unconfirmed", "true", malformed},
		"no salt":                       {"salt", nil, badHash},
		"a short salt":                  {"salt", hash(15), badHash},
		"a long salt":                   {"salt", hash(17), badHash},
		"no link":                       {"link", nil, badHash},
		"a short link":                  {"link", hash(31), badHash},
		"a long link":                   {"link", hash(33), badHash},
		"an empty link":                 {"link", "", badHash},
		"a link and a half":             {"link", hash(48), badHash},
		"eleven links":                  {"link", hash(11 * 32), badHash},
		"a link that is no base64":      {"link", "%", malformed},
		"no details":                    {"details", nil, badHash},
		"short details":                 {"details", hash(31), badHash},
		"long details":                  {"details", hash(33), badHash},
		"eleven details":                {"details", hash(11 * 32), badHash},
		"sum that is no base64":         {"sum", "%", malformed},
		"an unknown member":             {"x", 1, malformed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			token := changed(t, full().Token(graph), c.member, c.value)
			refused(t, token, c.want)
			if c.want != malformed { // sealing leaves out what it does not know, and a value of another type stays
				refused(t, sealed(token), c.want)
			}
		})
	}
}

// What lies just within the limits of a member is taken.
func TestParse_MembersWithinTheirLimits(t *testing.T) {
	t.Parallel()
	now := start.Add(time.Hour)
	for name, c := range map[string]struct {
		member string
		value  any
	}{
		"a day ahead":           {"requestedAt", now.Add(24 * time.Hour)},
		"in another zone":       {"requestedAt", start.In(time.FixedZone("", 5*3600))},
		"no device":             {"device", ""},
		"another device":        {"device", "https://attacker.example/"},
		"no request id":         {"requestId", nil},
		"no client-request-id":  {"clientRequestId", nil},
		"no accept":             {"acceptExistingAfter", nil},
		"accept: zero":          {"acceptExistingAfter", "0s"},
		"accept: the shortest":  {"acceptExistingAfter", "1ns"},
		"confirm: the shortest": {"confirmWithin", "1ns"},
		"confirm: other form":   {"confirmWithin", "1.5m"},
		"confirmed":             {"unconfirmed", nil},
		"any salt":              {"salt", base64.StdEncoding.EncodeToString(make([]byte, 16))},
		"any link":              {"link", base64.StdEncoding.EncodeToString(make([]byte, 32))},
		"any text":              {"details", base64.StdEncoding.EncodeToString(make([]byte, 32))},
		"ten links":             {"link", base64.StdEncoding.EncodeToString(make([]byte, 320))},
		"ten texts":             {"details", base64.StdEncoding.EncodeToString(make([]byte, 320))},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			token := changed(t, full().Token(graph), c.member, c.value)
			if _, err := wait.Parse(sealed(token), graph, now, wait.ParseOptions{}); err != nil {
				t.Error(err)
			}
			refused(t, token, damaged)
		})
	}
}

// Of two versions the last one counts, and each has to be a number.
func TestParse_TwoVersions(t *testing.T) {
	t.Parallel()
	token := full().Token(graph)
	refused(t, strings.Replace(token, `"version":1`, `"version":1,"version":"x"`, 1), malformed)
	refused(t, strings.Replace(token, `"version":1`, `"version":1,"version":2`, 1), otherVersion)
}

// A damaged checksum is worse than an old token, and a foreign token is foreign whatever else it is.
func TestParse_WhatIsSaidFirst(t *testing.T) {
	t.Parallel()
	token := full().Token(graph)
	refused(t, changed(t, token, "sum", nil), damaged)
	refused(t, changed(t, token, "sum", ""), damaged)
	refused(t, changed(t, token, "sum", base64.StdEncoding.EncodeToString(make([]byte, 32))), damaged)
	refused(t, changed(t, token, "requestedAt", start.Add(-48*time.Hour)), damaged)
	refused(t, changed(t, changed(t, token, "version", 2), "graph", "https://graph.microsoft.us/v1.0"), otherVersion)
	refused(t, changed(t, changed(t, token, "salt", nil), "graph", "https://graph.microsoft.us/v1.0"), otherCloud)
}

// Every change of one byte is refused, or means the same as before: a token whose baseline is damaged would take the
// old link for a new one.
func TestParse_DamagedBytes(t *testing.T) {
	t.Parallel()
	good := full().Token(graph)
	accepted := 0
	check := func(token string) {
		s, err := wait.Parse(token, graph, start, wait.ParseOptions{})
		if err != nil {
			if !isRefusal(err) {
				t.Errorf("an unknown error: %v", err)
			}
			return
		}
		accepted++
		if s.Token(graph) != good {
			t.Errorf("accepted with another meaning:\n%s", token)
		}
	}
	for at := range good {
		for bit := range 8 {
			check(good[:at] + string([]byte{good[at] ^ 1<<bit}) + good[at+1:])
		}
		for _, other := range []byte(` "0A_=\,}`) {
			check(good[:at] + string([]byte{other}) + good[at+1:])
			check(good[:at] + string([]byte{other}) + good[at:])
		}
		check(good[:at] + good[at+1:])
	}
	if accepted == 0 {
		t.Error("white space is accepted nowhere, so that the test compares nothing")
	}
}

// The checksum is of the members and not of their spelling, since a store may format JSON anew.
func TestParse_Reformatted(t *testing.T) {
	t.Parallel()
	good := full().Token(graph)
	var outer map[string]any // which changes the order too
	if err := json.Unmarshal([]byte(good), &outer); err != nil {
		t.Fatal(err)
	}
	text, err := json.MarshalIndent(outer, "", "\t")
	if err != nil {
		t.Fatal(err)
	}
	s, err := wait.Parse("\n"+string(text)+"\n", graph, start, wait.ParseOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if got := s.Token(graph); got != good {
		t.Errorf("got  %s\nwant %s", got, good)
	}
}

func TestParse_MaxAge(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		maxAge, age time.Duration
		said        []string // the age and the limit, none if the token is taken
	}{
		"a day":             {0, 24 * time.Hour, nil},
		"more than a day":   {0, 24*time.Hour + 1, []string{"24h0m0s", "24h0m0s"}},
		"three days":        {0, 72*time.Hour + 90*time.Minute + 1400*time.Millisecond, []string{"73h30m1s", "24h0m0s"}},
		"an hour":           {time.Hour, time.Hour, nil},
		"more than an hour": {time.Hour, time.Hour + 700*time.Millisecond, []string{"1h0m1s", "1h0m0s"}},
		"a week":            {7 * 24 * time.Hour, 7 * 24 * time.Hour, nil},
		"a nanosecond":      {1, 2 * time.Second, []string{"2s", "1ns"}},
		"of the future":     {1, -time.Hour, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := wait.Parse(full().Token(graph), graph, start.Add(c.age), wait.ParseOptions{MaxAge: c.maxAge})
			if c.said == nil {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if err == nil {
				t.Fatal("accepted")
			}
			said := tooOld.FindStringSubmatch(err.Error())
			if said == nil {
				t.Fatalf("got %v", err)
			}
			if !slices.Equal(said[1:], c.said) {
				t.Errorf("says %v, want %v", said[1:], c.said)
			}
		})
	}
}

// The durations of the first wait hold unless they are given again.
func TestParse_Durations(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		given                       wait.ParseOptions
		wantAccept, wantConfirm     time.Duration
		withoutAccept, badDurations bool // of the token
	}{
		"kept":                   {wait.ParseOptions{}, 90 * time.Second, 3 * time.Minute, false, false},
		"accept given":           {wait.ParseOptions{AcceptExistingAfter: 1}, 1, 3 * time.Minute, false, false},
		"confirm given":          {wait.ParseOptions{ConfirmWithin: 1}, 90 * time.Second, 1, false, false},
		"accept given first":     {wait.ParseOptions{AcceptExistingAfter: time.Hour}, time.Hour, 3 * time.Minute, true, false},
		"no accept":              {wait.ParseOptions{}, 0, 3 * time.Minute, true, false},
		"instead of what is bad": {wait.ParseOptions{AcceptExistingAfter: 2, ConfirmWithin: 3}, 2, 3, false, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			token := full().Token(graph)
			if c.withoutAccept {
				token = sealed(changed(t, token, "acceptExistingAfter", nil))
			}
			if c.badDurations {
				token = sealed(changed(t, changed(t, token, "acceptExistingAfter", "soon"), "confirmWithin", "soon"))
			}
			s, err := wait.Parse(token, graph, start, c.given)
			if err != nil {
				t.Fatal(err)
			}
			if s.AcceptExistingAfter != c.wantAccept {
				t.Errorf("AcceptExistingAfter is %v, want %v", s.AcceptExistingAfter, c.wantAccept)
			}
			if s.ConfirmWithin != c.wantConfirm {
				t.Errorf("ConfirmWithin is %v, want %v", s.ConfirmWithin, c.wantConfirm)
			}
		})
	}
}

// FuzzParse takes each text as it is and with the checksum that fits it, so that the fuzzer comes past the checksum.
// What is taken is written back, and then means the same for ever; what is refused is not quoted.
func FuzzParse(f *testing.F) {
	good := full().Token(graph)
	for _, seed := range []string{
		good, asked("", "").Token(graph), good + good, strings.ReplaceAll(good, ",", " , "), "", " ", "null", "{}",
		`{"type":"RemoteAssistanceSession","token":null}`,
		`{"type":"RemoteAssistanceSession","token":{"type":"fake","fakeURL":"https://attacker.example/"}}`,
		strings.Replace(good, `"version":1`, `"version":1,"VERSION":2`, 1),
		strings.Replace(good, `"r1"`, `"`+strings.Repeat("ü", 200)+`\ud800"`, 1),
		strings.Replace(good, "2026-08-20T09:30:00Z", "2026-08-20T14:30:00.000000001+05:00", 1),
		strings.Replace(good, "2026-08-20T09:30:00Z", "0000-01-01T00:00:00+23:59", 1),
		strings.Replace(good, "3m0s", "1.5h", 1),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, given string) {
		for _, text := range []string{given, sealed(given)} {
			s, err := wait.Parse(text, graph, start, wait.ParseOptions{})
			if err != nil {
				if !isRefusal(err) {
					t.Fatalf("an unknown error, which may quote the token: %v", err)
				}
				continue
			}
			once := s.Token(graph)
			again, err := wait.Parse(once, graph, start, wait.ParseOptions{})
			if err != nil {
				t.Fatalf("written back, it is refused: %v\n%s", err, once)
			}
			if twice := again.Token(graph); twice != once {
				t.Errorf("written back, it is %s\nand then %s", once, twice)
			}
			if !strings.HasPrefix(s.RequestID, again.RequestID) {
				t.Errorf("request id %q has become %q", s.RequestID, again.RequestID)
			}
			if !strings.HasPrefix(s.ClientRequestID, again.ClientRequestID) {
				t.Errorf("client-request-id %q has become %q", s.ClientRequestID, again.ClientRequestID)
			}
		}
	})
}
