package main

import (
	"net/http"
	"time"

	"github.com/go-intune/intune"
	"github.com/google/uuid"
)

// sessionAPI are the handlers of sessions.
type sessionAPI struct {
	desk       *desk
	streams    *streams
	references referenceRules
}

// post begins a session: {"device": "INTUNE-DEVICE-ID", "reference": "TICKET"}, with a key in the header Idempotency-Key.
func (a *sessionAPI) post(w http.ResponseWriter, r *http.Request, who *identity) {
	key := r.Header.Get("Idempotency-Key")
	if len(key) < 8 || !isPlain(key, 128) {
		refuse(w, r, kindNoKey.with(problemExtra{}))
		return
	}
	wanted, p := readAsk(r, a.references)
	if p != nil {
		refuse(w, r, p)
		return
	}
	a.desk.adopt(r.Context(), who)
	s, begun, p := a.desk.ask(r.Context(), who, wish{device: wanted.device, reference: wanted.reference, key: key})
	if p != nil {
		refuse(w, r, p)
		return
	}
	w.Header().Set("Location", prefixOf(r.Context())+"/sessions/"+s.id)
	status := http.StatusOK
	switch {
	case s.state == stateAsking:
		status = http.StatusAccepted
	case begun:
		status = http.StatusCreated
	}
	answer(w, status, s.view(prefixOf(r.Context()), time.Now()))
}

// isGUID says that a text is a GUID in the form of Entra and Intune.
func isGUID(text string) bool { return uuid.Validate(text) == nil && len(text) == 36 }

func deviceOf(text string) (intune.DeviceRef, *problem) {
	if !isGUID(text) {
		return intune.DeviceRef{}, kindNoDevice.with(problemExtra{})
	}
	return intune.Device(text), nil
}

// maxHistory is how many sessions the history shows.
const maxHistory = 50

// list is the technician's history.
func (a *sessionAPI) list(w http.ResponseWriter, r *http.Request, who *identity) {
	a.desk.adopt(r.Context(), who)
	list, err := a.desk.store.history(r.Context(), who.key, maxHistory)
	if err != nil {
		refuse(w, r, recordProblem(err))
		return
	}
	views := make([]sessionView, len(list))
	for i, s := range list {
		views[i] = s.view(prefixOf(r.Context()), time.Now())
	}
	answer(w, http.StatusOK, map[string]any{"sessions": views})
}

// one passes on the session of the path, if it is the technician's own.
func (a *sessionAPI) one(
	next func(http.ResponseWriter, *http.Request, *identity, *session),
) func(http.ResponseWriter, *http.Request, *identity) {
	return func(w http.ResponseWriter, r *http.Request, who *identity) {
		a.desk.adopt(r.Context(), who)
		s, p := a.desk.find(r.Context(), who.key, r.PathValue("id"))
		if p != nil {
			refuse(w, r, p)
			return
		}
		next(w, r, who, s)
	}
}

func (a *sessionAPI) get(w http.ResponseWriter, r *http.Request, _ *identity, s *session) {
	answer(w, http.StatusOK, s.view(prefixOf(r.Context()), time.Now()))
}

// wait goes on waiting after a wait that ended without a link.
func (a *sessionAPI) wait(w http.ResponseWriter, r *http.Request, who *identity, s *session) {
	p := a.desk.waitOn(r.Context(), who, s)
	if p == nil {
		s, p = a.desk.find(r.Context(), who.key, s.id)
	}
	if p != nil {
		refuse(w, r, p)
		return
	}
	answer(w, http.StatusAccepted, s.view(prefixOf(r.Context()), time.Now()))
}

// link is the only answer of the service that has a link. It is a POST, so that no prefetch uses the link up.
func (a *sessionAPI) link(w http.ResponseWriter, r *http.Request, who *identity, s *session) {
	link, p := a.desk.takeLink(r.Context(), who, s)
	if p != nil {
		refuse(w, r, p)
		return
	}
	answer(w, http.StatusOK, map[string]string{"link": link.Reveal()})
}
