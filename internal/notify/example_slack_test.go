package notify_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"

	"github.com/leat-dev/leat/internal/notify"
	"github.com/leat-dev/leat/internal/value"
)

// A service that takes what Slack takes is told of a failed run.
func ExampleSender_Send() {
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var said struct {
			Attachments []struct{ Title, Text string }
		}
		if err := json.NewDecoder(r.Body).Decode(&said); err == nil {
			fmt.Println(said.Attachments[0].Title, "-", said.Attachments[0].Text)
		}
		_, _ = io.WriteString(w, "ok")
	}))
	defer service.Close()
	guard, err := notify.ParseGuard("127.0.0.0/8")
	if err != nil {
		fmt.Println(err)
	}
	sender := notify.Sender{Guard: guard}
	ctx := context.Background()
	block := notify.Block{TypeSlug: "slack-webhook", Data: value.Of("url", service.URL+"/services/T1/B1/secret")}
	fmt.Println(sender.Send(ctx, block, "Nightly failed", "at step 3"))
	// Output:
	// Nightly failed - at step 3
	// <nil>
}
