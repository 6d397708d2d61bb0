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
	// searchWithin bounds the calls that only read.
	searchWithin = 30 * time.Second
)

// deviceView is a device as a technician needs it, and no more.
type deviceView struct {
	ID           string     `json:"id"`
	Name         string     `json:"name"`
	SerialNumber string     `json:"serialNumber,omitempty"`
	User         string     `json:"user,omitempty"`
	SignInName   string     `json:"signInName,omitempty"`
	System       string     `json:"system,omitempty"`
	Model        string     `json:"model,omitempty"`
	Compliance   string     `json:"compliance,omitempty"`
	LastSync     *time.Time `json:"lastSync,omitempty"`
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
		ID: d.ID, Name: d.DeviceName, SerialNumber: d.SerialNumber, User: d.UserDisplayName, SignInName: d.UserPrincipalName,
		System: strings.TrimSpace(d.OperatingSystem + " " + d.OSVersion), Model: strings.TrimSpace(d.Manufacturer + " " + d.Model),
		Compliance: string(d.ComplianceState),
	}
	if d.LastSyncDateTime.Year() > 1 {
		v.LastSync = new(d.LastSyncDateTime.UTC())
	}
	return v
}

// getDevices finds devices by ?q=, which is a serial number, the name of a device, the sign-in name of its user, or an
// Intune id. Intune has no search for parts of words.
func getDevices(w http.ResponseWriter, r *http.Request, who *identity) {
	query := r.URL.Query().Get("q")
	text := withoutHidden(query)
	if text == "" || len(text) > 200 || !utf8.ValidString(query) {
		refuse(w, r, kindMalformed.with(problemExtra{}))
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), searchWithin)
	defer cancel()
	found, more, err := search(ctx, who.client, text)
	if err != nil {
		refuse(w, r, problemFrom(err))
		return
	}
	answer(w, http.StatusOK, map[string]any{"devices": found, "more": more})
}

// withoutHidden is a text without what nobody sees, which comes along when people copy, and which the library refuses.
func withoutHidden(text string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Cf, r) {
			return -1
		}
		return r
	}, text))
}

func search(ctx context.Context, client *intune.Client, text string) (found []deviceView, more bool, err error) {
	found = []deviceView{}
	if id, err := uuid.Parse(text); err == nil {
		device, err := client.GetDevice(ctx, intune.Device(id.String()), &intune.GetDeviceOptions{Select: deviceProperties()})
		if err == nil {
			return append(found, viewDevice(&device.ManagedDevice)), false, nil
		}
		if !errors.Is(err, intune.ErrNotFound) { // the serial numbers of some virtual machines look so too
			return nil, false, err
		}
	}
	filters := []intune.DeviceFilter{{SerialNumber: text}, {DeviceName: text}}
	if strings.Contains(text, "@") {
		filters = []intune.DeviceFilter{{UserPrincipalName: text}}
	}
	seen := map[string]bool{}
	for _, filter := range filters {
		if strings.Trim(filter.SerialNumber, "0- ") == "" && filter.SerialNumber != "" {
			continue // the placeholder of machines without a serial number
		}
		options := &intune.ListDevicesOptions{Filter: filter, Select: deviceProperties(), Top: maxFound + 1}
		for device, err := range client.Devices(ctx, intune.AllDevices(), options) {
			if err != nil {
				return nil, false, err
			}
			if seen[device.ID] {
				continue
			}
			if len(found) == maxFound {
				return found, true, nil
			}
			seen[device.ID] = true
			found = append(found, viewDevice(&device))
		}
	}
	return found, false, nil
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
