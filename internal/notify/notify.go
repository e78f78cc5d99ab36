// Package notify sends the notifications of automations and calls their
// webhooks: a block of one of Prefect's notification types, a subject and a
// body become the requests that the service behind the block understands.
//
// What is sent has the shape that Prefect's own blocks send, so that a channel
// shows the same whichever server notifies. Three rules hold for every kind:
// addresses of private networks are refused when the connection is made, unless
// the operator allows them (Guard); nothing waits for long; and no error holds a
// secret, which the address of a webhook is as well.
package notify

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
	"unicode"

	"github.com/leat-dev/leat/internal/value"
)

// Block is a block document that notifies or is called.
type Block struct {
	// TypeSlug is the slug of its block type, such as "slack-webhook".
	TypeSlug string
	// Data are its fields, secrets in the clear.
	Data *value.Object
}

// Sender sends notifications. Its zero value works and reaches public addresses alone.
type Sender struct {
	// Guard says which private addresses may be reached; nil allows none.
	Guard *Guard
	// Timeout bounds one request or one mail; 0 means 10 seconds.
	Timeout time.Duration
	// Now is the clock for services that show a time; nil leaves the time out.
	Now func() time.Time
	// Client sends instead of a client behind the Guard, which then guards mail
	// alone; it is for tests.
	Client *http.Client
}

// Unsupported says that a block is of no type that notifies, or cannot be called.
type Unsupported struct{ TypeSlug string }

// Error implements error.
func (e *Unsupported) Error() string {
	return fmt.Sprintf("a block of type %q sends no notifications", e.TypeSlug)
}

// Invalid says that a block's fields cannot be used as they are.
type Invalid struct{ Reason string }

// Error implements error.
func (e *Invalid) Error() string { return e.Reason }

func invalid(format string, args ...any) error { return &Invalid{fmt.Sprintf(format, args...)} }

// message is what is said. The kind is info, success, warning or failure.
type message struct {
	subject, body, kind string
	whole               string    // the body with the space at its end
	at                  time.Time // zero when there is no clock
}

// merged is the message of a service that knows no subjects.
func (m *message) merged() string {
	if m.subject == "" {
		return m.body
	}
	return m.subject + "\r\n" + m.body
}

// icon is the address of the picture of the message's kind, as large as size, in pixels.
func (m *message) icon(size int) string {
	return fmt.Sprintf("https://github.com/caronc/apprise/raw/master/apprise/assets/themes/default/apprise-%s-%dx%d.png", m.kind, size, size)
}

// color is how the kind is shown.
func (m *message) color() string {
	switch m.kind {
	case "success":
		return "#3AA337"
	case "failure":
		return "#A32037"
	case "warning":
		return "#CACF29"
	default:
		return "#3AA3E3"
	}
}

// appName is who the services are told is speaking.
const appName = "Prefect Notifications"

// composer makes the requests of one kind of block.
type composer func(f *fields, m *message) []*call

// composerOf is the composer of a block type that notifies by HTTP, or nil.
func composerOf(slug string) composer {
	switch slug {
	case "slack-webhook":
		return slack
	case "ms-teams-webhook":
		return teams
	case "pager-duty-webhook":
		return pagerDuty
	case "opsgenie-webhook":
		return opsgenie
	case "twilio-sms":
		return twilio
	case "mattermost-webhook":
		return mattermost
	case "discord-webhook":
		return discord
	case "sendgrid-email":
		return sendgrid
	default:
		return nil
	}
}

// mailSlug is the block type of prefect-email's EmailServerCredentials.
const mailSlug = "email-server-credentials"

// customSlug is the block type of CustomWebhookNotificationBlock.
const customSlug = "custom-webhook"

// Supports reports whether blocks of a type can notify.
func Supports(typeSlug string) bool {
	return typeSlug == customSlug || typeSlug == mailSlug || composerOf(typeSlug) != nil
}

// Send sends a message through a block. Errors: Unsupported, Invalid, and others
// that name the host and what it answered. Where a block stands for several
// recipients each is tried.
func (s *Sender) Send(ctx context.Context, b Block, subject, body string) error {
	f := &fields{data: b.Data}
	m := &message{subject: valid(subject), body: valid(body), kind: f.choice("notify_type", "info", "success", "warning", "failure")}
	if s.Now != nil {
		m.at = s.Now()
	}
	switch compose := composerOf(b.TypeSlug); {
	case b.TypeSlug == customSlug:
		return s.sendCustom(ctx, f, m)
	case b.TypeSlug == mailSlug:
		return s.sendMail(ctx, f, m)
	case compose != nil:
		m.subject, m.body, m.whole = strings.TrimSpace(m.subject), strings.TrimRightFunc(m.body, unicode.IsSpace), m.body
		return s.all(ctx, f, compose(f, m))
	default:
		return &Unsupported{b.TypeSlug}
	}
}

// all makes every call, whatever became of those before it.
func (s *Sender) all(ctx context.Context, f *fields, calls []*call) error {
	guard := s.guardOf(f)
	if f.err != nil {
		return f.err
	}
	var failures []error
	for _, c := range calls {
		c.redirects = true
		answer, err := s.exchange(ctx, guard, c)
		if err == nil && !c.accepts(answer) {
			err = refused(c, answer)
		}
		failures = append(failures, err)
	}
	return errors.Join(failures...)
}

// guardOf is the guard for a block, which may be stricter than the operator.
func (s *Sender) guardOf(f *fields) *Guard {
	if !f.flag("allow_private_urls", true) {
		return nil
	}
	return s.Guard
}

func valid(text string) string { return strings.ToValidUTF8(text, "\uFFFD") }
