package wait_test

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"
	"unsafe"

	"pgregory.net/rapid"

	"github.com/go-intune/intune/internal/wait"
)

const (
	graph   = "https://graph.microsoft.com/v1.0"
	oldLink = "https://get.teamviewer.example/s-old"
	newLink = "https://get.teamviewer.example/s-new"
)

var start = time.Date(2026, 8, 20, 9, 30, 0, 0, time.UTC)

// asked is a wait for a request made at start, with what was there before it. It looks for a sign for two minutes.
func asked(link, details string) *wait.State {
	s := &wait.State{
		Device: "/deviceManagement/managedDevices/d1", RequestedAt: start, RequestID: "r1", ClientRequestID: "c1",
		ConfirmWithin: wait.DefaultConfirmWithin,
	}
	s.Remember(link, details, nil)
	return s
}

// restarted is the wait as another process gets it.
func restarted(t testing.TB, s *wait.State, now time.Time, o wait.ParseOptions) *wait.State {
	t.Helper()
	again, err := wait.Parse(s.Token(graph), graph, now, o)
	if err != nil {
		t.Fatal(err)
	}
	return again
}

// named is a verdict in words.
func named(v wait.Verdict) string {
	return [...]string{
		wait.Waiting: "waiting", wait.NewLink: "new link", wait.NewError: "new error", wait.Existing: "existing link", wait.NoSign: "no sign",
	}[v]
}

func TestState_Judge(t *testing.T) {
	t.Parallel()
	type read struct {
		link, details string
		want          wait.Verdict
	}
	nothing, old := read{"", "", wait.Waiting}, read{oldLink, "", wait.Waiting}
	for name, c := range map[string]struct {
		link, details string // before the request
		reads         []read
	}{
		"a new link":                        {"", "", []read{nothing, {newLink, "", wait.NewLink}}},
		"a new text":                        {"", "", []read{nothing, {"", "trouble", wait.NewError}}},
		"a new link and a new text":         {"", "", []read{{newLink, "trouble", wait.NewLink}}},
		"the old link, and then a new one":  {oldLink, "", []read{old, {newLink, "", wait.NewLink}}},
		"the old link goes":                 {oldLink, "", []read{old, nothing}},
		"the old link goes and comes back":  {oldLink, "", []read{nothing, old, nothing, old, old}},
		"the old link goes, a new one":      {oldLink, "", []read{nothing, {newLink, "", wait.NewLink}}},
		"the old link after the new one":    {oldLink, "", []read{{newLink, "", wait.NewLink}, old}},
		"the old link with a new text":      {oldLink, "", []read{{oldLink, "trouble", wait.NewError}}},
		"the old text":                      {"", "trouble", []read{{"", "trouble", wait.Waiting}}},
		"the old text goes and comes back":  {"", "trouble", []read{nothing, {"", "trouble", wait.Waiting}}},
		"the old text with a new link":      {"", "trouble", []read{{newLink, "trouble", wait.NewLink}}},
		"the old text, and then another":    {"", "trouble", []read{{"", "trouble", wait.Waiting}, {"", "more trouble", wait.NewError}}},
		"the link as text, the text as one": {"a", "b", []read{{"b", "a", wait.NewLink}}},
		"another link of the same length":   {oldLink, "", []read{{oldLink[:len(oldLink)-1] + "e", "", wait.NewLink}}},
		"the beginning of the old link":     {oldLink, "", []read{{oldLink[:len(oldLink)-1], "", wait.NewLink}}},
		"the old link in other case":        {oldLink, "", []read{{strings.ToUpper(oldLink), "", wait.NewLink}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			one, two := asked(c.link, c.details), asked(c.link, c.details)
			for i, r := range c.reads {
				if got := one.Judge(r.link, r.details); got != r.want {
					t.Errorf("read %d: %s, want %s", i, named(got), named(r.want))
				}
				two = restarted(t, two, start, wait.ParseOptions{})
				if got := two.Judge(r.link, r.details); got != r.want {
					t.Errorf("read %d after a restart: %s, want %s", i, named(got), named(r.want))
				}
			}
		})
	}
}

