package intunetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-intune/intune"
)

// refusals asks again for a device that was asked, and with an id that was used. A journal may take either.
func (s *journalSuite) refusals() {
	s.usedID("an id that was used for the device", func(first *journalCase) *journalCase { return first })
	s.usedID("an id that was used for another device", func(first *journalCase) *journalCase {
		other := s.newCase("")
		other.id = first.id
		return other
	})
	s.busyDevice("a device that is waited for", func(device intune.DeviceRef) intune.DeviceRef { return device })
	s.busyDevice("a device that is waited for at another address", func(device intune.DeviceRef) intune.DeviceRef {
		return intune.UserDevice("anna@contoso.com", device.DeviceID())
	})
}

// usedID asks with an id whose request is over.
func (s *journalSuite) usedID(name string, again func(first *journalCase) *journalCase) {
	first := s.newCase(name)
	first.write(first.asking(newToken()))
	first.write(first.asked(intune.OutcomeAccepted, newToken()))
	first.write(first.ended(intune.SessionReady))
	second := again(first)
	second.name = name
	second.offer(second.asking(newToken()), func(err error) bool {
		used, ok := errors.AsType[*intune.AlreadyAskedError](err)
		if !ok {
			return s.refused(name, err, second.device)
		}
		if r := used.Request; keyOf(r) != (requestKey{first.device, first.id}) || r.Outcome() != intune.OutcomeAccepted {
			s.fault("%s: the Request of the AlreadyAskedError is not the earlier one: its entries are of %#v, id %s, outcome %s",
				name, keyOf(r).device, short(keyOf(r).id), r.Outcome())
		}
		return true
	})
	s.compare(slices.Compact([]*journalCase{first, second})...)
}

// busyDevice asks for a device while a wait for it goes on.
func (s *journalSuite) busyDevice(name string, at func(intune.DeviceRef) intune.DeviceRef) {
	c := s.newCase(name)
	c.write(c.asking(newToken()))
	c.write(c.asked(intune.OutcomeAccepted, newToken()))
	again := c.asking(newToken())
	again.Device, again.ClientRequestID = at(c.device), newKey()
	taken := c.offer(again, func(err error) bool { return s.refused(name, err, c.device) })
	s.compareBusy(c, taken)
	c.offer(c.ended(intune.SessionReady), func(err error) bool { return taken && superseded(err) })
	s.compareBusy(c, taken)
}

// compareBusy compares, except that a journal that lets another request take the device may end the first one.
func (s *journalSuite) compareBusy(c *journalCase, taken bool) {
	got, ok := s.read(s.store, c)
	if !ok || c.failed {
		return
	}
	requests := got[c.device.DeviceID()]
	for i := range requests {
		if taken && requests[i].Ended.Session == intune.SessionSuperseded {
			requests[i].Ended = intune.JournalEntry{}
		}
	}
	for _, difference := range differences(requests, requestsOf(c.written)) {
		s.fault("%s: %s", c.name, difference)
	}
}

// refused tells what is wrong with an error of Asking, and reports true, since nothing must be recorded in any case.
func (s *journalSuite) refused(name string, err error, device intune.DeviceRef) bool {
	busy, ok := errors.AsType[*intune.DeviceBusyError](err)
	switch {
	case !ok:
		s.fault("%s: Asking returned an error that errors.As finds neither a *DeviceBusyError nor an *AlreadyAskedError in: %w", name, err)
	case busy.Device.DeviceID() != device.DeviceID():
		s.fault("%s: the Device of the DeviceBusyError is %#v, want %#v", name, busy.Device, device)
	}
	return true
}

// concurrency calls each method for many devices at once.
func (s *journalSuite) concurrency() {
	var cases []*journalCase
	for i := range 24 {
		cases = append(cases, s.newCase(fmt.Sprintf("device %d of 24 at once", i+1)))
	}
	for _, next := range []func(*journalCase) intune.JournalEntry{
		func(c *journalCase) intune.JournalEntry { return c.asking(newToken()) },
		func(c *journalCase) intune.JournalEntry { return c.asked(intune.OutcomeAccepted, newToken()) },
		func(c *journalCase) intune.JournalEntry { return c.ended(intune.SessionReady) },
	} {
		start := make(chan struct{})
		var group sync.WaitGroup
		for _, c := range cases {
			group.Go(func() {
				entry := next(c)
				<-start
				c.write(entry)
			})
		}
		close(start)
		group.Wait()
	}
	s.compare(cases...)
}

