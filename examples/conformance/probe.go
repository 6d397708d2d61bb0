package main

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-intune/intune"
)

// verdict is what was found out about a fact.
type verdict plain

const (
	confirmed    verdict = "confirmed"
	contradicted verdict = "contradicted"
	notTried     verdict = "not tried"
)

// finding is a verdict with what was seen.
type finding struct {
	verdict verdict
	seen    plain
}

// need is what a fact needs besides reading.
type need int

const (
	needNothing need = iota
	needSession      // -i-own-this-device
	needAgain        // -prompt-again, any
	needAgainUser
	needAgainApp
	needAgainBatch
)

// fact is something that the library or its test kit rests on.
type fact struct {
	id, claim plain
	// source begins with its strength: documented, reported, inferred.
	source plain
	need   need
	check  func(context.Context, *probe) finding
}

// place is where the facts are looked at: a tenant, real or in memory.
type place struct {
	wire   *wire
	client *intune.Client
	token  intune.TokenInfo
	now    func() time.Time
	pause  func(context.Context, time.Duration) error
}

// probe goes through the facts, and remembers what several of them need.
type probe struct {
	*redactor
	place
	options options

	sample   *answer // the first rows of the list of devices
	entity   *answer // the device itself, without $select
	noDevice *answer // a device that does not exist
	late     *lateValues
	apps     *appSample
	session  *sessionTrace
	again    map[string]*againTrace
	replaced *replacement
}

func newProbe(at place, o options) *probe {
	return &probe{redactor: newRedactor(), place: at, options: o, again: map[string]*againTrace{}}
}

// result is a fact and what was found.
type result struct {
	fact    *fact
	finding finding
}

// run checks all facts in order. What is left when ctx ends was not tried.
func (p *probe) run(ctx context.Context, progress func(result)) []result {
	facts := allFacts()
	results := make([]result, 0, len(facts))
	for i := range facts {
		f := &facts[i]
		r := result{fact: f}
		switch missing := p.missing(f.need); {
		case ctx.Err() != nil:
			r.finding = p.notTried("interrupted")
		case missing != "":
			r.finding = p.notTried("needs %s", missing)
		default:
			r.finding = f.check(ctx, p)
		}
		results = append(results, r)
		progress(r)
	}
	return results
}

// missing are the flags that a fact needs and that were not given.
func (p *probe) missing(n need) plain {
	o := &p.options
	way := map[need]string{needAgainUser: againUser, needAgainApp: againApp, needAgainBatch: againBatch}[n]
	switch {
	case n == needNothing:
		return ""
	case !o.owned:
		return "-device ID -i-own-this-device" + again(n, way)
	case n == needAgain && len(o.again) == 0, way != "" && !slices.Contains(o.again, way):
		return plain(strings.TrimSpace(string(again(n, way))))
	default:
		return ""
	}
}

func again(n need, way string) plain {
	switch {
	case n == needSession:
		return ""
	case way == "":
		return " -prompt-again user, app or batch"
	default:
		return plain(" -prompt-again " + way)
	}
}

func (p *probe) confirmed(format plain, values ...any) finding {
	return finding{confirmed, p.say(format, values...)}
}

func (p *probe) contradicted(format plain, values ...any) finding {
	return finding{contradicted, p.say(format, values...)}
}

func (p *probe) notTried(format plain, values ...any) finding {
	return finding{notTried, p.say(format, values...)}
}

// judge confirms if true.
func (p *probe) judge(ok bool, format plain, values ...any) finding {
	if ok {
		return p.confirmed(format, values...)
	}
	return p.contradicted(format, values...)
}

// describe is an answer in a few words.
func (p *probe) describe(a *answer) plain {
	if a.err != nil {
		return p.say("no answer: %s", p.reason(a.err))
	}
	e := a.graphError()
	depth, sentence := e.nested()
	switch {
	case len(a.body) > 0 && a.record() == nil:
		return p.say("HTTP %d with a body that is no JSON object", a.status)
	case e.Code == "" && e.Message == "":
		return p.say("HTTP %d", a.status)
	case depth > 0:
		return p.say("HTTP %d, code %s, JSON nested %d deep: %s", a.status, e.Code, depth, sentence)
	default:
		return p.say("HTTP %d, code %s: %s", a.status, e.Code, sentence)
	}
}