// What any of the looks before the request saw is not new, here or after a restart.
func TestState_Remember(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ looks, known, fresh []string }{
		"one":                   {[]string{"A"}, []string{"A"}, []string{"B"}},
		"the same twice":        {[]string{"A", "A"}, []string{"A"}, []string{"B"}},
		"gone":                  {[]string{"A", ""}, []string{"A"}, []string{"B"}},
		"come":                  {[]string{"", "A"}, []string{"A"}, []string{"B"}},
		"nothing":               {[]string{"", ""}, nil, []string{"A"}},
		"two":                   {[]string{"A", "B"}, []string{"A", "B"}, []string{"C", "AB"}},
		"two, gone and back":    {[]string{"A", "B", "", "A"}, []string{"A", "B"}, []string{"C"}},
		"ten, one of them back": {strings.Split("ABCDEFGHIJA", ""), strings.Split("ABCDEFGHIJ", ""), []string{"K"}},
		"the latest ten":        {strings.Split("ABCDEFGHIJKL", ""), strings.Split("CDEFGHIJKL", ""), []string{"A", "B", "M"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			judged := func(s *wait.State, link, details string, want wait.Verdict) {
				t.Helper()
				if got := s.Judge(link, details); got != want {
					t.Errorf("link %q, text %q: %s, want %s", link, details, named(got), named(want))
				}
			}
			links, texts := asked(c.looks[0], ""), asked("", c.looks[0])
			for _, look := range c.looks[1:] {
				earlier := *links
				links.Remember(look, "", &earlier)
				earlier = *texts
				texts.Remember("", look, &earlier)
			}
			for range 2 {
				for _, known := range c.known {
					judged(links, known, "", wait.Waiting)
					judged(texts, "", known, wait.Waiting)
				}
				for _, fresh := range c.fresh {
					judged(links, fresh, "", wait.NewLink)
					judged(texts, "", fresh, wait.NewError)
				}
				links, texts = restarted(t, links, start, wait.ParseOptions{}), restarted(t, texts, start, wait.ParseOptions{})
			}
		})
	}
}

// Only what is new is a sign that the service acted, and what was known once stays known.
func TestState_Judge_Sign(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		link, details string // of the read; before the request there were both
		sign          bool
	}{
		"nothing changed":   {oldLink, "trouble", false},
		"another link":      {newLink, "trouble", true},
		"another text":      {oldLink, "more trouble", true},
		"the link has gone": {"", "trouble", false},
		"the text has gone": {oldLink, "", false},
		"both have gone":    {"", "", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := asked(oldLink, "trouble")
			s.Unconfirmed = true
			s.Judge(c.link, c.details)
			if s.Unconfirmed == c.sign {
				t.Errorf("unconfirmed is %v after the read", s.Unconfirmed)
			}
			s.Judge(oldLink, "trouble")
			if s.Unconfirmed == c.sign {
				t.Errorf("unconfirmed is %v after a read of what was there before", s.Unconfirmed)
			}
		})
	}
}

