package intune

import "strconv"

// decodeDevicePage reads one page of devices. When the page breaks off or holds what cannot be read, the devices before
// that come along with the error; nextLink and count are then what was read so far. Rows that are null are left out.
func decodeDevicePage(data []byte) (devices []ManagedDevice, nextLink string, count int, err error) {
	return decodePage(data, (*ManagedDevice).property)
}

// decodeDetectedAppPage is decodeDevicePage for detected apps.
func decodeDetectedAppPage(data []byte) (apps []DetectedApp, nextLink string, count int, err error) {
	return decodePage(data, (*DetectedApp).property)
}

// decodeDevice reads a single device: the bare entity that the service sends, or one wrapped in a "value" member as in
// Microsoft's samples.
func decodeDevice(data []byte) (ManagedDevice, error) {
	var device ManagedDevice
	if err := unmarshalObject(data, &device, wrappedDevice); err != nil {
		return ManagedDevice{}, err
	}
	return device, nil
}

func wrappedDevice(d *ManagedDevice, r *jsonReader, name []byte) (known bool, err error) {
	if string(name) != "value" {
		return d.property(r, name)
	}
	// Fields of the device may be waiting for their text, and are about to be zeroed.
	r.settle()
	return true, readObject(r, d, (*ManagedDevice).property)
}

// unmarshalObject reads an object that is a JSON text of its own. On error, and on null, the object keeps its value.
func unmarshalObject[T any](data []byte, object *T, property properties[T]) error {
	if isNull(data) {
		return nil
	}
	var fresh T
	r := newJSONReader(data)
	if err := readObject(r, &fresh, property); err != nil {
		return err
	}
	r.settle()
	if err := r.finish(); err != nil {
		return err
	}
	*object = fresh
	return nil
}

// page is the envelope of a collection.
type page[T any] struct {
	rows     []T
	nextLink string
	count    int
	isPage   bool // a value or a next link was there
	size     int  // of the JSON in bytes
	row      properties[T]
}

func decodePage[T any](data []byte, row properties[T]) (rows []T, nextLink string, count int, err error) {
	r := newJSONReader(data)
	r.words = new(wordCache)
	p := &page[T]{size: len(data), row: row}
	err = readProperties(r, p, (*page[T]).property)
	if err == nil {
		err = r.finish()
	}
	if err == nil && !p.isPage {
		// An empty list would be a wrong answer to "which devices are there", and a plausible one.
		err = r.fault("has neither a value nor a next link, so it is no page")
	}
	return p.rows, p.nextLink, p.count, err
}

func (p *page[T]) property(r *jsonReader, name []byte) (known bool, err error) {
	switch string(name) {
	case "value":
		p.isPage = true
		return true, p.readRows(r)
	case "@odata.nextLink":
		p.isPage = true
		link, err := r.readString()
		p.nextLink = string(link)
		return true, err
	case "@odata.count":
		return true, readInteger(r, &p.count, strconv.IntSize)
	default:
		return false, nil
	}
}

func (p *page[T]) readRows(r *jsonReader) error {
	p.rows = nil
	if r.dec.PeekKind() == 'n' {
		return r.skip()
	}
	if err := r.open('['); err != nil {
		return err
	}
	// The count, when it comes first, saves growing; it is believed only as far as the size of the page allows for rows
	// that are worth the space.
	const smallRow = 256
	if rows := min(p.count, p.size/smallRow, maxRows); rows > 0 {
		p.rows = make([]T, 0, rows)
	}
	for r.dec.PeekKind() != ']' {
		if r.dec.PeekKind() == 'n' {
			if err := r.skip(); err != nil {
				return err
			}
			continue
		}
		if len(p.rows) == maxRows {
			return r.fault("holds too many rows")
		}
		var zero T
		p.rows = append(p.rows, zero)
		if err := readObject(r, &p.rows[len(p.rows)-1], p.row); err != nil {
			r.forget()
			p.rows = p.rows[:len(p.rows)-1]
			return err
		}
		r.settle()
	}
	return r.close()
}
