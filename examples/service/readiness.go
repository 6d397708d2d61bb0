package main

import (
	"context"
	"log/slog"
	"net/http"

	"github.com/go-intune/intune/readiness"
)

// readinessView is what a technician hears of [readiness.Check].
type readinessView struct {
	Ready  bool        `json:"ready"`
	Checks []checkView `json:"checks"`
}

type checkView struct {
	Name   string `json:"name"`
	Status string `json:"status"`
	Detail string `json:"detail"`
	Advice string `json:"advice,omitempty"`
}

// readinessAPI checks devices. The remedies of the library name apps, permissions and settings, and go to the log.
type readinessAPI struct{ log *slog.Logger }

func (a *readinessAPI) get(w http.ResponseWriter, r *http.Request, who *identity) {
	device, p := deviceOf(r.PathValue("id"))
	if p != nil {
		refuse(w, r, p)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), searchWithin)
	defer cancel()
	ready, err := readiness.Check(ctx, who.client, device, nil)
	if err != nil {
		refuse(w, r, problemFrom(err))
		return
	}
	view := readinessView{Ready: ready.OK()}
	for _, check := range ready.Checks {
		view.Checks = append(view.Checks, forTechnician(check))
		if check.Remedy != "" {
			level := slog.LevelWarn
			if check.Status == readiness.Warn {
				level = slog.LevelInfo
			}
			a.log.LogAttrs(ctx, level, "readiness", slog.String("requestId", requestIDOf(ctx)),
				slog.String("device", device.DeviceID()), slog.String("check", check.Name), slog.String("status", string(check.Status)),
				slog.String("detail", check.Detail), slog.String("remedy", check.Remedy))
		}
	}
	answer(w, http.StatusOK, view)
}

// forTechnician has the library's detail only where it is about the device. About the tenant and the app, a technician can
// do nothing but tell somebody.
func forTechnician(check readiness.Result) checkView {
	view := checkView{Name: check.Name, Status: string(check.Status), Detail: check.Detail}
	isBad := check.Status != readiness.Pass
	advice := map[string]string{
		readiness.Device:     "Search for the device again.",
		readiness.Management: "Give the device's name to your administrator.",
		readiness.Platform:   "Help this user in another way.",
		readiness.Sync:       "Ask the user to switch the device on, connect it, and sync it in Company Portal.",
		readiness.User:       "There may be nobody at the device who can agree.",
		readiness.Session:    "A link from before may still be there. The service waits for a new one.",
	}
	switch check.Name {
	case readiness.Device, readiness.Management, readiness.Platform, readiness.Sync,
		readiness.User, readiness.Session:
		if isBad {
			view.Advice = advice[check.Name]
		}
		return view
	}
	switch check.Status {
	case readiness.Pass, readiness.Warn: // a warning about the tenant is for the operator
		view.Status, view.Detail = string(readiness.Pass), "In order."
	default:
		view.Detail = "Not in order, or could not be checked."
		view.Advice = "Give the request id of this answer to your administrator."
	}
	return view
}
