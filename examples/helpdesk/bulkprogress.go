package main

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/cheggaaa/pb/v3"
	"github.com/go-intune/intune"
)

// bulkProgress shows how far a run has come: a bar on a terminal, now and then a line in a pipe.
type bulkProgress struct {
	screen *console
	total  int
	began  time.Time
	bar    *pb.ProgressBar // nil in a pipe
	ended  sync.Once

	mu              sync.Mutex
	counts          intune.Progress
	before          intune.Progress // of earlier runs
	opens           bool            // links are waited for
	paused          time.Time       // until when the service wants no requests
	said            time.Time       // the latest line in a pipe
	saidDone        int
	saidPausedUntil time.Time
}

const (
	barTemplate = `{{counters . }} {{bar . "[" "=" ">" " " "]" }} {{speed . "%s/s" "?/s" }} ` +
		`{{rtime . "%s left" "in %s" "" }} {{string . "note"}}`
	sayEvery = 10 * time.Second
)

func (j *job) bar(total int) *bulkProgress {
	p := &bulkProgress{screen: j.console, total: total, began: time.Now(), said: time.Now()}
	if !j.live || total == 0 {
		return p
	}
	p.bar = pb.ProgressBarTemplate(barTemplate).New(total)
	p.bar.SetWriter(barWriter{j.console})
	p.bar.Set(pb.Terminal, true)
	p.bar.Set(pb.ReturnSymbol, "\r")
	p.bar.Set(pb.CleanOnFinish, true) // the summary says it all
	p.bar.Set(pb.Color, j.color)
	p.bar.SetWidth(j.width)
	j.showsBar(true)
	p.bar.Start()
	return p
}

// many is for RequestRemoteAssistanceManyOptions.OnProgress.
func (p *bulkProgress) many(now intune.Progress) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.counts, p.paused = now, now.PausedUntil
	p.show()
}

// opening is for OpenRemoteAssistanceManyOptions.OnProgress.
func (p *bulkProgress) opening(now intune.Progress) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.opens, p.counts, p.paused = true, now, now.PausedUntil
	p.show()
}

// step is one device of an earlier run that is not waited for any more.
func (p *bulkProgress) step(d *device) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.opens = true
	switch d.outcome {
	case intune.OutcomeAccepted:
		p.before.Accepted++
	default:
		p.before.Unknown++
	}
	if d.session == sessionLink {
		p.before.Ready++
	}
	p.show()
}

// note is what the bar does not show.
func (p *bulkProgress) note() string {
	switch {
	case time.Until(p.paused) > 0:
		return "throttled until " + p.paused.Format(time.TimeOnly)
	case p.opens:
		return fmt.Sprintf("%d waiting, %s", p.counts.Waiting, plural(p.counts.Ready+p.before.Ready, "link"))
	}
	return ""
}

func (p *bulkProgress) show() {
	done, note := p.counts.Done()+p.before.Done(), p.note()
	if p.bar != nil {
		p.bar.SetCurrent(int64(done))
		p.bar.Set("note", note)
		return
	}
	tenth := p.total >= 20 && done*10/p.total > p.saidDone*10/p.total
	longer := p.paused.Sub(p.saidPausedUntil) > sayEvery/2 && time.Until(p.paused) > 0
	if !tenth && !longer && time.Since(p.said) < sayEvery {
		return
	}
	p.said, p.saidDone, p.saidPausedUntil = time.Now(), done, p.paused
	text := fmt.Sprintf("%d of %d done: %s", done, p.total, tally(p.all()))
	if elapsed := time.Since(p.began); done > 0 && done < p.total {
		each := elapsed / time.Duration(done)
		text += fmt.Sprintf("; %.1f a second, %s left",
			float64(done)/elapsed.Seconds(), (each * time.Duration(p.total-done)).Round(time.Second))
	}
	if note != "" {
		text += "; " + note
	}
	p.screen.say("%s", text)
}

func (p *bulkProgress) all() intune.Progress {
	all := p.counts
	all.Accepted, all.Unknown = all.Accepted+p.before.Accepted, all.Unknown+p.before.Unknown
	return all
}

// tally says what became of devices.
func tally(c intune.Progress) string {
	var parts []string
	for _, part := range []struct {
		n    int
		word string
	}{{c.Accepted, "accepted"}, {c.Rejected, "refused"}, {c.Unknown, "unknown"}, {c.NotSent, "not sent"}} {
		if part.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", part.n, part.word))
		}
	}
	if len(parts) == 0 {
		return "none"
	}
	return strings.Join(parts, ", ")
}

func (p *bulkProgress) end() {
	p.ended.Do(func() {
		if p.bar != nil {
			p.bar.Finish()
			p.screen.showsBar(false)
		}
	})
}
