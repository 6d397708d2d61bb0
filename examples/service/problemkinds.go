package main

import (
	"fmt"
	"net/http"
)

// kind is what a problem is about: the last part of its type, and its texts.
type kind struct {
	name   string
	status int
	title  string
	detail string
}

// with is a problem of a kind.
func (k kind) with(extra problemExtra) *problem { return &problem{kind: k, extra: extra} }

// because is a problem of a kind with its cause, which only the log shows.
func (k kind) because(cause error) *problem { return &problem{kind: k, cause: cause} }

// saying is a problem of a kind that says more of this case than the kind does. The text is the service's own.
func (k kind) saying(about string) *problem { return &problem{kind: k, about: about} }

// The kinds. Callers can rely on the names and the statuses.
var (
	kindNotSignedIn = kind{
		"not-signed-in", http.StatusUnauthorized, "Not signed in",
		"Sign in first. Programs send a bearer token for this service.",
	}
	kindSignInAgain = kind{
		"sign-in-again", http.StatusUnauthorized, "The sign-in is no longer good",
		"Microsoft does not accept this sign-in any more. Sign in again.",
	}
	kindSignInFailed = kind{
		"sign-in-failed", http.StatusForbidden, "The sign-in did not work",
		"Start again from the page of this service. If this happens again, give your administrator the request id.",
	}
	kindSignInUnavailable = kind{
		"sign-in-unavailable", http.StatusServiceUnavailable, "Microsoft's sign-in cannot be reached",
		"Nobody was asked. Try again in a minute.",
	}
	kindOtherPerson = kind{
		"other-person", http.StatusConflict, "This browser has signed in again",
		"Nothing was done. Load the page again to go on with the new sign-in.",
	}
	kindForeignSite = kind{
		"foreign-site", http.StatusForbidden, "The request came from another site",
		"Requests that change something are taken from this service's own page only, or with a bearer token.",
	}
	kindWrongHost = kind{
		"wrong-host", http.StatusMisdirectedRequest, "The address is not one of this service",
		"Use the address that your administrator gave you.",
	}
	kindMalformed = kind{
		"malformed", http.StatusBadRequest, "The request cannot be read",
		"The file openapi.yaml of this service says what the request should look like.",
	}
	kindNoKey = kind{
		"idempotency-key-missing", http.StatusBadRequest, "The header Idempotency-Key is missing",
		"Send a key of 8 to 128 letters, digits, and - _ . : of your own, and the same key again when you try again. " +
			"It keeps the user from being asked twice.",
	}
	kindKeyReused = kind{
		"idempotency-key-reused", http.StatusUnprocessableEntity, "The key was used for another request",
		"Use a new key for a new request. If you cannot see the earlier one, its user may have been asked.",
	}
	kindNoReference = kind{
		"reference-missing", http.StatusBadRequest, "The reference is missing",
		"Say what the request is for, such as the number of a ticket.",
	}
	kindBadReference = kind{
		"reference-not-accepted", http.StatusBadRequest, "The reference is not accepted",
		"It should be one line, of at most 100 characters, in the form that your help desk uses.",
	}
	kindNotFound = kind{
		"not-found", http.StatusNotFound, "There is nothing here",
		"There is no such page or session, or it is not yours.",
	}
	kindNoDevice = kind{
		"no-such-device", http.StatusNotFound, "Intune does not know the device",
		"It may have been enrolled again, which gives it a new id. Search for it again.",
	}
	kindDeviceBusy = kind{
		"device-busy", http.StatusConflict, "The device's user is being asked already",
		"Wait until that request has ended: nobody can tell whose link it would be.",
	}
	kindNotReady = kind{
		"no-link", http.StatusConflict, "There is no link to open",
		"The session has no link, or not yet.",
	}
	kindOpened = kind{
		"link-used", http.StatusGone, "The link was opened before",
		"A link is handed out once. Ask again if the session did not start.",
	}
	kindNotWaiting = kind{
		"cannot-wait", http.StatusConflict, "There is nothing to wait for",
		"The session has ended, or somebody asked the same device later.",
	}
	kindForbidden = kind{
		"not-allowed", http.StatusForbidden, "Intune does not allow it",
		"Your account lacks a right that this needs. Give your administrator the request id.",
	}
	kindTenant = kind{
		"not-set-up", http.StatusBadGateway, "Remote assistance is not set up",
		"Intune refused the request. Nobody was asked. Give your administrator the request id.",
	}
	kindThrottled = kind{
		"intune-busy", http.StatusServiceUnavailable, "Intune is busy",
		"Intune takes no more requests at the moment. Nobody was asked. Try again later.",
	}
	kindUnavailable = kind{
		"intune-unavailable", http.StatusBadGateway, "Intune does not answer",
		"Intune could not be reached or failed. Nobody was asked. Try again later.",
	}
	kindFull = kind{
		"too-many-waits", http.StatusServiceUnavailable, "Too many sessions are being waited for",
		"Nobody was asked. Try again in a minute.",
	}
	kindTooFast = kind{
		"too-many-requests", http.StatusTooManyRequests, "Too many requests in a short time",
		"Nobody was asked. Try again in a minute.",
	}
	kindStopping = kind{
		"stopping", http.StatusServiceUnavailable, "The service is being restarted",
		"Nobody was asked. Try again in a minute, with the same key.",
	}
	kindRecord = kind{
		"record-unavailable", http.StatusServiceUnavailable, "The service cannot write its record",
		"Nobody was asked, and no link was handed out. Try again in a minute, with the same key.",
	}
	kindInternal = kind{
		"internal", http.StatusInternalServerError, "The service failed",
		"Give your administrator the request id.",
	}
)

func kinds() []kind {
	return []kind{
		kindNotSignedIn, kindSignInAgain, kindSignInFailed, kindSignInUnavailable, kindOtherPerson, kindForeignSite, kindWrongHost,
		kindMalformed, kindNoKey, kindKeyReused, kindNoReference, kindBadReference, kindNotFound, kindNoDevice, kindDeviceBusy,
		kindNotReady, kindOpened, kindNotWaiting, kindForbidden, kindTenant, kindThrottled, kindUnavailable, kindFull, kindTooFast,
		kindStopping, kindRecord, kindInternal,
	}
}

// getProblem explains the type of a problem, which is the address of this page.
func getProblem(w http.ResponseWriter, r *http.Request) {
	for _, k := range kinds() {
		if k.name == r.PathValue("name") {
			w.Header().Set("Content-Type", "text/plain; charset=utf-8")
			_, _ = fmt.Fprintf(w, "%s (%d)\n\n%s\n", k.title, k.status, k.detail)
			return
		}
	}
	refuse(w, r, kindNotFound.with(problemExtra{}))
}
