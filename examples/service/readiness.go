package main

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/readiness"
)

// readinessView is what a technician hears of [readiness.Check].
type readinessView struct {
	Ready   bool         `json:"ready"`
	Results []resultView `json:"results"`
}

type resultView struct {
	Name   string `json:"name"`
	Title  string `json:"title"`
	Status string `json:"status"`
	Detail string `json:"detail"`
	Advice string `json:"advice,omitempty"`
}

// readinessAPI checks devices. The details and remedies of the library name apps, permissions and settings, and go to the
// log.
type readinessAPI struct{ log *slog.Logger }

func (a *readinessAPI) get(w http.ResponseWriter, r *http.Request, who *identity) {
	device, p := deviceOf(r.PathValue("id"))
	if p != nil {
		refuse(w, r, p)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), searchWithin)
	defer cancel()
	client := &remembering{Client: who.client, err: plainError("the device was not read")}
	report, err := readiness.Check(ctx, client, device, nil)
	if err != nil {
		refuse(w, r, problemFrom(err))
		return
	}
	view := readinessView{Ready: report.OK()}
	words := &deviceWords{record: client.record, err: client.err, now: time.Now()}
	for _, result := range report.Results {
		view.Results = append(view.Results, words.forTechnician(result))
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

// remembering keeps what a check read of its device, so that sentences are about the same facts.
type remembering struct {
	*intune.Client

	record intune.ManagedDevice
	err    error
}

// GetDevice reads a device. A check reads it twice if a part of it is withheld, and then the second answer counts.
func (c *remembering) GetDevice(
	ctx context.Context, device intune.DeviceRef, options *intune.GetDeviceOptions,
) (intune.GetDeviceResponse, error) {
	response, err := c.Client.GetDevice(ctx, device, options)
	c.record, c.err = response.ManagedDevice, err
	return response, err
}

// forTechnician is a result in plain words. About the tenant and the app, a technician can do nothing but tell somebody.
func (d *deviceWords) forTechnician(result readiness.Result) resultView {
	view := resultView{Name: result.Name, Title: title(result.Name), Status: string(result.Status)}
	if view.Detail = d.sentence(result.Name, result.Status); view.Detail != "" {
		if result.Status != readiness.StatusPass {
			view.Advice = d.advice(result.Name)
		}
		return view
	}
	switch result.Status {
	case readiness.StatusWarn: // about the tenant, it is for the operator
		result.Status, view.Status = readiness.StatusPass, string(readiness.StatusPass)
	case readiness.StatusPass:
	default:
		view.Advice = "Give the request id of this answer to your administrator."
	}
	view.Detail = tenantSentence(result.Name, result.Status)
	return view
}

// advice is what a technician can do about a check of the device that is not in order.
func (d *deviceWords) advice(check string) string {
	if d.err != nil && check != readiness.NameDevice {
		return ""
	}
	return map[string]string{
		readiness.NameDevice:     "Search for the device again.",
		readiness.NameManagement: "Give the device's name to your administrator.",
		readiness.NamePlatform:   "If it does not work, help this user in another way.",
		readiness.NameSync:       "Ask the user to switch the device on, connect it, and sync it in Company Portal.",
		readiness.NameUser:       "There may be nobody at the device who can agree.",
		readiness.NameSession:    "The service waits for a new link and does not take the old one.",
	}[check]
}
