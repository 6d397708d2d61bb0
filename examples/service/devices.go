package main

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/go-intune/intune"
	"github.com/google/uuid"
)

const (
	// maxFound is how many devices a search shows.
	maxFound = 20
	// maxPages is how many pages of a list a search reads. There are many only if Intune ignores a filter, as it does at times.
	maxPages = 10
	// leastPart is how many characters of a name have to be known. Fewer would find nearly every device.
	leastPart = 3
	// longestText bounds the texts of a device, which anybody may have chosen.
	longestText = 256
	// searchWithin bounds the calls that only read.
	searchWithin = 30 * time.Second
)

// deviceView is a device as a technician needs it, and no more.
type deviceView struct {
	ID             string     `json:"id"`
	Name           string     `json:"name"`
	SerialNumber   string     `json:"serialNumber,omitempty"`
	User           string     `json:"user,omitempty"`
	SignInName     string     `json:"signInName,omitempty"`
	System         string     `json:"system,omitempty"`
	Model          string     `json:"model,omitempty"`
	Compliance     string     `json:"compliance,omitempty"`
	ComplianceText string     `json:"complianceText,omitempty"`
	LastSync       *time.Time `json:"lastSync,omitempty"`
	Match          match      `json:"match,omitempty"` // in the answer to a search
}

// match is how a device was found.
type match string

const (
	matchExact match = "exact" // the whole id, serial number, name, or sign-in name
	matchPart  match = "part"  // a part of the name
)

// foundView is the answer to a search.
type foundView struct {
	Devices []deviceView `json:"devices"`
	More    bool         `json:"more"`
	// Parts says that names were searched for the text as a part of them, and not only for what is equal to it.
	Parts bool `json:"parts"`
}

// deviceProperties are what deviceView shows.
func deviceProperties() []string {
	return []string{
		"deviceName", "serialNumber", "userDisplayName", "userPrincipalName", "operatingSystem", "osVersion", "manufacturer",
		"model", "complianceState", "lastSyncDateTime",
	}
}

func viewDevice(d *intune.ManagedDevice) deviceView {
	v := deviceView{
		ID: d.ID, Name: cut(d.DeviceName), SerialNumber: cut(d.SerialNumber), User: cut(d.UserDisplayName),
		SignInName: cut(d.UserPrincipalName), System: cut(strings.TrimSpace(d.OperatingSystem + " " + d.OSVersion)),
		Model:      cut(strings.TrimSpace(d.Manufacturer + " " + d.Model)),
		Compliance: cut(string(d.ComplianceState)), ComplianceText: complianceText(d.ComplianceState),
	}
	if d.LastSyncDateTime.Year() > 1 {
		v.LastSync = new(d.LastSyncDateTime.UTC())
	}
	return v
}

// cut is the beginning of a text that is too long.
func cut(text string) string {
	n := 0
	for i := range text {
		if n++; n > longestText {
			return text[:i] + "…"
		}
	}
	return text
}

// getDevices finds devices by ?q=, which is an Intune id, a serial number, the sign-in name of a user, the name of a device or
// a part of one. Of the other properties, Intune finds no parts.
func getDevices(w http.ResponseWriter, r *http.Request, who *identity) {
	query := r.URL.Query().Get("q")
	text := withoutHidden(query)
	if text == "" || len(text) > 200 || !utf8.ValidString(query) {
		refuse(w, r, kindMalformed.with(problemExtra{}))
		return
	}
	if strings.ContainsFunc(text, unicode.IsControl) { // the library would refuse it too, and quote it for the log
		refuse(w, r, kindMalformed.saying("What to look for should be one line, without tabs."))
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), searchWithin)
	defer cancel()
	found, err := search(ctx, who.client, text)
	if err != nil {
		refuse(w, r, problemFrom(err))
		return
	}
	answer(w, http.StatusOK, found)
}

// withoutHidden is a text without format characters, which come along when people copy, and which the library refuses.
func withoutHidden(text string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Cf, r) {
			return -1
		}
		return r
	}, text))
}

// search finds the devices that the whole text tells, and after them those that have it in their name.
func search(ctx context.Context, client *intune.Client, text string) (foundView, error) {
	s := deviceSearch{client: client, seen: map[string]bool{}, found: foundView{Devices: []deviceView{}}}
	if id, err := uuid.Parse(text); err == nil {
		device, err := client.GetDevice(ctx, intune.Device(id.String()), &intune.GetDeviceOptions{Select: deviceProperties()})
		if err == nil {
			s.add(&device.ManagedDevice, matchExact)
			return s.found, nil
		}
		if !errors.Is(err, intune.ErrNotFound) { // the serial numbers of some virtual machines look so too
			return foundView{}, err
		}
	}
	s.found.Parts = !strings.Contains(text, "@") && utf8.RuneCountInString(text) >= leastPart
	for _, step := range []struct {
		filter intune.DeviceFilter
		how    match
		apt    bool
	}{
		{intune.DeviceFilter{UserPrincipalName: text}, matchExact, strings.Contains(text, "@")},
		// Many machines without a serial number have the same placeholder.
		{intune.DeviceFilter{SerialNumber: text}, matchExact, !strings.Contains(text, "@") && strings.Trim(text, "0- ") != ""},
		{intune.DeviceFilter{DeviceName: text}, matchExact, !strings.Contains(text, "@")},
		{intune.DeviceFilter{DeviceNameContains: text}, matchPart, s.found.Parts},
	} {
		if !step.apt || s.found.More {
			continue
		}
		if err := s.list(ctx, step.filter, step.how); err != nil {
			return foundView{}, err
		}
	}
	return s.found, nil
}

// deviceSearch collects what several lists have.
type deviceSearch struct {
	client *intune.Client
	found  foundView
	seen   map[string]bool
}

func (s *deviceSearch) list(ctx context.Context, filter intune.DeviceFilter, how match) error {
	pager := s.client.NewListDevicesPager(intune.AllDevices(), &intune.ListDevicesOptions{
		Filter: filter, Select: deviceProperties(), Top: maxFound + 1,
	})
	for page := 0; pager.More() && !s.found.More; page++ {
		if page == maxPages {
			s.found.More = true
			break
		}
		got, err := pager.NextPage(ctx)
		if err != nil {
			return err
		}
		for i := range got.Value {
			s.add(&got.Value[i], how)
		}
	}
	return nil
}

func (s *deviceSearch) add(device *intune.ManagedDevice, how match) {
	switch {
	case s.seen[device.ID]:
		return
	case len(s.found.Devices) == maxFound:
		s.found.More = true
		return
	}
	s.seen[device.ID] = true
	view := viewDevice(device)
	view.Match = how
	s.found.Devices = append(s.found.Devices, view)
}

// getDevice shows one device.
func getDevice(w http.ResponseWriter, r *http.Request, who *identity) {
	device, p := deviceOf(r.PathValue("id"))
	if p != nil {
		refuse(w, r, p)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), searchWithin)
	defer cancel()
	found, err := who.client.GetDevice(ctx, device, &intune.GetDeviceOptions{Select: deviceProperties()})
	if err != nil {
		refuse(w, r, problemFrom(err))
		return
	}
	answer(w, http.StatusOK, viewDevice(&found.ManagedDevice))
}
