package main

import (
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"time"

	"github.com/go-intune/intune/intunetest"
)

// state is what the control interface shows.
type state struct {
	Time          time.Time     `json:"time"`
	Connector     string        `json:"connector"` // "" without one
	Prompts       int           `json:"prompts"`
	PendingFaults int           `json:"pendingFaults"`
	Devices       []deviceState `json:"devices"`
	RequestCount  int           `json:"requestCount"`
	Requests      []exchange    `json:"requests"` // the last, the newest first
	SignIns       []signInState `json:"signIns"`
}

type deviceState struct {
	ID                  string `json:"id"`
	DeviceName          string `json:"deviceName"`
	OperatingSystem     string `json:"operatingSystem"`
	SerialNumber        string `json:"serialNumber"`
	UserPrincipalName   string `json:"userPrincipalName"`
	Prompts             int    `json:"prompts"`
	Pending             bool   `json:"pending"` // asked, and neither link nor error yet
	SessionURL          string `json:"sessionUrl"`
	SessionErrorDetails string `json:"sessionErrorDetails"`
}

func (s *simulator) state() state {
	tenant := s.current()
	now := state{
		Time: tenant.Now(), Connector: string(tenant.Connector()), Prompts: tenant.TotalPrompts(), PendingFaults: tenant.PendingFaults(),
		Devices: []deviceState{}, SignIns: s.signIns.list(tenant.Now()),
	}
	for _, d := range tenant.Devices() {
		now.Devices = append(now.Devices, deviceState{
			ID: d.Device.ID, DeviceName: d.Device.DeviceName, OperatingSystem: d.Device.OperatingSystem, SerialNumber: d.Device.SerialNumber,
			UserPrincipalName: d.Device.UserPrincipalName, Prompts: d.Prompts, Pending: d.Pending,
			SessionURL: d.Device.RemoteAssistanceSessionURL.Reveal(), SessionErrorDetails: d.Device.RemoteAssistanceSessionErrorDetails,
		})
	}
	now.Requests, now.RequestCount = s.log.newest()
	return now
}

func (s *simulator) getState(w http.ResponseWriter, _ *http.Request) {
	reply(w, http.StatusOK, s.state())
}

func (s *simulator) postReset(w http.ResponseWriter, _ *http.Request) {
	s.reset()
	w.WriteHeader(http.StatusNoContent)
}

// fault is intunetest.Fault.
type fault struct {
	Method     string              `json:"method"`
	PathSuffix string              `json:"pathSuffix"`
	Status     int                 `json:"status"`
	Code       string              `json:"code"`
	Message    string              `json:"message"`
	Nested     bool                `json:"nested"`
	Double     bool                `json:"double"`
	Body       string              `json:"body"`
	Header     map[string][]string `json:"header"`
	Delay      duration            `json:"delay"`
	Effect     bool                `json:"effect"`
	Drop       string              `json:"drop"` // "", "connect", "before" or "after"
	Truncate   int                 `json:"truncate"`
	Times      int                 `json:"times"`
}

var drops = map[string]intunetest.DropMode{
	"": intunetest.DropNone, "connect": intunetest.DropConnect, "before": intunetest.DropBefore, "after": intunetest.DropAfter,
}

func (s *simulator) postFault(w http.ResponseWriter, r *http.Request) {
	var f fault
	if !read(w, r, &f) {
		return
	}
	drop, ok := drops[f.Drop]
	if !ok {
		refuse(w, http.StatusBadRequest, fmt.Sprintf("drop %q is unknown; it should be connect, before or after", f.Drop))
		return
	}
	if f.Status != 0 && (f.Status < 200 || f.Status > 999) {
		const text = "status %d cannot be sent; it should be between 200 and 999, or 0 for the tenant's own answer"
		refuse(w, http.StatusBadRequest, fmt.Sprintf(text, f.Status))
		return
	}
	header := http.Header{}
	for name, values := range f.Header {
		header[http.CanonicalHeaderKey(name)] = values
	}
	tenant := s.current()
	tenant.Inject(intunetest.Fault{
		Method: f.Method, PathSuffix: f.PathSuffix, Status: f.Status, Code: f.Code, Message: f.Message, Nested: f.Nested, Double: f.Double,
		Body: f.Body, Header: header, Delay: time.Duration(f.Delay), Effect: f.Effect, Drop: drop, Truncate: f.Truncate, Times: f.Times,
	})
	reply(w, http.StatusCreated, map[string]int{"pendingFaults": tenant.PendingFaults()})
}

func (s *simulator) deleteFaults(w http.ResponseWriter, _ *http.Request) {
	s.current().ClearFaults()
	w.WriteHeader(http.StatusNoContent)
}

func (s *simulator) postClock(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Advance duration `json:"advance"`
	}
	if !read(w, r, &body) {
		return
	}
	if body.Advance <= 0 {
		refuse(w, http.StatusBadRequest, `advance should be a duration above zero, such as "10m": clocks do not run backwards`)
		return
	}
	tenant := s.current()
	tenant.Advance(time.Duration(body.Advance))
	reply(w, http.StatusOK, map[string]time.Time{"time": tenant.Now()})
}

// maxControlBody is more than anybody needs.
const maxControlBody = 1 << 20

// read reads the JSON of a request, and refuses the request if it cannot.
func read(w http.ResponseWriter, r *http.Request, to any) bool {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		refuse(w, http.StatusUnsupportedMediaType, "the body should be JSON, with Content-Type: application/json")
		return false
	}
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxControlBody))
	if err == nil {
		err = unmarshal(data, to)
	}
	if err != nil {
		refuse(w, http.StatusBadRequest, "the body: "+err.Error())
		return false
	}
	return true
}

func reply(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(body); err != nil {
		return // the client has gone
	}
}

func refuse(w http.ResponseWriter, status int, why string) {
	reply(w, status, map[string]string{"error": why})
}
