package intune

// readActionResults reads a list of action results. They are gathered in a list of the reader, so that the device gets
// one of the right length.
func (r *jsonReader) readActionResults(field *[]DeviceActionResult) error {
	*field = nil
	if r.dec.PeekKind() == 'n' {
		return r.skip()
	}
	if err := r.open('['); err != nil {
		return err
	}
	r.actions = r.actions[:0]
	for r.dec.PeekKind() != ']' {
		if r.dec.PeekKind() == 'n' {
			if err := r.skip(); err != nil {
				return err
			}
			continue
		}
		if len(r.actions) == maxActionResults {
			return r.fault("holds too many action results")
		}
		r.actions = append(r.actions, DeviceActionResult{})
		if err := readObject(r, &r.actions[len(r.actions)-1], (*DeviceActionResult).property); err != nil {
			return err
		}
		// The list may move when it grows, and is copied in the end.
		r.settle()
	}
	if len(r.actions) > 0 {
		*field = append([]DeviceActionResult(nil), r.actions...)
	}
	return r.close()
}

func (r *jsonReader) readLocation(field **DeviceGeoLocation) error {
	*field = nil
	if r.dec.PeekKind() == 'n' {
		return r.skip()
	}
	*field = new(DeviceGeoLocation)
	return readObject(r, *field, (*DeviceGeoLocation).property)
}

func (a *DeviceActionResult) property(r *jsonReader, name []byte) (known bool, err error) {
	switch string(name) {
	case "@odata.type":
		return true, readWord(r, &a.ODataType)
	case "actionName":
		return true, readWord(r, &a.ActionName)
	case "actionState":
		return true, readWord(r, &a.ActionState)
	case "startDateTime":
		return true, r.readTime(&a.StartDateTime)
	case "lastUpdatedDateTime":
		return true, r.readTime(&a.LastUpdatedDateTime)
	case "deviceLocation":
		return true, r.readLocation(&a.DeviceLocation)
	case "unlockPin":
		return true, r.readText(&a.UnlockPIN)
	case "errorCode":
		return true, readInteger(r, &a.ErrorCode, 32)
	case "passcode":
		return true, r.readText(&a.Passcode)
	case "scanType":
		return true, readWord(r, &a.ScanType)
	case "userPrincipalName":
		return true, r.readText(&a.UserPrincipalName)
	default:
		return false, nil
	}
}

func (l *DeviceGeoLocation) property(r *jsonReader, name []byte) (known bool, err error) {
	switch string(name) {
	case "altitude":
		return true, r.readDouble(&l.Altitude)
	case "heading":
		return true, r.readDouble(&l.Heading)
	case "horizontalAccuracy":
		return true, r.readDouble(&l.HorizontalAccuracy)
	case "lastCollectedDateTime":
		return true, r.readTime(&l.LastCollectedDateTime)
	case "latitude":
		return true, r.readDouble(&l.Latitude)
	case "longitude":
		return true, r.readDouble(&l.Longitude)
	case "speed":
		return true, r.readDouble(&l.Speed)
	case "verticalAccuracy":
		return true, r.readDouble(&l.VerticalAccuracy)
	default:
		return false, nil
	}
}

func (f *ConfigurationManagerClientEnabledFeatures) property(r *jsonReader, name []byte) (known bool, err error) {
	switch string(name) {
	case "compliancePolicy":
		return true, r.readBool(&f.CompliancePolicy)
	case "deviceConfiguration":
		return true, r.readBool(&f.DeviceConfiguration)
	case "inventory":
		return true, r.readBool(&f.Inventory)
	case "modernApps":
		return true, r.readBool(&f.ModernApps)
	case "resourceAccess":
		return true, r.readBool(&f.ResourceAccess)
	case "windowsUpdateForBusiness":
		return true, r.readBool(&f.WindowsUpdateForBusiness)
	default:
		return false, nil
	}
}

func (a *DetectedApp) property(r *jsonReader, name []byte) (known bool, err error) {
	switch string(name) {
	case "id":
		return true, r.readText(&a.ID)
	case "displayName":
		return true, r.readText(&a.DisplayName)
	case "version":
		return true, readWord(r, &a.Version)
	case "sizeInByte":
		return true, readInteger(r, &a.SizeInByte, 64)
	case "deviceCount":
		return true, readInteger(r, &a.DeviceCount, 32)
	case "publisher":
		return true, readWord(r, &a.Publisher)
	case "platform":
		return true, readWord(r, &a.Platform)
	default:
		return false, nil
	}
}
