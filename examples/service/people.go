package main

// manageScopes are the permissions of a technician's token.
const manageScopes = "DeviceManagementManagedDevices.ReadWrite.All DeviceManagementServiceConfig.Read.All"
