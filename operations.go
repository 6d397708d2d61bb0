package intune

// operation is what the client knows about one kind of call.
type operation struct {
	api        string // public method, for spans: "Client.GetDevice"
	text       string // for errors: "read device"
	permission string // least Graph permission, for hints
	right      string // Intune role right of a delegated caller, for hints
	session    bool   // needs the TeamViewer connector
}

// Graph permissions, delegated and application.
const (
	permissionManageDevices   = "DeviceManagementManagedDevices.ReadWrite.All"
	permissionReadDevices     = "DeviceManagementManagedDevices.Read.All"
	permissionManageConnector = "DeviceManagementServiceConfig.ReadWrite.All"
	permissionReadAudit       = "DeviceManagementApps.Read.All"
	permissionReadConnector   = "DeviceManagementServiceConfig.Read.All"
)

// Rights of Intune roles, as the portal shows them: category and right.
const (
	rightOfferAssistance = "Remote tasks / Offer remote assistance"
	rightReadDevices     = "Managed devices / Read"
	rightUpdateConnector = "Remote assistance connectors / Update"
	rightReadAudit       = "Audit data / Read"
	rightReadConnector   = "Remote assistance connectors / Read"
)

// The action and the waits around it. The waits send the requests of the first two operations.
var (
	opRequestRemoteAssistance = &operation{"Client.RequestRemoteAssistance", "request remote assistance", permissionManageDevices, rightOfferAssistance, true}
	opRequestMany             = &operation{"Client.RequestRemoteAssistanceMany", "request remote assistance", permissionManageDevices, rightOfferAssistance, true}
	opGetSession              = &operation{"Client.GetRemoteAssistanceSession", "read the remote-assistance session", permissionReadDevices, rightReadDevices, true}
	opBeginRemoteAssistance   = &operation{api: "Client.BeginRemoteAssistance"}
	opOpenRemoteAssistance    = &operation{api: "Client.OpenRemoteAssistance"}
	opWaitForRemoteAssistance = &operation{api: "Client.WaitForRemoteAssistance"}
	opResumeRemoteAssistance  = &operation{api: "Client.ResumeRemoteAssistance"}
)

// Devices and apps. A pager and an iterator of the same list differ in their spans.
var (
	opGetDevice   = &operation{"Client.GetDevice", "read device", permissionReadDevices, rightReadDevices, false}
	opFindDevice  = &operation{"Client.FindDevice", "find device", permissionReadDevices, rightReadDevices, false}
	opListDevices = &operation{"Client.NewListDevicesPager", "list devices", permissionReadDevices, rightReadDevices, false}
	opDevices     = &operation{"Client.Devices", "list devices", permissionReadDevices, rightReadDevices, false}
	opListApps    = &operation{"Client.NewListDetectedAppsPager", "list detected apps", permissionReadDevices, rightReadDevices, false}
	opApps        = &operation{"Client.DetectedApps", "list detected apps", permissionReadDevices, rightReadDevices, false}
)

// The connector.
var (
	opConnector         = &operation{api: "Client.RemoteAssistanceConnector"} // the requests of its list are opListPartners
	opListPartners      = &operation{"Client.NewListRemoteAssistancePartnersPager", "list remote-assistance partners", permissionReadConnector, rightReadConnector, false}
	opGetPartner        = &operation{"Client.GetRemoteAssistancePartner", "read remote-assistance partner", permissionReadConnector, rightReadConnector, false}
	opCreatePartner     = &operation{"Client.CreateRemoteAssistancePartner", "create remote-assistance partner", permissionManageConnector, rightUpdateConnector, false}
	opUpdatePartner     = &operation{"Client.UpdateRemoteAssistancePartner", "update remote-assistance partner", permissionManageConnector, rightUpdateConnector, false}
	opDeletePartner     = &operation{"Client.DeleteRemoteAssistancePartner", "delete remote-assistance partner", permissionManageConnector, rightUpdateConnector, false}
	opOnboardPartner    = &operation{"Client.OnboardRemoteAssistancePartner", "begin onboarding of remote-assistance partner", permissionManageConnector, rightUpdateConnector, false}
	opDisconnectPartner = &operation{"Client.DisconnectRemoteAssistancePartner", "disconnect remote-assistance partner", permissionManageConnector, rightUpdateConnector, false}
)

// Intune's own audit events.
var (
	opListAuditEvents = &operation{"Client.NewListAuditEventsPager", "list audit events", permissionReadAudit, rightReadAudit, false}
	opAuditEvents     = &operation{"Client.AuditEvents", "list audit events", permissionReadAudit, rightReadAudit, false}
)

// opToken asks the credential and not Graph, so it has no span.
var opToken = &operation{text: "get a token"}
