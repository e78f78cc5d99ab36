package notify

import (
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"github.com/leat-dev/leat/internal/value"
)

// Addresses of Slack: an incoming webhook, and what starts a workflow.
const (
	slackHook     = `(?i)^https?://(hooks\.slack(?:-gov)?\.com)/services/([A-Z0-9]+)/([A-Z0-9]+)/([A-Z0-9]+)/?(?:\?.*)?$`
	slackWorkflow = `(?i)^https?://hooks\.slack\.com/(workflows|triggers)/([A-Z0-9][A-Z0-9/_-]+)(?:\?.*)?$`
)

// slack composes for Slack's incoming webhooks and for services that take what
// these take. Slack says ok in the body of its answer.
func slack(f *fields, m *message) []*call {
	target := f.needed("url")
	if f.err != nil {
		return nil
	}
	if path := regexp.MustCompile(slackWorkflow).FindStringSubmatch(target); path != nil {
		text := m.body
		if m.subject != "" {
			text = m.subject + ": " + m.body
		}
		c := slackPost("https://hooks.slack.com/"+strings.ToLower(path[1])+"/"+strings.Trim(path[2], "/"), value.Of("text", text))
		c.ok = statuses(http.StatusOK)
		return []*call{c}
	}
	hook := regexp.MustCompile(slackHook).FindStringSubmatch(target)
	if hook == nil {
		if !isAddress(target) {
			f.fail("url: not a URL of HTTP")
		}
		return []*call{slackPost(target, slackPayload(m))}
	}
	c := slackPost("https://"+strings.ToLower(hook[1])+"/services/"+hook[2]+"/"+hook[3]+"/"+hook[4], slackPayload(m))
	c.ok = func(a *Answer) bool { return a.Status == http.StatusOK && a.Body == "ok" }
	return []*call{c}
}

func slackPost(target string, payload *value.Object) *call {
	return post(target, payload, "Accept", "application/json", "Content-Type", "application/json; charset=utf-8")
}

func slackPayload(m *message) *value.Object {
	escaped := strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")
	attachment := value.Of("title", escaped.Replace(m.subject), "text", slackLinks(escaped.Replace(m.body)), "color", m.color(),
		"footer_icon", m.icon(72), "footer", appName)
	if !m.at.IsZero() {
		attachment.Set("ts", float64(m.at.UnixMicro())/1e6)
	}
	return value.Of("mrkdwn", true, "attachments", []any{attachment}, "icon_url", m.icon(72))
}

// slackLinks gives links and mentions, such as <https://example.com|name> or
// <!channel>, their brackets back.
func slackLinks(body string) string {
	entry := regexp.MustCompile(`(?i)&lt;[ \t]*([!@][^|\s]+?|(?:https?|mailto)://[^|\s]+?)[ \t]*(?:\|[ \t]*([^\n]*?)[ \t]*)?&gt;`)
	return entry.ReplaceAllStringFunc(body, func(match string) string {
		parts := entry.FindStringSubmatch(match)
		target, name := parts[1], parts[2]
		if strings.Contains(target, "://") {
			target = strings.ReplaceAll(target, "&amp;", "&")
		}
		if name == "" {
			return "<" + target + ">"
		}
		return "<" + target + "|" + name + ">"
	})
}

// teams composes for a workflow of Microsoft Teams, which shows an adaptive card.
func teams(f *fields, m *message) []*call {
	target, image, wrap := f.address("url"), f.flag("include_image", true), f.flag("wrap", true)
	var shown []any
	if image {
		shown = append(shown, value.Of("type", "Image", "url", m.icon(32), "height", "32px", "altText", m.kind))
	}
	if m.subject != "" {
		shown = append(shown, value.Of("type", "TextBlock", "text", m.subject, "style", "heading", "weight", "Bolder", "size", "Large", "id", "title"))
	}
	shown = append(shown, value.Of("type", "TextBlock", "text", m.body, "style", "default", "wrap", wrap, "id", "body"))
	card := value.Of("$schema", "http://adaptivecards.io/schemas/adaptive-card.json", "type", "AdaptiveCard", "version", "1.4", "body", shown,
		"msteams", teamsWidth(m.body))
	c := post(target, value.Of("type", "message", "attachments", []any{
		value.Of("contentType", "application/vnd.microsoft.card.adaptive", "contentUrl", nil, "content", card),
	}))
	c.ok = statuses(http.StatusOK, http.StatusAccepted)
	return []*call{c}
}

// teamsWidth is how Teams shows a card, with the people that its text mentions
// as <at>somebody</at>.
func teamsWidth(body string) *value.Object {
	o := value.Of("width", "full")
	seen := map[string]bool{}
	var entities []any
	for _, match := range regexp.MustCompile(`(?i)<at>(.*?)</at>`).FindAllStringSubmatch(body, -1) {
		id := strings.TrimSpace(match[1])
		if id == "" || seen[id] {
			continue
		}
		seen[id] = true
		entities = append(entities, value.Of("type", "mention", "text", match[0], "mentioned", value.Of("id", id, "name", id)))
	}
	if entities != nil {
		o.Set("entities", entities)
	}
	return o
}

// mattermost composes for incoming webhooks of Mattermost: one call for each channel.
func mattermost(f *fields, m *message) []*call {
	scheme := "http"
	if f.flag("secure", false) {
		scheme = "https"
	}
	path := strings.Trim(f.text("path", ""), "/")
	if path != "" {
		path = "/" + path
	}
	port := strconv.Itoa(int(f.number("port", 8065)))
	target := scheme + "://" + f.needed("hostname") + ":" + port + path + "/hooks/" + f.needed("token")
	channels, icon, name := f.list("channels"), f.flag("include_image", false), f.text("botname", "")
	if f.err == nil && !isAddress(target) {
		f.fail("hostname: not the name of a host")
	}
	if name == "" {
		name = "Apprise"
	}
	if len(channels) == 0 {
		channels = []string{""}
	}
	calls := make([]*call, 0, len(channels))
	for _, channel := range channels {
		payload := value.Of("text", m.merged())
		if icon {
			payload.Set("icon_url", m.icon(72))
		}
		payload.Set("username", name)
		if channel = strings.TrimLeft(strings.TrimSpace(channel), "#"); channel != "" {
			payload.Set("channel", channel)
		}
		c := post(target, payload, "User-Agent", "Apprise")
		c.ok = statuses(http.StatusOK)
		calls = append(calls, c)
	}
	return calls
}

// discord composes for a webhook of Discord, which takes no empty message.
func discord(f *fields, m *message) []*call {
	target := "https://discord.com/api/webhooks/" + segment(f.needed("webhook_id")) + "/" + segment(f.needed("webhook_token"))
	tts := f.flag("tts", false)
	payload := value.Of("tts", tts, "wait", !tts)
	if f.flag("avatar", false) {
		address := f.text("avatar_url", "")
		if address == "" {
			address = m.icon(256)
		}
		payload.Set("avatar_url", address)
	}
	if name := f.text("botname", ""); name != "" {
		payload.Set("username", name)
	}
	if m.body == "" {
		return nil
	}
	payload.Set("content", m.merged())
	c := post(target, payload, "Content-Type", "application/json; charset=utf-8")
	c.ok = statuses(http.StatusOK, http.StatusNoContent)
	return []*call{c}
}
