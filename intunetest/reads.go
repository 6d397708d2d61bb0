package intunetest

import (
	"iter"
	"net/http"
	"slices"
	"strconv"
)

// view is the kind of request that shows a device, which decides what is shown.
type view int

const (
	viewList view = iota
	viewEntity
	viewThin // below a detected app
)

// thinProperties are the properties that a device below a detected app shows. Reports say that there are few, but not
// which.
var thinProperties = []string{"id", "deviceName", "operatingSystem", "osVersion"}

// getDevice is a GET by id, the only request that returns the session.
func (t *Tenant) getDevice(x *exchange, where *target) *answer {
	d, refused := t.findDevice(x, where)
	if refused != nil {
		return refused
	}
	q, err := x.queryOn("managedDevice", isDeviceProperty)
	if err != nil {
		return x.badQuery(err)
	}
	o := &object{}
	o.member("@odata.context", x.context(where, q, "/$entity"))
	var link, errorDetails string
	looked := slices.ContainsFunc(q.selects, isSessionProperty)
	if looked {
		link, errorDetails = d.session.read(t.now())
	}
	writeDevice(o, d, viewEntity, q, link, errorDetails)
	a := newAnswer(http.StatusOK, contentOData, o.end())
	if again := t.options.LookAgainAfter; looked && again > 0 {
		t.ahead += LookInterval
		a.header.Set("Retry-After-Ms", strconv.FormatInt(max(1, again.Milliseconds()), 10))
	}
	return a
}

func (t *Tenant) listDevices(x *exchange, where *target) *answer {
	u, refused := t.findUser(x, where)
	if refused != nil {
		return refused
	}
	return t.listOf(x, where, viewList, func(d *device) bool { return u == nil || u.owns(d) })
}

// listOf lists the devices of a collection, filtered if the service applies the filter.
func (t *Tenant) listOf(x *exchange, where *target, as view, within func(*device) bool) *answer {
	q, err := x.queryOn("managedDevice", isDeviceProperty)
	if err != nil {
		return x.badQuery(err)
	}
	matches, err := parseFilter(q.filter, q.count, deviceOperators)
	if err != nil {
		return x.badQuery(err)
	}
	return t.page(x, where, q, func(after int) iter.Seq[row] {
		return func(yield func(row) bool) {
			for _, d := range t.sequence[t.index(after+1):] {
				if !within(d) || matches != nil && !matches(d.value) {
					continue
				}
				r := row{serial: d.serial, name: d.record.DeviceName, id: d.record.ID, write: func(o *object) {
					writeDevice(o, d, as, q, "", "")
				}}
				if !yield(r) {
					return
				}
			}
		}
	})
}

// writeDevice writes the properties that are selected, or all.
func writeDevice(o *object, d *device, as view, q *query, link, errorDetails string) {
	for i := range deviceProperties {
		p := &deviceProperties[i]
		chosen := containsFold(q.selects, p.name)
		thin := as != viewThin || slices.Contains(thinProperties, p.name)
		switch {
		case len(q.selects) > 0 && !chosen, len(q.selects) == 0 && !thin:
			continue
		case p.late && (as != viewEntity || !chosen), !thin:
			o.member(p.name, p.hidden(as))
		case p.name == propertySessionURL:
			o.member(p.name, link)
		case p.name == propertySessionError:
			o.member(p.name, errorDetails)
		default:
			o.member(p.name, p.orBlank(p.value(&d.record), as))
		}
	}
}

// value is a property as a list shows it.
func (d *device) value(name string) any {
	p := findProperty(name)
	return p.orBlank(p.value(&d.record), viewList)
}

// orBlank replaces an empty string by the value that the service sends for it.
func (p *property) orBlank(value any, as view) any {
	switch {
	case value != "":
		return value
	case as == viewEntity:
		return p.blank
	default:
		return p.inList
	}
}

// hidden is the default that this view sends for a property that it does not show. Recorded answers have null in lists
// and "" for the session of a single device.
func (p *property) hidden(as view) any {
	switch {
	case p.blank == "" && as == viewEntity:
		return ""
	case p.value == nil, p.blank == "":
		return nil
	default:
		return p.orBlank(p.value(&noDevice), as)
	}
}
