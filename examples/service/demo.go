package main

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
)

// demo makes the settings for a made-up tenant and a made-up sign-in page, which is below the service's own address: a
// proxy in front of the service is in front of that page too. What it returns adds the page to the service, and ends the demo.
func demo(s *settings) (with func(http.Handler) http.Handler, end func(), err error) {
	if s.face.name == "" && s.face.contact == "" {
		s.face.name, s.face.contact, s.face.contactLink = "Contoso Help Desk", "helpdesk@contoso.com", "mailto:helpdesk@contoso.com"
	}
	tenant := demoTenant(time.Now())
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, nil, fmt.Errorf("-demo: %w", err)
	}
	at := s.public.Path + "/stand-in"
	entra := newStandIn(s.public.String()+"/stand-in", s.public.JoinPath("/auth/callback").String(), tenant, demoPeople(), key)
	end = func() {}
	if s.journal == "" {
		folder, err := os.MkdirTemp("", "service-demo-")
		if err != nil {
			return nil, nil, fmt.Errorf("-demo: %w", err)
		}
		s.journal = filepath.Join(folder, "journal.jsonl")
		end = func() { _ = os.RemoveAll(folder) }
	}
	pages := http.StripPrefix(at, entra.handler())
	s.issuer, s.tenantID, s.clientID, s.scope = entra.issuer(), entra.tenantID, entra.clientID, entra.scope
	s.secret = entra.secret
	s.entra = &http.Client{Transport: inMemory{pages}}
	s.graph = tenant.ClientOptions
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasPrefix(r.URL.Path, at+"/") {
				pages.ServeHTTP(w, r)
				return
			}
			next.ServeHTTP(w, r)
		})
	}, end, nil
}

// inMemory brings requests to a handler without a network.
type inMemory struct{ handler http.Handler }

