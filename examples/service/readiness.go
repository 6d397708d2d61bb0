package main

import (
	"context"
	"log/slog"
	"net/http"

	"github.com/go-intune/intune/readiness"
)

// readinessView is what a technician hears of [readiness.Check].
type readinessView struct {
	Ready   bool         `json:"ready"`
	Results []resultView `json:"results"`
}

type resultView struct {
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
	report, err := readiness.Check(ctx, who.client, device, nil)
	if err != nil {
		refuse(w, r, problemFrom(err))
		return
	}
	view := readinessView{Ready: report.OK()}
	for _, result := range report.Results {
		view.Results = append(view.Results, forTechnician(result))
		if result.Remedy != "" {
			level := slog.LevelWarn
			if result.Status == readiness.StatusWarn {
				level = slog.LevelInfo
			}
			a.log.LogAttrs(ctx, level, "readiness", slog.String("requestId", requestIDOf(ctx)),
				slog.String("device", device.DeviceID()), slog.String("check", result.Name), slog.String("status", string(result.Status)),
				slog.String("detail", result.Detail), slog.String("remedy", result.Remedy))
		}
	}
	answer(w, http.StatusOK, view)
}

// forTechnician has the library's detail only where it is about the device. About the tenant and the app, a technician can
// do nothing but tell somebody.
func forTechnician(result readiness.Result) resultView {
	view := resultView{Name: result.Name, Status: string(result.Status), Detail: result.Detail}
	isBad := result.Status != readiness.StatusPass
	advice := map[string]string{
		readiness.NameDevice:     "Search for the device again.",
		readiness.NameManagement: "Give the device's name to your administrator.",
		readiness.NamePlatform:   "Help this user in another way.",
		readiness.NameSync:       "Ask the user to switch the device on, connect it, and sync it in Company Portal.",
		readiness.NameUser:       "There may be nobody at the device who can agree.",
		readiness.NameSession:    "A link from before may still be there. The service waits for a new one.",
	}
	switch result.Name {
	case readiness.NameDevice, readiness.NameManagement, readiness.NamePlatform, readiness.NameSync,
		readiness.NameUser, readiness.NameSession:
		if isBad {
			view.Advice = advice[result.Name]
		}
		return view
	}
	switch result.Status {
	case readiness.StatusPass, readiness.StatusWarn: // a warning about the tenant is for the operator
		view.Status, view.Detail = string(readiness.StatusPass), "In order."
	default:
		view.Detail = "Not in order, or could not be checked."
		view.Advice = "Give the request id of this answer to your administrator."
	}
	return view
}