// reason is an error in words of the library's own if it is the library's, since a redacted sentence of it says little.
func (p *probe) reason(err error) plain {
	for _, known := range []error{
		intune.ErrOutcomeUnknown, intune.ErrUnauthenticated, intune.ErrThrottled, intune.ErrUnavailable, intune.ErrInvalidArgument,
	} {
		if errors.Is(err, known) {
			return plain(known.Error())
		}
	}
	return p.say("%s", err)
}

// foreign reports whether it is not Graph that answers: a proxy or a sign-in page in between redirects, or writes HTML.
func (a *answer) foreign() bool {
	return a.err != nil || a.status >= 300 && a.status < 400 || len(a.body) > 0 && a.record() == nil
}

// forbidden reports whether Graph or Intune refuses the caller, as a fact may say.
func (a *answer) forbidden() bool { return a.status == http.StatusForbidden && !a.foreign() }

// mute reports whether an answer says nothing about a fact, because the service did not get as far.
func (a *answer) mute() bool {
	if a.foreign() || a.status >= http.StatusInternalServerError {
		return true
	}
	switch a.status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusProxyAuthRequired, http.StatusRequestTimeout, http.StatusTooManyRequests:
		return true
	default:
		return false
	}
}

// object is the JSON of an answer that should be a success. Without one, the finding says why.
func (p *probe) object(a *answer) (record, *finding) {
	var f finding
	switch {
	case a.mute():
		f = p.notTried("%s", p.describe(a))
	case a.status != http.StatusOK:
		f = p.contradicted("%s", p.describe(a))
	default:
		r := a.record()
		if r != nil {
			return r, nil
		}
		f = p.contradicted("HTTP %d without a body", a.status)
	}
	return nil, &f
}

const (
	devicesPath = "/deviceManagement/managedDevices"
	appsPath    = "/deviceManagement/detectedApps"
	// nobody is a GUID that no object has, version 4 with all zeros but the last digit.
	nobody = "00000000-0000-4000-8000-000000000001"
)

// list reads a page.
func (p *probe) list(ctx context.Context, path, query string) (record, *finding) {
	if query != "" {
		query = "?" + query
	}
	page, f := p.object(p.wire.get(ctx, path+query))
	if f != nil {
		return nil, f
	}
	if _, ok := page["value"].([]any); !ok {
		f := p.contradicted("HTTP 200 without the array value")
		return nil, &f
	}
	return page, nil
}

// sampleQuery asks for the devices that the facts are checked with.
const sampleQuery = "$top=20"

// devices are the first devices of the list. That the list cannot be read is reported by one fact alone.
func (p *probe) devices(ctx context.Context) ([]record, *finding) {
	if p.sample == nil {
		p.sample = p.wire.get(ctx, devicesPath+"?"+sampleQuery)
	}
	if rows := p.sample.record().rows(); p.sample.err == nil && p.sample.status == http.StatusOK && len(rows) > 0 {
		return rows, nil
	}
	f := p.notTried("no device can be listed: %s", p.describe(p.sample))
	return nil, &f
}

// deviceID is the device of -device, or the first one of the list that has a user.
func (p *probe) deviceID(ctx context.Context) (string, *finding) {
	if p.options.device != "" {
		return p.options.device, nil
	}
	rows, f := p.devices(ctx)
	if f != nil {
		return "", f
	}
	for _, row := range rows {
		if row.filled("userId") {
			return row.text("id"), nil
		}
	}
	return rows[0].text("id"), nil
}

func devicePath(id string) string { return devicesPath + "/" + url.PathEscape(id) }

// device is the record of the device.
func (p *probe) device(ctx context.Context) (record, *finding) {
	id, f := p.deviceID(ctx)
	if f != nil {
		return nil, f
	}
	if p.entity == nil {
		p.entity = p.wire.get(ctx, devicePath(id))
	}
	r := p.entity.record()
	if inner, ok := r["value"].(map[string]any); ok {
		r = inner // one fact is about this form; the others can do with it
	}
	if p.entity.err == nil && p.entity.status == http.StatusOK && r.text("id") != "" {
		return r, nil
	}
	problem := p.notTried("the device cannot be read: %s", p.describe(p.entity))
	return nil, &problem
}