func TestState_JudgeTime(t *testing.T) {
	t.Parallel()
	const minute, hour = time.Minute, time.Hour
	for name, c := range map[string]struct {
		accept, resumed, waited time.Duration // since the request; resumed is zero for a wait that was not
		unconfirmed, existing   bool
		want                    wait.Verdict
	}{
		"no limit":                           {0, 0, 1000 * hour, false, true, wait.Waiting},
		"accept: a nanosecond before":        {minute, 0, minute - 1, false, true, wait.Waiting},
		"accept: on time":                    {minute, 0, minute, false, true, wait.Existing},
		"accept: later":                      {minute, 0, hour, false, true, wait.Existing},
		"accept: the shortest":               {1, 0, 1, false, true, wait.Existing},
		"accept: no link is there":           {minute, 0, hour, false, false, wait.Waiting},
		"accept: counted from the request":   {5 * minute, 4 * minute, 5 * minute, false, true, wait.Existing},
		"confirm: a nanosecond before":       {0, 0, 2*minute - 1, true, false, wait.Waiting},
		"confirm: on time":                   {0, 0, 2 * minute, true, false, wait.NoSign},
		"confirm: the outcome is known":      {0, 0, hour, false, false, wait.Waiting},
		"confirm: a link is there":           {0, 0, 2 * minute, true, true, wait.NoSign},
		"confirm: counted anew, just before": {0, hour, hour + 2*minute - 1, true, false, wait.Waiting},
		"confirm: counted anew":              {0, hour, hour + 2*minute, true, false, wait.NoSign},
		"both":                               {2 * minute, 0, 2 * minute, true, true, wait.Existing},
		"both, no link is there":             {2 * minute, 0, 2 * minute, true, false, wait.NoSign},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := asked(oldLink, "")
			s.AcceptExistingAfter, s.Unconfirmed = c.accept, c.unconfirmed
			if c.resumed > 0 {
				s = restarted(t, s, start.Add(c.resumed), wait.ParseOptions{})
			}
			if got := s.JudgeTime(start.Add(c.waited), c.existing); got != c.want {
				t.Errorf("%s, want %s", named(got), named(c.want))
			}
			if s.Unconfirmed != c.unconfirmed {
				t.Errorf("unconfirmed has become %v", s.Unconfirmed)
			}
		})
	}
}

// A device may be missing for a minute, and so may a token, each counted from the first failure in a row.
func TestState_Tolerates(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]wait.Failure{"not found": wait.NotFound, "no token": wait.NoToken} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := asked(oldLink, "")
			at := start.Add(time.Hour)
			tolerates := func(after time.Duration, want bool) {
				t.Helper()
				if got := s.Tolerates(f, at.Add(after)); got != want {
					t.Errorf("after %v the wait goes on: %v, want %v", after, got, want)
				}
			}
			tolerates(0, true)
			tolerates(30*time.Second, true)
			tolerates(time.Minute-1, true)
			tolerates(time.Minute, false)
			tolerates(time.Hour, false)
			s.Judge(oldLink, "")
			at = start.Add(2 * time.Hour)
			tolerates(0, true)
			tolerates(time.Minute-1, true)
			s = restarted(t, s, at, wait.ParseOptions{})
			tolerates(2*time.Minute, true)
			tolerates(3*time.Minute, false)
		})
	}
}

// What comes between two failures of a kind: a read that failed otherwise had a token, but does not show the device.
func TestState_Tolerates_Between(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		f, between wait.Failure
		want       bool // the wait goes on, for the first failure does not count any more
	}{
		"not found, trouble":  {wait.NotFound, wait.Trouble, false},
		"not found, no token": {wait.NotFound, wait.NoToken, false},
		"not found, refused":  {wait.NotFound, wait.Refused, false},
		"no token, trouble":   {wait.NoToken, wait.Trouble, true},
		"no token, not found": {wait.NoToken, wait.NotFound, true},
		"no token, refused":   {wait.NoToken, wait.Refused, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := asked(oldLink, "")
			s.Tolerates(c.f, start)
			s.Tolerates(c.between, start.Add(30*time.Second))
			if got := s.Tolerates(c.f, start.Add(time.Minute)); got != c.want {
				t.Errorf("goes on: %v, want %v", got, c.want)
			}
		})
	}
}

func TestState_Tolerates_OtherFailures(t *testing.T) {
	t.Parallel()
	for _, after := range []time.Duration{0, time.Minute, 1000 * time.Hour} {
		s := asked(oldLink, "")
		for range 2 {
			if !s.Tolerates(wait.Trouble, start.Add(after)) {
				t.Errorf("trouble ends the wait after %v", after)
			}
			if s.Tolerates(wait.Refused, start.Add(after)) {
				t.Errorf("the wait goes on after a refusal, %v after the start", after)
			}
		}
	}
}

