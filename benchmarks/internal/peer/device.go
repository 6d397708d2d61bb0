package peer

import "time"

// Device is the record as somebody would write it who decodes with encoding/json: everything that a list has, except the
// objects in it that nothing here reads.
type Device struct {
	ID                                      string    `json:"id"`
	DeviceName                              string    `json:"deviceName"`
	ManagedDeviceName                       string    `json:"managedDeviceName"`
	Manufacturer                            string    `json:"manufacturer"`
	Model                                   string    `json:"model"`
	SerialNumber                            string    `json:"serialNumber"`
	OperatingSystem                         string    `json:"operatingSystem"`
	OSVersion                               string    `json:"osVersion"`
	AndroidSecurityPatchLevel               string    `json:"androidSecurityPatchLevel"`
	DeviceCategoryDisplayName               string    `json:"deviceCategoryDisplayName"`
	UserID                                  string    `json:"userId"`
	UserPrincipalName                       string    `json:"userPrincipalName"`
	UserDisplayName                         string    `json:"userDisplayName"`
	EmailAddress                            string    `json:"emailAddress"`
	PhoneNumber                             string    `json:"phoneNumber"`
	SubscriberCarrier                       string    `json:"subscriberCarrier"`
	IMEI                                    string    `json:"imei"`
	MEID                                    string    `json:"meid"`
	WiFiMACAddress                          string    `json:"wiFiMacAddress"`
	TotalStorageSpaceInBytes                int64     `json:"totalStorageSpaceInBytes"`
	FreeStorageSpaceInBytes                 int64     `json:"freeStorageSpaceInBytes"`
	EnrolledDateTime                        time.Time `json:"enrolledDateTime"`
	LastSyncDateTime                        time.Time `json:"lastSyncDateTime"`
	ManagementCertificateExpirationDate     time.Time `json:"managementCertificateExpirationDate"`
	DeviceEnrollmentType                    string    `json:"deviceEnrollmentType"`
	EnrollmentProfileName                   string    `json:"enrollmentProfileName"`
	DeviceRegistrationState                 string    `json:"deviceRegistrationState"`
	AzureADDeviceID                         string    `json:"azureADDeviceId"`
	AzureADRegistered                       *bool     `json:"azureADRegistered"`
	RequireUserEnrollmentApproval           *bool     `json:"requireUserEnrollmentApproval"`
	ManagedDeviceOwnerType                  string    `json:"managedDeviceOwnerType"`
	ManagementAgent                         string    `json:"managementAgent"`
	ManagementState                         string    `json:"managementState"`
	ComplianceState                         string    `json:"complianceState"`
	ComplianceGracePeriodExpirationDateTime time.Time `json:"complianceGracePeriodExpirationDateTime"`
	PartnerReportedThreatState              string    `json:"partnerReportedThreatState"`
	JailBroken                              string    `json:"jailBroken"`
	IsEncrypted                             bool      `json:"isEncrypted"`
	IsSupervised                            bool      `json:"isSupervised"`
	EASActivated                            bool      `json:"easActivated"`
	EASActivationDateTime                   time.Time `json:"easActivationDateTime"`
	EASDeviceID                             string    `json:"easDeviceId"`
	ExchangeAccessState                     string    `json:"exchangeAccessState"`
	ExchangeAccessStateReason               string    `json:"exchangeAccessStateReason"`
	ExchangeLastSuccessfulSyncDateTime      time.Time `json:"exchangeLastSuccessfulSyncDateTime"`
	SessionURL                              string    `json:"remoteAssistanceSessionUrl"`
	SessionErrorDetails                     string    `json:"remoteAssistanceSessionErrorDetails"`
}

// Row is what a list shows.
func (d *Device) Row() Row {
	return Row{
		ID: d.ID, Name: d.DeviceName, User: d.UserPrincipalName, System: d.OperatingSystem,
		LastSync: d.LastSyncDateTime, Encrypted: d.IsEncrypted,
	}
}

// Session is what the record says of remote assistance.
func (d *Device) Session() Session { return Session{d.SessionURL, d.SessionErrorDetails} }

// Page is a page of a list.
type Page struct {
	NextLink string   `json:"@odata.nextLink"`
	Value    []Device `json:"value"`
}