// readWhileWritten reads as long as others write. What was written before it begins must be there, and what is written
// meanwhile may be.
func (s *journalSuite) readWhileWritten() {
	const writers, rounds, each = 3, 5, 3
	type progress struct {
		*journalCase

		entries     []intune.JournalEntry
		begun, done int  // how many of them
		broken      bool // the journal did not take one, and that is told
	}
	var mu sync.Mutex
	var cases []*progress
	var group sync.WaitGroup
	for i := range writers {
		var own []*progress
		for range rounds {
			c := s.newCase(fmt.Sprintf("by writer %d", i+1))
			entries := []intune.JournalEntry{
				c.asking(newToken()), c.asked(intune.OutcomeAccepted, newToken()), c.ended(intune.SessionReady),
			}
			own = append(own, &progress{journalCase: c, entries: entries})
		}
		cases = append(cases, own...)
		group.Go(func() {
			for at := range rounds * each {
				p := own[at/each]
				mu.Lock()
				p.begun++
				mu.Unlock()
				p.write(p.entries[at%each])
				mu.Lock()
				p.done, p.broken = p.done+1, p.failed
				mu.Unlock()
			}
		})
	}
	finished := make(chan struct{})
	go func() { group.Wait(); close(finished) }()
	plain := make([]*journalCase, len(cases))
	for i, p := range cases {
		plain[i] = p.journalCase
	}
	before := make([]int, len(cases))
	for n, last := 0, false; !last; n++ {
		pause := time.Duration(0)
		if n >= 10 {
			pause = time.Millisecond // let them go on
		}
		select {
		case <-finished:
			last = true
		case <-time.After(pause):
		}
		mu.Lock()
		for i, p := range cases {
			before[i] = p.done
		}
		mu.Unlock()
		got, ok := s.read(s.store, plain...)
		if !ok {
			break
		}
		mu.Lock()
		for i, p := range cases {
			wrong := differences(got[p.device.DeviceID()], requestsOf(p.entries[:before[i]]))
			for more := before[i] + 1; more <= p.begun && len(wrong) > 0; more++ {
				if len(differences(got[p.device.DeviceID()], requestsOf(p.entries[:more]))) == 0 {
					wrong = nil
				}
			}
			if len(wrong) > 0 && !p.broken {
				s.fault("%s: %s", p.name, strings.Join(wrong, "; "))
			}
		}
		mu.Unlock()
	}
	<-finished
}

func (s *journalSuite) readAnew() {
	c := s.newCase("after a loop that was left at the first entry")
	c.write(c.asking(newToken()))
	c.write(c.asked(intune.OutcomeAccepted, newToken()))
	for range 2 {
		err := s.call("read", func(context.Context) error {
			for _, err := range s.store.entries() {
				return err
			}
			return nil
		})
		if err != nil && !errors.Is(err, errStopped) {
			s.fault("a loop that was left at the first entry: %w", err)
		}
		s.compare(c)
	}
}

// secondOpen compares two journals, if they share a store. The holder of a wait may be the only one who can end it.
func (s *journalSuite) secondOpen() {
	first, waits := s.newCase("a request of the first journal"), s.newCase("a wait that the second journal ends")
	for _, c := range []*journalCase{first, waits} {
		c.write(c.asking(newToken()))
		c.write(c.asked(intune.OutcomeAccepted, newToken()))
	}
	second := s.openStore()
	if second == nil {
		return
	}
	got, ok := s.read(second, first, waits)
	if !ok {
		return
	}
	never := func(error) bool { return false }
	own := s.newCase("a request of the second journal")
	own.writeTo(second, own.asking(newToken()), never)
	own.writeTo(second, own.asked(intune.OutcomeAccepted, newToken()), never)
	if len(got) == 0 {
		s.compareIn(second, own)
		return
	}
	waits.writeTo(second, waits.ended(intune.SessionReady), superseded)
	s.compareIn(second, first, waits, own)
	s.compareIn(s.store, first, waits, own)
}
