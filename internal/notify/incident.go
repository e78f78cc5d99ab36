package notify

import (
	"net/http"
	"net/url"
	"strconv"
	"unicode/utf8"

	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/value"
)

// segment is a text as one part of a path.
func segment(text string) string { return url.PathEscape(text) }

// pagerDuty composes an event of PagerDuty's Events API v2. Beside a subject the
// body stands among the details.
func pagerDuty(f *fields, m *message) []*call {
	host := "events.pagerduty.com"
	if f.choice("region_name", "us", "eu") == "eu" {
		host = "events.eu.pagerduty.com"
	}
	details := f.object("custom_details").Clone()
	summary := m.body
	if m.subject != "" {
		summary = m.subject + "\r\n"
		details.Set("Prefect Notification Body", m.whole)
	}
	severity := m.kind
	switch m.kind {
	case "success":
		severity = "info"
	case "failure":
		severity = "critical"
	}
	about := value.Of("summary", summary, "severity", severity, "source", f.text("source", "Prefect"), "component", f.text("component", "Notification"))
	for _, named := range [][2]string{{"group", "group"}, {"class", "class_id"}} {
		if text := f.text(named[1], ""); text != "" {
			about.Set(named[0], text)
		}
	}
	if details.Len() > 0 {
		about.Set("custom_details", details)
	}
	payload := value.Of("routing_key", f.needed("integration_key"), "payload", about, "client", appName, "event_action", "trigger")
	if link := f.text("clickable_url", ""); link != "" {
		payload.Set("links", []any{value.Of("href", link)})
	}
	if f.flag("include_image", true) {
		payload.Set("images", []any{value.Of("src", m.icon(128), "alt", m.kind)})
	}
	c := post("https://"+host+"/v2/enqueue", payload, "Authorization", "Token token="+f.needed("api_key"))
	c.ok = statuses(http.StatusOK, http.StatusCreated, http.StatusAccepted)
	return []*call{c}
}

const (
	// opsgenieTitle is how many characters the message of an alert may have.
	opsgenieTitle = 130
	// opsgenieBatch is how many recipients share an alert where they may.
	opsgenieBatch = 50
)

// opsgenie composes alerts: one for each recipient, for groups of them, or one
// alone when the account's routing decides.
func opsgenie(f *fields, m *message) []*call {
	host := "api.opsgenie.com"
	if f.choice("region_name", "us", "eu") == "eu" {
		host = "api.eu.opsgenie.com"
	}
	key, responders := f.needed("apikey"), opsgenieResponders(f)
	together := 1
	if f.flag("batch", false) {
		together = opsgenieBatch
	}
	alert := opsgenieAlert(f, m)
	var calls []*call
	for first := 0; first == 0 || first < len(responders); first += together {
		payload := alert.Clone()
		if len(responders) > 0 {
			payload.Set("responders", responders[first:min(first+together, len(responders))])
		}
		c := post("https://"+host+"/v2/alerts", payload, "Authorization", "GenieKey "+key)
		c.ok = statuses(http.StatusOK, http.StatusAccepted)
		calls = append(calls, c)
	}
	return calls
}

func opsgenieAlert(f *fields, m *message) *value.Object {
	title := m.subject
	if title == "" {
		title = m.body
	}
	if utf8.RuneCountInString(title) > opsgenieTitle {
		title = string([]rune(title)[:opsgenieTitle-3]) + "..."
	}
	details := f.object("details").Clone()
	if _, given := details.Get("type"); !given {
		details.Set("type", m.kind)
	}
	priority := int(f.number("priority", 3))
	if priority < 1 || priority > 5 {
		priority = 3
	}
	alert := value.Of("source", appName, "message", title, "description", m.body, "details", details, "priority", "P"+strconv.Itoa(priority))
	if tags := f.list("tags"); len(tags) > 0 {
		alert.Set("tags", anyOf(tags))
	}
	for _, name := range []string{"entity", "alias"} {
		if text := f.text(name, ""); text != "" {
			alert.Set(name, text)
		}
	}
	return alert
}

func opsgenieResponders(f *fields) []any {
	var responders []any
	for _, kind := range []string{"user", "team", "schedule", "escalation"} {
		for _, target := range f.list("target_" + kind) {
			name := "name"
			if kind == "user" {
				name = "username"
			}
			if _, err := core.ParseID(target); err == nil {
				name = "id"
			}
			if target != "" {
				responders = append(responders, value.Of("type", kind, name, target))
			}
		}
	}
	return responders
}

func anyOf(texts []string) []any {
	list := make([]any, len(texts))
	for i, t := range texts {
		list[i] = t
	}
	return list
}
