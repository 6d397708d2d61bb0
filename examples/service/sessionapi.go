package main

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/go-intune/intune"
	"github.com/google/uuid"
)

// answerWithin is how long POST /sessions waits to learn whether the user was asked. Intune may ask the service to try
// later, which takes longer.
const answerWithin = 25 * time.Second

// sessionAPI are the handlers of sessions.
type sessionAPI struct {
	desk  *desk
	sites *streams
}

// post begins a session: {"device": "INTUNE-DEVICE-ID"}, with a key in the header Idempotency-Key.
func (a *sessionAPI) post(w http.ResponseWriter, r *http.Request, who *identity) {
	key := r.Header.Get("Idempotency-Key")
	if len(key) < 8 || !isPlain(key, 128) {
		refuse(w, r, kindNoKey.with(problemExtra{}))
		return
	}
	device, p := readDevice(r)
	if p != nil {
		refuse(w, r, p)
		return
	}
	a.desk.adopt(r.Context(), who)
	s, begun, p := a.desk.ask(r.Context(), who, device, key)
	if p != nil {
		refuse(w, r, p)
		return
	}
	view := untilAsked(r, s)
	if view.State == stateRefused {
		s.mu.Lock()
		p := s.problem
		s.mu.Unlock()
		refuse(w, r, p)
		return
	}
	w.Header().Set("Location", "/sessions/"+s.id)
	switch {
	case view.State == stateAsking:
		answer(w, http.StatusAccepted, view)
	case begun:
		answer(w, http.StatusCreated, view)
	default:
		answer(w, http.StatusOK, view)
	}
}

// readDevice is the address in the body.
func readDevice(r *http.Request) (intune.DeviceRef, *problem) {
	var body struct {
		Device string `json:"device"`
	}
	decoder := json.NewDecoder(r.Body)
	decoder.DisallowUnknownFields()
	if decoder.Decode(&body) != nil || decoder.More() || !isJSON(r) {
		return intune.DeviceRef{}, kindMalformed.with(problemExtra{})
	}
	return deviceOf(body.Device)
}

func deviceOf(text string) (intune.DeviceRef, *problem) {
	if uuid.Validate(text) != nil || len(text) != 36 {
		return intune.DeviceRef{}, kindNoDevice.with(problemExtra{})
	}
	return intune.Device(text), nil
}

// untilAsked is the session as soon as it is known whether the user was asked.
func untilAsked(r *http.Request, s *oldSession) sessionView {
	late := time.NewTimer(answerWithin)
	defer late.Stop()
	for {
		view, _, changed := s.view()
		if view.State != stateAsking {
			return view
		}
		select {
		case <-changed:
		case <-late.C:
			return view
		case <-r.Context().Done():
			return view
		}
	}
}

// list is the technician's history.
func (a *sessionAPI) list(w http.ResponseWriter, r *http.Request, who *identity) {
	a.desk.adopt(r.Context(), who)
	answer(w, http.StatusOK, map[string]any{"sessions": a.desk.history(who.key, 50)})
}

// one passes on the session of the path, if it is the technician's own.
func (a *sessionAPI) one(
	next func(http.ResponseWriter, *http.Request, *identity, *oldSession),
) func(http.ResponseWriter, *http.Request, *identity) {
	return func(w http.ResponseWriter, r *http.Request, who *identity) {
		a.desk.adopt(r.Context(), who)
		s := a.desk.find(who.key, r.PathValue("id"))
		if s == nil {
			refuse(w, r, kindNotFound.with(problemExtra{}))
			return
		}
		next(w, r, who, s)
	}
}

func (a *sessionAPI) get(w http.ResponseWriter, _ *http.Request, _ *identity, s *oldSession) {
	view, _, _ := s.view()
	answer(w, http.StatusOK, view)
}

// wait goes on waiting after a wait that ended without a link.
func (a *sessionAPI) wait(w http.ResponseWriter, r *http.Request, who *identity, s *oldSession) {
	if p := a.desk.waitOn(r.Context(), who, s); p != nil {
		refuse(w, r, p)
		return
	}
	view, _, _ := s.view()
	answer(w, http.StatusAccepted, view)
}

// link is the only answer of the service that has a link. It is a POST, so that no prefetch uses the link up.
func (a *sessionAPI) link(w http.ResponseWriter, r *http.Request, who *identity, s *oldSession) {
	link, p := a.desk.takeLink(r.Context(), who, s)
	if p != nil {
		refuse(w, r, p)
		return
	}
	answer(w, http.StatusOK, map[string]string{"link": link.Reveal()})
}
