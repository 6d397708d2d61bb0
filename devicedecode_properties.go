package intune

func (d *ManagedDevice) property(r *jsonReader, name []byte) (known bool, err error) {
	switch string(name) {
	case "id":
		return true, r.readText(&d.ID)
	case "deviceName":
		return true, r.readText(&d.DeviceName)
	case "managedDeviceName":
		return true, r.readText(&d.ManagedDeviceName)
	case "manufacturer":
		return true, readWord(r, &d.Manufacturer)
	case "model":
		return true, readWord(r, &d.Model)
	case "serialNumber":
		return true, r.readText(&d.SerialNumber)
	case "operatingSystem":
		return true, readWord(r, &d.OperatingSystem)
	case "osVersion":
		return true, readWord(r, &d.OSVersion)
	case "androidSecurityPatchLevel":
		return true, readWord(r, &d.AndroidSecurityPatchLevel)
	case "deviceCategoryDisplayName":
		return true, readWord(r, &d.DeviceCategoryDisplayName)
	case "notes":
		return true, r.readText(&d.Notes)
	case "userId":
		return true, r.readText(&d.UserID)
	case "userPrincipalName":
		return true, r.readText(&d.UserPrincipalName)
	case "userDisplayName":
		return true, r.readText(&d.UserDisplayName)
	case "emailAddress":
		return true, r.readText(&d.EmailAddress)
	case "phoneNumber":
		return true, r.readText(&d.PhoneNumber)
	case "subscriberCarrier":
		return true, readWord(r, &d.SubscriberCarrier)
	case "imei":
		return true, r.readText(&d.IMEI)
	case "meid":
		return true, r.readText(&d.MEID)
	case "iccid":
		return true, r.readText(&d.ICCID)
	case "udid":
		return true, r.readText(&d.UDID)
	case "wiFiMacAddress":
		return true, r.readText(&d.WiFiMACAddress)
	case "ethernetMacAddress":
		return true, r.readText(&d.EthernetMACAddress)
	case "totalStorageSpaceInBytes":
		return true, readInteger(r, &d.TotalStorageSpaceInBytes, 64)
	case "freeStorageSpaceInBytes":
		return true, readInteger(r, &d.FreeStorageSpaceInBytes, 64)
	case "physicalMemoryInBytes":
		return true, readInteger(r, &d.PhysicalMemoryInBytes, 64)
	case "enrolledDateTime":
		return true, r.readTime(&d.EnrolledDateTime)
	case "lastSyncDateTime":
		return true, r.readTime(&d.LastSyncDateTime)
	case "managementCertificateExpirationDate":
		return true, r.readTime(&d.ManagementCertificateExpirationDate)
	case "deviceEnrollmentType":
		return true, readWord(r, &d.DeviceEnrollmentType)
	case "enrollmentProfileName":
		return true, readWord(r, &d.EnrollmentProfileName)
	case "deviceRegistrationState":
		return true, readWord(r, &d.DeviceRegistrationState)
	case "azureADDeviceId":
		return true, r.readText(&d.AzureADDeviceID)
	case "azureADRegistered":
		return true, r.readNullableBool(&d.AzureADRegistered)
	case "requireUserEnrollmentApproval":
		return true, r.readNullableBool(&d.RequireUserEnrollmentApproval)
	case "managedDeviceOwnerType":
		return true, readWord(r, &d.ManagedDeviceOwnerType)
	case "managementAgent":
		return true, readWord(r, &d.ManagementAgent)
	case "managementState":
		return true, readWord(r, &d.ManagementState)
	case "complianceState":
		return true, readWord(r, &d.ComplianceState)
	case "complianceGracePeriodExpirationDateTime":
		return true, r.readTime(&d.ComplianceGracePeriodExpirationDateTime)
	case "partnerReportedThreatState":
		return true, readWord(r, &d.PartnerReportedThreatState)
	case "jailBroken":
		return true, readWord(r, &d.JailBroken)
	case "isEncrypted":
		return true, r.readBool(&d.IsEncrypted)
	case "isSupervised":
		return true, r.readBool(&d.IsSupervised)
	case "activationLockBypassCode":
		return true, r.readSecret(&d.ActivationLockBypassCode)
	case "easActivated":
		return true, r.readBool(&d.EASActivated)
	case "easActivationDateTime":
		return true, r.readTime(&d.EASActivationDateTime)
	case "easDeviceId":
		return true, r.readText(&d.EASDeviceID)
	case "exchangeAccessState":
		return true, readWord(r, &d.ExchangeAccessState)
	case "exchangeAccessStateReason":
		return true, readWord(r, &d.ExchangeAccessStateReason)
	case "exchangeLastSuccessfulSyncDateTime":
		return true, r.readTime(&d.ExchangeLastSuccessfulSyncDateTime)
	case "configurationManagerClientEnabledFeatures":
		return true, readObject(r, &d.ConfigurationManagerClientEnabledFeatures, (*ConfigurationManagerClientEnabledFeatures).property)
	case "deviceHealthAttestationState":
		return true, readObject(r, &d.DeviceHealthAttestationState, (*DeviceHealthAttestationState).property)
	case "deviceActionResults":
		return true, r.readActionResults(&d.DeviceActionResults)
	case "remoteAssistanceSessionUrl":
		return true, r.readSecret(&d.RemoteAssistanceSessionURL.link)
	case "remoteAssistanceSessionErrorDetails":
		return true, r.readText(&d.RemoteAssistanceSessionErrorDetails)
	default:
		return false, nil
	}
}