// RoundTrip implements [http.RoundTripper].
func (m inMemory) RoundTrip(r *http.Request) (*http.Response, error) {
	arrived := r.Clone(r.Context())
	if arrived.Body == nil {
		arrived.Body = http.NoBody
	}
	w := &memoryWriter{header: http.Header{}, status: http.StatusOK}
	m.handler.ServeHTTP(w, arrived)
	return &http.Response{
		StatusCode: w.status, Status: http.StatusText(w.status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: w.header, Body: io.NopCloser(&w.body), ContentLength: int64(w.body.Len()), Request: r,
	}, nil
}

type memoryWriter struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (w *memoryWriter) Header() http.Header         { return w.header }
func (w *memoryWriter) WriteHeader(status int)      { w.status = status }
func (w *memoryWriter) Write(p []byte) (int, error) { return w.body.Write(p) } //nolint:wrapcheck // it never fails

func demoPeople() []person {
	return []person{
		{"5c0d9d53-0b0a-4c3e-9f0e-2f8a51f7c001", "Dana Cole, help desk", "dana.cole@contoso.com", manageScopes},
		{"5c0d9d53-0b0a-4c3e-9f0e-2f8a51f7c002", "Robin Sato, help desk", "robin.sato@contoso.com", manageScopes},
		{"5c0d9d53-0b0a-4c3e-9f0e-2f8a51f7c003", "Lee Park, without the permission", "lee.park@contoso.com", "User.Read"},
	}
}

// demoTenant has a device for each thing that can happen.
func demoTenant(now time.Time) *intunetest.Tenant {
	tenant := intunetest.NewTenant(&intunetest.TenantOptions{LookAgainAfter: time.Second, KeepRequests: -1})
	add := func(d intune.ManagedDevice, synced time.Duration, script intunetest.SessionScript) intune.DeviceRef {
		d.LastSyncDateTime = now.Add(-synced).Truncate(time.Second)
		d.ManagementAgent = intune.ManagementAgentTypeMDM
		return tenant.AddDevice(d, script)
	}
	anna := intune.ManagedDevice{
		UserID: "0b6e7c1a-52a5-4f0e-9d0c-7a1f6b3c2d01", UserPrincipalName: "anna.berg@contoso.com", UserDisplayName: "Anna Berg",
	}
	laptop, phone := anna, anna
	laptop.DeviceName, laptop.SerialNumber, laptop.Manufacturer, laptop.Model = "LT-4F7K2", "5CG1234ABC", "HP", "EliteBook 840 G10"
	laptop.OperatingSystem, laptop.OSVersion, laptop.ComplianceState = "Windows", "10.0.26100.2314", intune.ComplianceStateCompliant
	phone.DeviceName, phone.SerialNumber, phone.Manufacturer, phone.Model = "PHONE-ANNA", "R58M12ABCDE", "Samsung", "Galaxy S24"
	phone.OperatingSystem, phone.OSVersion, phone.ComplianceState = "Android", "15", intune.ComplianceStateCompliant
	add(laptop, 2*time.Hour, intunetest.SessionScript{AfterReads: 6})
	add(phone, 20*time.Minute, intunetest.SessionScript{AfterReads: 4})
	add(intune.ManagedDevice{
		DeviceName: "DT-ACCOUNTS-03", SerialNumber: "8XK42Q3", Manufacturer: "Dell Inc.", Model: "OptiPlex 7010",
		OperatingSystem: "Windows", OSVersion: "10.0.22631.4460", UserID: "4f9a1c77-8d25-4b1e-a3c8-0e6d5b7f9a02",
		UserPrincipalName: "ben.ito@contoso.com", UserDisplayName: "Ben Ito", ComplianceState: intune.ComplianceStateNoncompliant,
	}, 80*time.Hour, intunetest.SessionScript{AfterReads: 4, ErrorDetails: "The TeamViewer account has no seats left."})
	add(intune.ManagedDevice{
		DeviceName: "LT-SALES-11", SerialNumber: "C02ZK1ABMD6T", Manufacturer: "Lenovo", Model: "ThinkPad T14",
		OperatingSystem: "Windows", OSVersion: "10.0.26100.2314", UserID: "9c2d3e4f-1a6b-4c8d-b5e7-2f0a1b3c4d03",
		UserPrincipalName: "chloe.martin@contoso.com", UserDisplayName: "Chloé Martin", ComplianceState: intune.ComplianceStateCompliant,
	}, 5*time.Hour, intunetest.SessionScript{Never: true})
	// Anybody can name a device. The first one would look like LT-4F7K2, if the page showed what it says.
	for i, name := range []string{"LT-\u202e2K7F4", strings.Repeat("LONGNAME", 625)} {
		add(intune.ManagedDevice{
			DeviceName: name, SerialNumber: fmt.Sprintf("ODD-%d", i+1), Manufacturer: "Contoso", Model: "Any",
			OperatingSystem: "Windows", OSVersion: "10.0.26100.2314", UserID: "1b2c3d4e-5f60-4a7b-8c9d-0e1f2a3b4c05",
			UserPrincipalName: "odd.names@contoso.com", UserDisplayName: "Max \u202eregnirps", ComplianceState: intune.ComplianceStateCompliant,
		}, time.Hour, intunetest.SessionScript{AfterReads: 4})
	}
	lobby := add(intune.ManagedDevice{
		DeviceName: "LT-LOBBY-02", SerialNumber: "PF3K8M21", Manufacturer: "Lenovo", Model: "ThinkPad L13",
		OperatingSystem: "Windows", OSVersion: "10.0.26100.2314", UserID: "7e1d5a90-3c4b-4f6a-8b2d-9a0c1e5f7d04",
		UserPrincipalName: "eva.lind@contoso.com", UserDisplayName: "Eva Lind", ComplianceState: intune.ComplianceStateCompliant,
	}, time.Hour, intunetest.SessionScript{AfterReads: 4})
	tenant.Inject(intunetest.Fault{
		PathSuffix: lobby.DeviceID() + "/requestRemoteAssistance", Status: http.StatusBadGateway, Effect: true, Times: -1,
	})
	return tenant
}
