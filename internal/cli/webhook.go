package cli

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/leat-dev/leat/internal/client"
	"github.com/leat-dev/leat/internal/core"
)

func webhookCommand(env *Env) *cobra.Command {
	cmd := group("webhook", "List, create, show, switch, rotate and delete inbound webhooks",
		webhookLsCommand(env),
		webhookCreateCommand(env),
		webhookShowCommand(env),
		webhookToggleCommand(env),
		webhookRotateCommand(env),
		webhookDeleteCommand(env),
	)
	cmd.Long = `List, create, show, switch, rotate and delete inbound webhooks.

Whoever knows a webhook's address can send requests there, and each becomes an
event: the webhook's template says which. A webhook is named by its name or id.`
	return cmd
}

// onWebhook is a command whose only argument is a webhook.
func onWebhook(env *Env, cmd *cobra.Command, do func(ctx context.Context, c *client.Client, w client.Webhook) error) *cobra.Command {
	cmd.Args = args("WEBHOOK")
	cmd.RunE = func(cmd *cobra.Command, given []string) error {
		c, err := env.api("")
		if err != nil {
			return err
		}
		w, err := findWebhook(cmd.Context(), c, given[0])
		if err != nil {
			return err
		}
		return do(cmd.Context(), c, w)
	}
	return cmd
}

// findWebhook finds a webhook by its name or id.
func findWebhook(ctx context.Context, c *client.Client, text string) (client.Webhook, error) {
	if id, err := core.ParseID(text); err == nil {
		w, err := c.Webhook(ctx, id)
		return w, orNotFound(err, "webhook", text)
	}
	const page = 200
	for offset := 0; ; offset += page {
		list, err := c.Webhooks(ctx, client.Query{"limit": page, "offset": offset})
		if err != nil {
			return client.Webhook{}, err
		}
		for _, w := range list {
			if w.Name == text {
				return w, nil
			}
		}
		if len(list) < page {
			return client.Webhook{}, fmt.Errorf("webhook %q not found; leat webhook ls lists what there is", text)
		}
	}
}

func webhookState(w *client.Webhook) string {
	if w.Enabled {
		return "enabled"
	}
	return "disabled"
}

func webhookLsCommand(env *Env) *cobra.Command {
	return lister[client.Webhook]{
		nouns: "webhooks", limit: 200, heading: "WEBHOOK,STATE,DESCRIPTION,ID",
		find: func(ctx context.Context, c *client.Client, limit int) ([]client.Webhook, func(*client.Webhook) []string, error) {
			list, err := c.Webhooks(ctx, client.Query{"limit": limit})
			return list, func(w *client.Webhook) []string {
				return []string{w.Name, webhookState(w), w.Description, w.ID.String()}
			}, err
		},
	}.command(env, &cobra.Command{Use: "ls", Short: "List inbound webhooks", Args: args()})
}

func webhookCreateCommand(env *Env) *cobra.Command {
	cmd := &cobra.Command{
		Use: "create WEBHOOK", Short: "Create an inbound webhook", Args: args("WEBHOOK"),
		Example: `  leat webhook create ci --template '{"event": "ci.{{ body.status }}", "resource": {"prefect.resource.id": "ci.{{ body.branch }}"}}'
  leat webhook create shop --template '{{ body|from_cloud_event(headers) }}'`,
	}
	template := cmd.Flags().String("template", "", "what makes an event of a request's body, headers and method")
	file := cmd.Flags().String("template-file", "", "file with the template")
	description := cmd.Flags().String("description", "", "text for people")
	cmd.RunE = func(cmd *cobra.Command, given []string) error {
		if (*template == "") == (*file == "") {
			return usagef("name a template by --template TEXT or --template-file FILE")
		}
		if *file != "" {
			data, err := os.ReadFile(*file)
			if err != nil {
				return err
			}
			*template = string(data)
		}
		c, err := env.api("")
		if err != nil {
			return err
		}
		body := client.WebhookCreate{Name: given[0], Template: *template}
		body.Description.Set, body.Description.Value = true, *description
		w, err := c.CreateWebhook(cmd.Context(), body)
		if err != nil {
			return err
		}
		env.say("Webhook %s is created. Send requests to:  %s", w.Name, c.HookURL(w.Slug))
		return nil
	}
	return cmd
}

func webhookShowCommand(env *Env) *cobra.Command {
	cmd := &cobra.Command{Use: "show WEBHOOK", Short: "Show an inbound webhook with its address and template"}
	out := addOutput(env, cmd)
	return onWebhook(env, cmd, func(_ context.Context, c *client.Client, w client.Webhook) error {
		return out.show(w, func(to io.Writer) {
			fields(to, "Webhook", w.Name, "Id", w.ID.String(), "State", webhookState(&w), "Description", w.Description,
				"Address", c.HookURL(w.Slug), "Created", timeText(&w.Created))
			_, _ = fmt.Fprintf(to, "\n%s\n", w.Template)
		})
	})
}

func webhookToggleCommand(env *Env) *cobra.Command {
	cmd := &cobra.Command{Use: "toggle WEBHOOK", Short: "Disable an inbound webhook, or enable it again"}
	return onWebhook(env, cmd, func(ctx context.Context, c *client.Client, w client.Webhook) error {
		w.Enabled = !w.Enabled
		if err := c.EnableWebhook(ctx, w.ID, w.Enabled); err != nil {
			return err
		}
		env.say("Webhook %s is %s", w.Name, webhookState(&w))
		return nil
	})
}

func webhookRotateCommand(env *Env) *cobra.Command {
	cmd := &cobra.Command{
		Use: "rotate WEBHOOK", Short: "Give an inbound webhook another address",
		Long: "Give an inbound webhook another address. Requests to the old one are refused from then on.",
	}
	return onWebhook(env, cmd, func(ctx context.Context, c *client.Client, w client.Webhook) error {
		turned, err := c.RotateWebhook(ctx, w.ID)
		if err != nil {
			return err
		}
		env.say("Webhook %s now takes requests at:  %s", w.Name, c.HookURL(turned.Slug))
		return nil
	})
}

func webhookDeleteCommand(env *Env) *cobra.Command {
	cmd := &cobra.Command{Use: "delete WEBHOOK", Short: "Delete an inbound webhook"}
	return onWebhook(env, cmd, func(ctx context.Context, c *client.Client, w client.Webhook) error {
		if err := c.DeleteWebhook(ctx, w.ID); err != nil {
			return err
		}
		env.say("Webhook %s is deleted", w.Name)
		return nil
	})
}
