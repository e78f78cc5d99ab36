package notify

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

// twilio composes an SMS, or a message of WhatsApp, for each number. Numbers
// that are none are left out; without any the sender gets the message itself.
func twilio(f *fields, m *message) []*call {
	account, token := f.needed("account_sid"), f.needed("auth_token")
	if f.err == nil && !regexp.MustCompile(`(?i)^AC[a-f0-9]+$`).MatchString(account) {
		f.fail("account_sid: not AC and hexadecimal digits")
	}
	if f.err == nil && !regexp.MustCompile(`(?i)^[a-z0-9]+$`).MatchString(token) {
		f.fail("auth_token: holds something else than letters and digits")
	}
	from := phoneOf(f.needed("from_phone_number"), 5)
	short := len(from.digits) == 5 || len(from.digits) == 6
	if f.err == nil && !short && len(from.digits) < 11 {
		f.fail("from_phone_number: not the number of a phone")
	}
	sender := from.digits
	if !short {
		sender = "+" + sender
	}
	var to []phone
	for _, entry := range f.list("to_phone_numbers") {
		p := phoneOf(entry, 10)
		p.whatsapp = p.whatsapp || from.whatsapp
		if p.digits != "" && (!short || !p.whatsapp) {
			to = append(to, phone{"+" + p.digits, p.whatsapp})
		}
	}
	if len(to) == 0 && short && f.err == nil {
		f.fail("to_phone_numbers: no number of a phone")
	}
	if len(to) == 0 {
		to = []phone{{sender, from.whatsapp}}
	}
	calls := make([]*call, 0, len(to))
	for _, p := range to {
		form := url.Values{"Body": {m.merged()}, "From": {p.kind() + sender}, "To": {p.kind() + p.digits}}
		calls = append(calls, &call{
			method: http.MethodPost, url: "https://api.twilio.com/2010-04-01/Accounts/" + account + "/Messages.json", body: []byte(form.Encode()),
			header: http.Header{
				"User-Agent": {appName}, "Accept": {"application/json"}, "Content-Type": {"application/x-www-form-urlencoded"},
				"Authorization": {"Basic " + base64.StdEncoding.EncodeToString([]byte(account+":"+token))},
			},
			ok: statuses(http.StatusOK, http.StatusCreated),
		})
	}
	return calls
}

// phone is a number, as digits, and the way to it.
type phone struct {
	digits   string
	whatsapp bool
}

func (p phone) kind() string {
	if p.whatsapp {
		return "whatsapp:"
	}
	return ""
}

// phoneOf reads a number as people write them; it has no digits when it is none.
func phoneOf(text string, least int) phone {
	parts := regexp.MustCompile(`(?i)^\s*(?:(w)[a-z]*:|[a-z]+:)?([0-9\s)(+.-]+)$`).FindStringSubmatch(text)
	if parts == nil {
		return phone{}
	}
	digits := strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, parts[2])
	if len(digits) < least || len(digits) > 14 {
		digits = ""
	}
	return phone{digits, parts[1] != ""}
}
