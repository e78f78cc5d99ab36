package notify

import (
	"net/http"

	"github.com/leat-dev/leat/internal/value"
)

// sendgrid composes a mail for each recipient; without any the sender gets it itself.
func sendgrid(f *fields, m *message) []*call {
	key, from, to := f.needed("api_key"), f.needed("sender_email"), f.list("to_emails")
	if len(to) == 0 {
		to = []string{from}
	}
	subject := m.subject
	if subject == "" {
		subject = "<no subject>"
	}
	calls := make([]*call, 0, len(to))
	for _, address := range to {
		c := post("https://api.sendgrid.com/v3/mail/send", value.Of(
			"personalizations", []any{value.Of("to", []any{value.Of("email", address)})}, "from", value.Of("email", from),
			"subject", subject, "content", []any{value.Of("type", "text/html", "value", m.body)},
		), "Authorization", "Bearer "+key)
		c.ok = statuses(http.StatusOK, http.StatusAccepted)
		calls = append(calls, c)
	}
	return calls
}