func TestState_NextLimit(t *testing.T) {
	t.Parallel()
	const minute, hour = time.Minute, time.Hour
	for name, c := range map[string]struct {
		accept, resumed, waited time.Duration // since the request; resumed is zero for a wait that was not
		unconfirmed             bool
		want                    time.Duration
	}{
		"none":                       {0, 0, minute, false, never},
		"accept":                     {5 * minute, 0, minute, false, 4 * minute},
		"accept, right before":       {5 * minute, 0, 5*minute - 1, false, 1},
		"accept has passed":          {5 * minute, 0, 5 * minute, false, never},
		"accept, resumed":            {2 * hour, hour, hour, false, hour},
		"confirm":                    {0, 0, minute, true, minute},
		"confirm, right before":      {0, 0, 2*minute - 1, true, 1},
		"confirm has passed":         {0, 0, 2 * minute, true, never},
		"confirm, resumed":           {0, hour, hour + 30*time.Second, true, 90 * time.Second},
		"both, confirm first":        {5 * minute, 0, minute, true, minute},
		"both, accept first":         {90 * time.Second, 0, minute, true, 30 * time.Second},
		"both, confirm has passed":   {5 * minute, 0, 3 * minute, true, 2 * minute},
		"both, accept has passed":    {minute, 0, 90 * time.Second, true, 30 * time.Second},
		"both, the outcome is known": {5 * minute, 0, minute, false, 4 * minute},
		"both have passed":           {5 * minute, 0, hour, true, never},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := asked(oldLink, "")
			s.AcceptExistingAfter, s.Unconfirmed = c.accept, c.unconfirmed
			if c.resumed > 0 {
				s = restarted(t, s, start.Add(c.resumed), wait.ParseOptions{})
			}
			if got := s.NextLimit(start.Add(c.waited)); got != c.want {
				t.Errorf("%v, want %v", got, c.want)
			}
		})
	}
}

// What can happen to a wait.
const (
	read         = "read"
	notFound     = "not found"
	withoutToken = "no token"
	serverError  = "server error"
	restart      = "restart"
)

type event struct {
	kind          string
	at            time.Duration // since the request
	link, details string        // of a read
}

// A story is all that has happened to a wait. It is the model of the promise: each of its answers looks at the whole
// story, and nothing is carried from one event to the next.
type story struct {
	link, details   string // before the request
	known           bool   // that the service acted, from its answer to the request
	accept, confirm time.Duration
	events          []event
}

func (s story) last() event { return s.events[len(s.events)-1] }

// after gives the events behind the last one of these kinds.
func (s story) after(kinds ...string) []event {
	for i, e := range slices.Backward(s.events) {
		if slices.Contains(kinds, e.kind) {
			return s.events[i+1:]
		}
	}
	return s.events
}

// sign is whether anything shows that the service acted.
func (s story) sign() bool {
	return s.known || slices.ContainsFunc(s.events, func(e event) bool {
		return e.kind == read && (!slices.Contains([]string{"", s.link}, e.link) || !slices.Contains([]string{"", s.details}, e.details))
	})
}

// shown is the link that this process saw last.
func (s story) shown() string {
	for _, e := range slices.Backward(s.after(restart)) {
		if e.kind == read {
			return e.link
		}
	}
	return ""
}

// looked is how long this process has looked for a sign.
func (s story) looked() time.Duration {
	for _, e := range slices.Backward(s.events) {
		if e.kind == restart {
			return s.last().at - e.at
		}
	}
	return s.last().at
}

// since is how long ago the first of these events was, 0 if there is none of this kind.
func (s story) since(kind string, events []event) time.Duration {
	for _, e := range events {
		if e.kind == kind {
			return s.last().at - e.at
		}
	}
	return 0
}

// missing is how long every answer was a 404 or a failure, from the first 404 on.
func (s story) missing() time.Duration { return s.since(notFound, s.after(read, restart)) }

// tokenless is how long no read has had a token.
func (s story) tokenless() time.Duration {
	return s.since(withoutToken, s.after(read, notFound, serverError, restart))
}

// end is what the last event means for the wait, and so the only reasons for which a wait ends.
func (s story) end() string {
	last := s.last()
	switch {
	case last.kind == restart:
		return "waiting"
	case last.kind == read && last.link != "" && last.link != s.link:
		return "new link"
	case last.kind == read && last.details != "" && last.details != s.details:
		return "new error"
	case last.kind == notFound && s.missing() >= time.Minute:
		return "device gone"
	case last.kind == withoutToken && s.tokenless() >= time.Minute:
		return "token gone"
	case s.accept > 0 && last.at >= s.accept && s.link != "" && s.shown() == s.link:
		return "existing link"
	case !s.sign() && s.looked() >= s.confirm:
		return "no sign"
	}
	return "waiting"
}

