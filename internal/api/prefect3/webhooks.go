package prefect3

import (
	"context"
	"net/http"

	"github.com/leat-dev/leat/internal/api"
	"github.com/leat-dev/leat/internal/client"
	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/engine"
	"github.com/leat-dev/leat/internal/wire"
)

// maxHookBody is the size in bytes of the largest request to a webhook.
const maxHookBody = 1 << 20

// webhookRoutes are those of Prefect Cloud, as the commands of prefect cloud
// webhook call them. The reference's server has none.
func (a *API) webhookRoutes(r *api.Router) {
	r.Handle("POST", "/webhooks/", api.Handle(http.StatusCreated, a.createWebhook))
	r.Handle("POST", "/webhooks/filter", api.Handle(http.StatusOK, list[webhookList](a, each(webhooks, client.WebhookOf))))
	r.Handle("GET", "/webhooks/{id:uuid}", api.Handle(http.StatusOK, get[byID](a, one(core.Tx.Webhook, client.WebhookOf))))
	r.Handle("PUT", "/webhooks/{id:uuid}", api.Handle(http.StatusNoContent, a.replaceWebhook))
	r.Handle("PATCH", "/webhooks/{id:uuid}", api.Handle(http.StatusNoContent, a.updateWebhook))
	r.Handle("POST", "/webhooks/{id:uuid}/rotate", api.Handle(http.StatusOK, a.rotateWebhook))
	r.Handle("DELETE", "/webhooks/{id:uuid}", api.Handle(http.StatusNoContent, do[byID](a, a.Engine.DeleteWebhook)))
}

// newHooks serves what webhooks are sent: /hooks/{slug}, outside the API. The
// slug is the secret, nothing else is asked for.
func (a *API) newHooks() *api.Router {
	d := Dialect(a.Log)
	d.BodyLimit = maxHookBody
	r := api.NewRouter(d, "/hooks")
	for _, method := range []string{"GET", "POST", "PUT", "PATCH"} {
		r.HandleOpen(method, "/{slug}", api.Handle(http.StatusNoContent, a.receiveWebhook))
	}
	return r
}

// Hooks serves requests to webhooks, under /hooks.
func (a *API) Hooks() http.Handler { return a.hooks }

type webhookList struct {
	page
	unordered
}

func (webhookList) where() selection { return nil }

func webhooks(tx core.Tx, q core.Query) ([]*core.Webhook, error) {
	return tx.Webhooks(q.Limit, q.Offset)
}

func (a *API) createWebhook(ctx context.Context, in bodyIn[client.WebhookCreate]) (out client.Webhook, err error) {
	w, err := a.Engine.CreateWebhook(ctx, a.workspace(ctx), wholeWebhook(in.Body))
	return shown(w, err, client.WebhookOf)
}

// wholeWebhook is the change that a body with all that matters asks for.
func wholeWebhook(b client.WebhookCreate) engine.WebhookChange {
	return engine.WebhookChange{Name: &b.Name, Description: given(b.Description), Enabled: given(b.Enabled), Template: &b.Template}
}

// given is a value that is there and not null.
func given[T any](v wire.Opt[T]) *T {
	if v.Null {
		return nil
	}
	return v.Ptr()
}

func (a *API) replaceWebhook(ctx context.Context, in idIn[client.WebhookCreate]) (struct{}, error) {
	_, err := a.Engine.UpdateWebhook(ctx, a.workspace(ctx), in.ID, wholeWebhook(in.Body))
	return struct{}{}, err
}

func (a *API) updateWebhook(ctx context.Context, in idIn[client.WebhookUpdate]) (struct{}, error) {
	b := in.Body
	_, err := a.Engine.UpdateWebhook(ctx, a.workspace(ctx), in.ID, engine.WebhookChange{
		Name: given(b.Name), Description: given(b.Description), Enabled: given(b.Enabled), Template: given(b.Template),
	})
	return struct{}{}, err
}

func (a *API) rotateWebhook(ctx context.Context, in byID) (client.Webhook, error) {
	w, err := a.Engine.RotateWebhook(ctx, a.workspace(ctx), in.ID)
	return shown(w, err, client.WebhookOf)
}

type hookIn struct {
	Slug    string `path:"slug"`
	Body    []byte `body:""`
	Request *http.Request
}

// receiveWebhook answers once the event is stored. Prefect Cloud: POST /hooks/{slug}.
func (a *API) receiveWebhook(ctx context.Context, in hookIn) (struct{}, error) {
	return struct{}{}, a.Engine.ReceiveWebhook(ctx, a.workspace(ctx), in.Slug, &engine.WebhookRequest{
		Method: in.Request.Method, Header: engine.WebhookHeader(in.Request.Header), Body: in.Body, At: a.Now(),
	})
}
