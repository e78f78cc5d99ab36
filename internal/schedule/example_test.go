package schedule_test

import (
	"fmt"
	"time"

	"github.com/leat-dev/leat/internal/schedule"
)

func ExampleParse() {
	now := time.Date(2026, 3, 6, 12, 0, 0, 0, time.UTC)
	s, err := schedule.Parse([]byte(`{"cron": "30 2 * * *", "timezone": "America/New_York"}`), now)
	if err != nil {
		fmt.Println(err)
		return
	}
	dates, err := s.Dates(now, time.Time{}, 3)
	if err != nil {
		fmt.Println(err)
	}
	for _, d := range dates {
		fmt.Println(d)
	}
	// Output:
	// 2026-03-07 02:30:00 -0500 EST
	// 2026-03-08 01:30:00 -0500 EST
	// 2026-03-09 02:30:00 -0400 EDT
}

func ExampleError() {
	_, err := schedule.Parse([]byte(`{"cron": "61 * * * *"}`), time.Unix(0, 0))
	fmt.Println(err)
	// Output: cron: Value error, Invalid cron string: "61 * * * *"
}
