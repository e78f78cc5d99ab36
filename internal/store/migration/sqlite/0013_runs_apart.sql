-- Runs that began before they were expected to, or more than an hour after:
-- all others are found by the time at which they began.
CREATE INDEX flow_run_apart ON flow_run (ws, expected_start_time, id)
	WHERE start_time < expected_start_time OR start_time > expected_start_time + 3600000000;
