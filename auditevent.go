package intune

import (
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/go-intune/intune/internal/graphjson"
)

// AuditEvent is one entry of Intune's own audit log. Printed or logged, it shows neither people nor addresses; JSON
// shows all of it. The schema has no enumerations for it, so the texts are the service's own.
//
// Source: https://learn.microsoft.com/graph/api/resources/intune-auditing-auditevent (v1.0).
type AuditEvent struct {
	// ID is the key of the event.
	ID string `json:"id,omitzero"`

	// DisplayName is the name of the event.
	DisplayName string `json:"displayName,omitzero"`

	// ComponentName is the part of Intune that wrote it.
	ComponentName string `json:"componentName,omitzero"`

	// Actor is who did it.
	Actor AuditActor `json:"actor,omitzero"`

	// Activity is what was done, in words.
	Activity string `json:"activity,omitzero"`

	// ActivityDateTime is when it was done.
	ActivityDateTime time.Time `json:"activityDateTime,omitzero"`

	// ActivityType is the kind of activity, such as ActivityRequestRemoteAssistance.
	ActivityType string `json:"activityType,omitzero"`

	// ActivityOperationType is the operation, such as "Create", "Delete", "Patch" or "Action".
	ActivityOperationType string `json:"activityOperationType,omitzero"`

	// ActivityResult is how it ended, such as "Success".
	ActivityResult string `json:"activityResult,omitzero"`

	// CorrelationID is the client-request-id of the request, according to the description in the schema.
	CorrelationID string `json:"correlationId,omitzero"`

	// Resources are the objects that it was done to. For an action on a device, the ResourceID is the Intune id of the
	// device.
	Resources []AuditResource `json:"resources,omitzero"`

	// Category is the area of Intune, such as "Device".
	Category string `json:"category,omitzero"`
}

// UnmarshalJSON reads an event as the service sends it; see [ManagedDevice.UnmarshalJSON].
func (e *AuditEvent) UnmarshalJSON(data []byte) error { return graphjson.Unmarshal(data, e) }

// String shows ids, texts of the service and the time, and neither people nor addresses.
func (e AuditEvent) String() string {
	return describe("audit event", "id", e.ID, "activity_type", e.ActivityType, "activity_result", e.ActivityResult,
		"correlation_id", e.CorrelationID, "activity_date_time", timeText(e.ActivityDateTime))
}

// Format shows [AuditEvent.String] whatever the verb.
func (e AuditEvent) Format(state fmt.State, _ rune) { _, _ = io.WriteString(state, e.String()) }

// LogValue groups what [AuditEvent.String] shows.
func (e AuditEvent) LogValue() slog.Value {
	attributes := []slog.Attr{slog.String("id", e.ID)}
	attributes = appendText(attributes, "activity_type", e.ActivityType)
	attributes = appendText(attributes, "activity_result", e.ActivityResult)
	attributes = appendText(attributes, "correlation_id", e.CorrelationID)
	return slog.GroupValue(appendTime(attributes, "activity_date_time", e.ActivityDateTime)...)
}

// AuditActor is who did something: a user, an application, or both. Printed or logged, it shows only its kind and the
// application's id.
//
// Source: https://learn.microsoft.com/graph/api/resources/intune-auditing-auditactor (v1.0).
type AuditActor struct {
	// AuditActorType is the kind of actor, in the service's words.
	AuditActorType string `json:"auditActorType,omitzero"`

	// UserPermissions are the permissions that the user held.
	UserPermissions []string `json:"userPermissions,omitzero"`

	// ApplicationID is the client id of the application.
	ApplicationID string `json:"applicationId,omitzero"`

	// ApplicationDisplayName is the name of the application.
	ApplicationDisplayName string `json:"applicationDisplayName,omitzero"`

	// UserPrincipalName is the sign-in name of the user.
	UserPrincipalName string `json:"userPrincipalName,omitzero"`

	// ServicePrincipalName is the name of the application's service principal.
	ServicePrincipalName string `json:"servicePrincipalName,omitzero"`

	// IPAddress is where the request came from.
	IPAddress string `json:"ipAddress,omitzero"`

	// UserID is the Entra object id of the user.
	UserID string `json:"userId,omitzero"`
}

// String shows the kind of actor and the application's id.
func (a AuditActor) String() string {
	return describe("audit actor", "type", a.AuditActorType, "application_id", a.ApplicationID)
}

// Format shows [AuditActor.String] whatever the verb.
func (a AuditActor) Format(state fmt.State, _ rune) { _, _ = io.WriteString(state, a.String()) }

// LogValue is [AuditActor.String].
func (a AuditActor) LogValue() slog.Value { return slog.StringValue(a.String()) }

// AuditResource is an object that something was done to. Printed or logged, it shows only its kind and id.
//
// Source: https://learn.microsoft.com/graph/api/resources/intune-auditing-auditresource (v1.0).
type AuditResource struct {
	// DisplayName is the name of the resource, such as that of a device.
	DisplayName string `json:"displayName,omitzero"`

	// ModifiedProperties are the properties that changed.
	ModifiedProperties []AuditProperty `json:"modifiedProperties,omitzero"`

	// AuditResourceType is the kind of resource, in the service's words.
	AuditResourceType string `json:"auditResourceType,omitzero"`

	// ResourceID is the id of the resource.
	ResourceID string `json:"resourceId,omitzero"`
}

// String shows the kind and the id.
func (r AuditResource) String() string {
	return describe("audit resource", "type", r.AuditResourceType, "id", r.ResourceID)
}

// Format shows [AuditResource.String] whatever the verb.
func (r AuditResource) Format(state fmt.State, _ rune) { _, _ = io.WriteString(state, r.String()) }

// LogValue is [AuditResource.String].
func (r AuditResource) LogValue() slog.Value { return slog.StringValue(r.String()) }

// AuditProperty is a property that changed. Printed or logged, it shows only its name.
//
// Source: https://learn.microsoft.com/graph/api/resources/intune-auditing-auditproperty (v1.0).
type AuditProperty struct {
	// DisplayName is the name of the property.
	DisplayName string `json:"displayName,omitzero"`

	// OldValue and NewValue are the values before and after.
	OldValue string `json:"oldValue,omitzero"`
	NewValue string `json:"newValue,omitzero"`
}

// String shows the name of the property.
func (p AuditProperty) String() string { return describe("audit property", "name", p.DisplayName) }

// Format shows [AuditProperty.String] whatever the verb.
func (p AuditProperty) Format(state fmt.State, _ rune) { _, _ = io.WriteString(state, p.String()) }

// LogValue is [AuditProperty.String].
func (p AuditProperty) LogValue() slog.Value { return slog.StringValue(p.String()) }