// watcher drives a wait as the client does, and tells its story.
type watcher struct {
	story
	state    *wait.State
	existing bool // the latest read showed the old link
	ended    bool
	tokens   []kept
}

// kept is a token and the story up to it.
type kept struct {
	token string
	story story
}

func (w *watcher) now() time.Time { return start.Add(w.last().at) }

func (w *watcher) happens(t *rapid.T, kind string, pauses ...time.Duration) *event {
	at := rapid.SampledFrom(pauses).Draw(t, "pause")
	if len(w.events) > 0 {
		at += w.last().at
	}
	w.events = append(slices.Clip(w.events), event{kind: kind, at: at})
	return &w.events[len(w.events)-1]
}

// judged compares what the state says of the last event with what the story says.
func (w *watcher) judged(t *rapid.T, got string) {
	if want := w.end(); got != want {
		t.Fatalf("%s, want %s", got, want)
	}
	w.ended = got != "waiting"
}

func (w *watcher) read(t *rapid.T) {
	e := w.happens(t, read, pauses...)
	e.link = rapid.SampledFrom([]string{w.link, w.link, w.link, "", "A", "B"}).Draw(t, "link")
	e.details = rapid.SampledFrom([]string{w.details, w.details, w.details, "", "a", "b"}).Draw(t, "details")
	verdict := w.state.Judge(e.link, e.details)
	if verdict == wait.Waiting {
		w.existing = e.link != ""
		verdict = w.state.JudgeTime(w.now(), w.existing)
	}
	w.judged(t, named(verdict))
}

func (w *watcher) fails(t *rapid.T, kind string) {
	w.happens(t, kind, pauses...)
	failure := map[string]wait.Failure{notFound: wait.NotFound, withoutToken: wait.NoToken, serverError: wait.Trouble}[kind]
	if !w.state.Tolerates(failure, w.now()) {
		w.judged(t, map[string]string{notFound: "device gone", withoutToken: "token gone", serverError: "a wait that trouble ended"}[kind])
		return
	}
	w.judged(t, named(w.state.JudgeTime(w.now(), w.existing)))
}

// restart goes on from a token of any time before, as a process does that knows only what was written down.
func (w *watcher) restart(t *rapid.T) {
	w.tokens = append(w.tokens, kept{w.state.Token(graph), w.story})
	from := rapid.SampledFrom(w.tokens).Draw(t, "token")
	w.happens(t, restart, 0, time.Second, 10*time.Minute, 7*time.Hour)
	o := wait.ParseOptions{
		AcceptExistingAfter: rapid.SampledFrom([]time.Duration{0, 0, 0, 6 * time.Minute}).Draw(t, "accept"),
		ConfirmWithin:       rapid.SampledFrom([]time.Duration{0, 0, 0, 3 * time.Minute}).Draw(t, "confirm"),
	}
	now := w.last()
	state, err := wait.Parse(from.token, graph, w.now(), o)
	if tooOld := now.at > 24*time.Hour; (err != nil) != tooOld {
		t.Fatalf("%v after the request: %v", now.at, err)
	}
	if err != nil {
		w.ended = true
		return
	}
	w.story, w.state, w.existing = from.story, state, false
	w.events = append(slices.Clip(w.events), now)
	if o.AcceptExistingAfter > 0 {
		w.accept = o.AcceptExistingAfter
	}
	if o.ConfirmWithin > 0 {
		w.confirm = o.ConfirmWithin
	}
	w.judged(t, "waiting")
}

// Pauses that meet the limits of the stories exactly, and miss them.
var pauses = []time.Duration{0, time.Second, 20 * time.Second, time.Minute - 1, time.Minute}

