package intune

// The text of an attestation is read as words: much of it is the same on all devices, and the state may be zeroed when
// the property comes twice, which text that is still being gathered would not survive.
func (s *DeviceHealthAttestationState) property(r *jsonReader, name []byte) (known bool, err error) {
	switch string(name) {
	case "attestationIdentityKey":
		return true, readWord(r, &s.AttestationIdentityKey)
	case "bitLockerStatus":
		return true, readWord(r, &s.BitLockerStatus)
	case "bootAppSecurityVersion":
		return true, readWord(r, &s.BootAppSecurityVersion)
	case "bootDebugging":
		return true, readWord(r, &s.BootDebugging)
	case "bootManagerSecurityVersion":
		return true, readWord(r, &s.BootManagerSecurityVersion)
	case "bootManagerVersion":
		return true, readWord(r, &s.BootManagerVersion)
	case "bootRevisionListInfo":
		return true, readWord(r, &s.BootRevisionListInfo)
	case "codeIntegrity":
		return true, readWord(r, &s.CodeIntegrity)
	case "codeIntegrityCheckVersion":
		return true, readWord(r, &s.CodeIntegrityCheckVersion)
	case "codeIntegrityPolicy":
		return true, readWord(r, &s.CodeIntegrityPolicy)
	case "contentNamespaceUrl":
		return true, readWord(r, &s.ContentNamespaceURL)
	case "contentVersion":
		return true, readWord(r, &s.ContentVersion)
	case "dataExcutionPolicy":
		return true, readWord(r, &s.DataExecutionPolicy)
	case "deviceHealthAttestationStatus":
		return true, readWord(r, &s.DeviceHealthAttestationStatus)
	case "earlyLaunchAntiMalwareDriverProtection":
		return true, readWord(r, &s.EarlyLaunchAntiMalwareDriverProtection)
	case "healthAttestationSupportedStatus":
		return true, readWord(r, &s.HealthAttestationSupportedStatus)
	case "healthStatusMismatchInfo":
		return true, readWord(r, &s.HealthStatusMismatchInfo)
	case "issuedDateTime":
		return true, r.readTime(&s.IssuedDateTime)
	case "lastUpdateDateTime":
		return true, readWord(r, &s.LastUpdateDateTime)
	case "operatingSystemKernelDebugging":
		return true, readWord(r, &s.OperatingSystemKernelDebugging)
	case "operatingSystemRevListInfo":
		return true, readWord(r, &s.OperatingSystemRevListInfo)
	case "pcr0":
		return true, readWord(r, &s.PCR0)
	case "pcrHashAlgorithm":
		return true, readWord(r, &s.PCRHashAlgorithm)
	case "resetCount":
		return true, readInteger(r, &s.ResetCount, 64)
	case "restartCount":
		return true, readInteger(r, &s.RestartCount, 64)
	case "safeMode":
		return true, readWord(r, &s.SafeMode)
	case "secureBoot":
		return true, readWord(r, &s.SecureBoot)
	case "secureBootConfigurationPolicyFingerPrint":
		return true, readWord(r, &s.SecureBootConfigurationPolicyFingerPrint)
	case "testSigning":
		return true, readWord(r, &s.TestSigning)
	case "tpmVersion":
		return true, readWord(r, &s.TPMVersion)
	case "virtualSecureMode":
		return true, readWord(r, &s.VirtualSecureMode)
	case "windowsPE":
		return true, readWord(r, &s.WindowsPE)
	default:
		return false, nil
	}
}
