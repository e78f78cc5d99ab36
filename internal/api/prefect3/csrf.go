package prefect3

import (
	"context"
	"net/http"
	"time"

	"github.com/leat-dev/leat/internal/client"
	"github.com/leat-dev/leat/internal/wire"
)

// CSRF says whether clients must show a token with each request that changes something.
type CSRF struct {
	Enabled bool
	// Lifetime of a token; 0 is an hour.
	Lifetime time.Duration
}

type csrfTokenIn struct {
	Client string `query:"client" wire:"required"`
}

// csrfToken gives a client a token, or tells it that it needs none. Prefect
// REST: GET /csrf-token.
func (a *API) csrfToken(ctx context.Context, in csrfTokenIn) (out client.CSRFToken, err error) {
	if !a.CSRF.Enabled {
		return out, refusal(http.StatusUnprocessableEntity, "CSRF protection is disabled.")
	}
	lifetime := a.CSRF.Lifetime
	if lifetime <= 0 {
		lifetime = time.Hour
	}
	token, err := a.Engine.IssueCSRFToken(ctx, a.workspace(ctx), in.Client, lifetime)
	if err != nil {
		return out, err
	}
	created := wire.FromTime(token.Created)
	return client.CSRFToken{
		ID: token.ID, Created: created, Updated: created, Token: token.Token, Client: token.Client, Expiration: wire.FromTime(token.Expires),
	}, nil
}

// checkCSRF refuses a request that changes something and shows no token of its client.
func (a *API) checkCSRF(r *http.Request) error {
	if !a.CSRF.Enabled {
		return nil
	}
	switch r.Method {
	case http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete:
	default:
		return nil
	}
	token, who := r.Header.Values("Prefect-Csrf-Token"), r.Header.Values("Prefect-Csrf-Client")
	switch {
	case len(token) == 0:
		return refusal(http.StatusForbidden, "Missing CSRF token.")
	case len(who) == 0:
		return refusal(http.StatusForbidden, "Missing client identifier.")
	}
	ok, err := a.Engine.CheckCSRFToken(r.Context(), a.workspace(r.Context()), who[0], token[0])
	if err == nil && !ok {
		err = refusal(http.StatusForbidden, "Invalid CSRF token or client identifier.")
	}
	return err
}