// What was asked stays asked, and what is known stays known.
func (w *watcher) keepsTheRequest(t *rapid.T) {
	for what, same := range map[string]bool{
		"device":                 w.state.Device == "/deviceManagement/managedDevices/d1",
		"time of the request":    w.state.RequestedAt.Equal(start),
		"request id":             w.state.RequestID == "r1",
		"client-request-id":      w.state.ClientRequestID == "c1",
		"AcceptExistingAfter":    w.state.AcceptExistingAfter == w.accept,
		"ConfirmWithin":          w.state.ConfirmWithin == w.confirm,
		"whether it is unproven": w.state.Unconfirmed == !w.sign(),
	} {
		if !same {
			t.Errorf("another %s: %+v", what, w.state)
		}
	}
}

// The time alone changes nothing before the next limit, and something then.
func (w *watcher) looksAtTheNextLimit(t *rapid.T) {
	now := w.now()
	judged := func(after time.Duration) [2]wait.Verdict {
		return [2]wait.Verdict{w.state.JudgeTime(now.Add(after), true), w.state.JudgeTime(now.Add(after), false)}
	}
	limit := w.state.NextLimit(now)
	if judged(limit-1) != judged(0) {
		t.Errorf("the time ends the wait before its next limit, %v from now", limit)
	}
	if limit != math.MaxInt64 && judged(limit) == judged(0) {
		t.Errorf("nothing changes at the next limit, %v from now", limit)
	}
}

// Whatever is read, fails, restarts and passes: an old link is never new, what was asked stays asked, and nothing ends
// without a reason, nor goes on when there is one.
func TestState_KeepsItsPromise(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := &watcher{story: story{
			link:    rapid.SampledFrom([]string{"", "A", "B"}).Draw(t, "link before"),
			details: rapid.SampledFrom([]string{"", "a", "b"}).Draw(t, "details before"),
			known:   rapid.Bool().Draw(t, "known"),
			accept:  rapid.SampledFrom([]time.Duration{0, 0, 1, 2 * time.Minute}).Draw(t, "accept"),
			confirm: rapid.SampledFrom([]time.Duration{time.Minute, 2 * time.Minute}).Draw(t, "confirm"),
		}}
		w.state = asked(w.link, w.details)
		w.state.AcceptExistingAfter, w.state.ConfirmWithin, w.state.Unconfirmed = w.accept, w.confirm, !w.known
		w.tokens = []kept{{w.state.Token(graph), w.story}}
		living := func(action func(*rapid.T)) func(*rapid.T) {
			return func(t *rapid.T) {
				if w.ended {
					t.Skip("only a restart follows the end of a wait")
				}
				action(t)
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			read:         living(w.read),
			notFound:     living(func(t *rapid.T) { w.fails(t, notFound) }),
			withoutToken: living(func(t *rapid.T) { w.fails(t, withoutToken) }),
			serverError:  living(func(t *rapid.T) { w.fails(t, serverError) }),
			restart:      w.restart,
			"": func(t *rapid.T) {
				w.keepsTheRequest(t)
				if len(w.events) > 0 {
					w.looksAtTheNextLimit(t)
				}
			},
		})
	})
}

// Time passes by whichever clock says more: the wall clock may be set back, and the monotonic one sleeps with the machine.
func TestAge(t *testing.T) {
	t.Parallel()
	from := time.Now()
	later := func(monotonic, wall time.Duration) time.Time {
		at := from.Add(monotonic)
		// A time with both readings apart, as the wall clock's jump makes one.
		readings := (*struct {
			wall uint64
			ext  int64
		})(unsafe.Pointer(&at))
		readings.wall += uint64((wall-monotonic)/time.Second) << 30
		return at
	}
	for name, c := range map[string]struct{ monotonic, wall, want time.Duration }{
		"together":               {time.Minute, time.Minute, time.Minute},
		"none":                   {0, 0, 0},
		"the machine slept":      {time.Second, time.Hour, time.Hour},
		"the clock was set back": {time.Minute, -time.Hour, time.Minute},
	} {
		if got := wait.Age(from, later(c.monotonic, c.wall)); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
	if got := wait.Age(from.Round(0), from.Add(time.Minute)); got != time.Minute {
		t.Errorf("without a monotonic reading: %v", got)
	}
}
