package intunetest

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"sync"
	"time"

	"github.com/go-intune/intune"
)

// Tenant is a tenant of Microsoft Intune in memory, as Microsoft Graph v1.0 shows it. It answers through
// [Tenant.ServeHTTP], [Tenant.RoundTrip], [Tenant.Do] and [Tenant.Register]; all four share one state and behave
// alike. Make one with [NewTenant]. It is safe for concurrent use, and a test should have a tenant of its own.
type Tenant struct {
	options TenantOptions

	mu        sync.Mutex
	ahead     time.Duration
	serials   map[string]int // last serial number by kind of thing
	devices   map[string]*device
	sequence  []*device // in order of arrival, and of the serial numbers
	prompts   map[string]int
	users     users
	apps      []*app
	appsByID  map[string]*app
	partner   *partner             // nil for none
	events    []*intune.AuditEvent // the latest ones
	forgotten int                  // events before them
	invisible bool                 // the connector cannot be read
	faults    []*faultRule
	requests  []*recorded // the latest ones: the n-th is at n modulo TenantOptions.KeepRequests
	arrived   int         // how many there were
	windows   map[windowKey][]time.Time
}

// NewTenant makes an empty tenant whose connector is onboarded. nil options are the same as zero options.
func NewTenant(options *TenantOptions) *Tenant {
	t := &Tenant{
		options:  options.withDefaults(),
		serials:  map[string]int{},
		devices:  map[string]*device{},
		prompts:  map[string]int{},
		users:    users{byID: map[string]*user{}, byUPN: map[string][]*user{}},
		appsByID: map[string]*app{},
		windows:  map[windowKey][]time.Time{},
	}
	t.SetConnector(intune.ConnectorStateOnboarded)
	return t
}

// Advance moves the tenant's clock ahead of [TenantOptions.Clock] by d, for everything that depends on time:
// throttling and [SessionScript.After]. Advance does not wait, and does not end a [Fault.Delay]. A negative d is
// ignored, since clocks do not run backwards.
func (t *Tenant) Advance(d time.Duration) {
	if d <= 0 {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ahead += d
}

// now is the tenant's time. The caller holds the lock.
func (t *Tenant) now() time.Time { return t.options.Clock().Add(t.ahead) }

// nextSerial numbers things of a kind from 1. The caller holds the lock.
func (t *Tenant) nextSerial(kind string) int {
	t.serials[kind]++
	return t.serials[kind]
}

// nextGUID makes a GUID that is unique in the tenant and the same in every run. The caller holds the lock.
func (t *Tenant) nextGUID(kind string) string { return guid(kind, t.nextSerial(kind)) }

func guid(kind string, serial int) string {
	id := digest(kind, serial)
	id[6] = id[6]&0x0f | 0x40
	id[8] = id[8]&0x3f | 0x80
	text := hex.EncodeToString(id[:16])
	return text[:8] + "-" + text[8:12] + "-" + text[12:16] + "-" + text[16:20] + "-" + text[20:]
}

func digest(kind string, serial int) [sha256.Size]byte {
	return sha256.Sum256(binary.BigEndian.AppendUint64([]byte(kind), uint64(serial)))
}
