package server

import (
	"fmt"
	"time"
)

// prefectSettings are those settings of Prefect's server that this one has too,
// by their paths. Prefect REST: GET /admin/settings.
func (c *Config) prefectSettings() map[string]any {
	return map[string]any{
		"server.api.host":                                  c.Host,
		"server.api.port":                                  c.Port,
		"server.ui.api_url":                                fmt.Sprintf("http://%s:%d/api", c.Host, c.Port),
		"server.services.late_runs.after_seconds":          isoDuration(c.LateAfter),
		"server.services.scheduler.loop_seconds":           c.SchedulerInterval.Seconds(),
		"server.deployments.concurrency_slot_wait_seconds": c.SlotWait.Seconds(),
	}
}

// isoDuration writes a duration in seconds as ISO 8601 does.
func isoDuration(d time.Duration) string { return fmt.Sprintf("PT%gS", d.Seconds()) }
