CREATE TABLE flow_run_tally (
	ws BIGINT NOT NULL,
	scope TEXT NOT NULL,
	width BIGINT NOT NULL,
	slot BIGINT NOT NULL,
	state_type TEXT NOT NULL,
	state_name TEXT NOT NULL,
	runs BIGINT NOT NULL,
	run_time BIGINT NOT NULL,
	lateness BIGINT NOT NULL,
	waiting BIGINT NOT NULL,
	PRIMARY KEY (ws, scope, width, slot, state_type, state_name)
) WITHOUT ROWID;

CREATE INDEX flow_run_tally_empty ON flow_run_tally (ws) WHERE runs = 0;

CREATE TABLE flow_run_tally_change (
	seq INTEGER PRIMARY KEY,
	ws BIGINT NOT NULL,
	batch BIGINT NOT NULL,
	expected BIGINT NOT NULL,
	flow_id TEXT NOT NULL,
	deployment_id TEXT,
	state_type TEXT NOT NULL,
	state_name TEXT NOT NULL,
	runs BIGINT NOT NULL,
	run_time BIGINT NOT NULL,
	lateness BIGINT NOT NULL,
	waiting BIGINT NOT NULL
);

CREATE INDEX flow_run_tally_change_expected ON flow_run_tally_change (ws, expected);

CREATE TABLE flow_run_tally_mark (
	ws BIGINT PRIMARY KEY,
	sealed BIGINT NOT NULL,
	pending BIGINT NOT NULL,
	barrier BIGINT NOT NULL
);

CREATE INDEX task_run_ended ON task_run (ws, start_time, state_type) WHERE state_type IN ('COMPLETED', 'FAILED', 'CANCELLED', 'CRASHED');

CREATE INDEX task_run_state_type ON task_run (ws, state_type);

CREATE TRIGGER flow_run_tally_insert AFTER INSERT ON flow_run
WHEN NEW.expected_start_time < (SELECT m.pending FROM flow_run_tally_mark m WHERE m.ws = NEW.ws)
BEGIN
	INSERT INTO flow_run_tally_change (ws, batch, expected, flow_id, deployment_id, state_type, state_name,
		runs, run_time, lateness, waiting)
	SELECT NEW.ws, 0, NEW.expected_start_time, NEW.flow_id, NEW.deployment_id, coalesce(NEW.state_type, ''), coalesce(NEW.state_name, ''), 1,
		(NEW.total_run_time / 1000000 - CASE WHEN NEW.state_type = 'RUNNING' THEN NEW.state_timestamp / 1000000 ELSE 0 END),
		CASE WHEN NEW.start_time > NEW.expected_start_time THEN (NEW.start_time - NEW.expected_start_time) / 1000000
			WHEN NEW.start_time IS NULL AND NEW.state_type NOT IN ('COMPLETED', 'FAILED', 'CANCELLED', 'CRASHED') THEN -(NEW.expected_start_time / 1000000) ELSE 0 END,
		CASE WHEN NEW.start_time IS NULL AND NEW.state_type NOT IN ('COMPLETED', 'FAILED', 'CANCELLED', 'CRASHED') THEN 1 ELSE 0 END; END;

CREATE TRIGGER flow_run_tally_delete AFTER DELETE ON flow_run
WHEN OLD.expected_start_time < (SELECT m.pending FROM flow_run_tally_mark m WHERE m.ws = OLD.ws)
BEGIN
	INSERT INTO flow_run_tally_change (ws, batch, expected, flow_id, deployment_id, state_type, state_name,
		runs, run_time, lateness, waiting)
	SELECT OLD.ws, 0, OLD.expected_start_time, OLD.flow_id, OLD.deployment_id, coalesce(OLD.state_type, ''), coalesce(OLD.state_name, ''), -1,
		-(OLD.total_run_time / 1000000 - CASE WHEN OLD.state_type = 'RUNNING' THEN OLD.state_timestamp / 1000000 ELSE 0 END),
		-CASE WHEN OLD.start_time > OLD.expected_start_time THEN (OLD.start_time - OLD.expected_start_time) / 1000000
			WHEN OLD.start_time IS NULL AND OLD.state_type NOT IN ('COMPLETED', 'FAILED', 'CANCELLED', 'CRASHED') THEN -(OLD.expected_start_time / 1000000) ELSE 0 END,
		-CASE WHEN OLD.start_time IS NULL AND OLD.state_type NOT IN ('COMPLETED', 'FAILED', 'CANCELLED', 'CRASHED') THEN 1 ELSE 0 END; END;

CREATE TRIGGER flow_run_tally_update AFTER UPDATE OF expected_start_time, flow_id, deployment_id, state_type, state_name, state_timestamp, start_time, total_run_time ON flow_run
WHEN (OLD.expected_start_time < (SELECT m.pending FROM flow_run_tally_mark m WHERE m.ws = OLD.ws) OR NEW.expected_start_time < (SELECT m.pending FROM flow_run_tally_mark m WHERE m.ws = NEW.ws))
	AND (OLD.expected_start_time IS DISTINCT FROM NEW.expected_start_time
	OR OLD.flow_id IS DISTINCT FROM NEW.flow_id
	OR OLD.deployment_id IS DISTINCT FROM NEW.deployment_id
	OR OLD.state_type IS DISTINCT FROM NEW.state_type
	OR OLD.state_name IS DISTINCT FROM NEW.state_name
	OR OLD.state_timestamp IS DISTINCT FROM NEW.state_timestamp
	OR OLD.start_time IS DISTINCT FROM NEW.start_time
	OR OLD.total_run_time IS DISTINCT FROM NEW.total_run_time)
BEGIN
	INSERT INTO flow_run_tally_change (ws, batch, expected, flow_id, deployment_id, state_type, state_name,
		runs, run_time, lateness, waiting)
	SELECT OLD.ws, 0, OLD.expected_start_time, OLD.flow_id, OLD.deployment_id, coalesce(OLD.state_type, ''), coalesce(OLD.state_name, ''), -1,
		-(OLD.total_run_time / 1000000 - CASE WHEN OLD.state_type = 'RUNNING' THEN OLD.state_timestamp / 1000000 ELSE 0 END),
		-CASE WHEN OLD.start_time > OLD.expected_start_time THEN (OLD.start_time - OLD.expected_start_time) / 1000000
			WHEN OLD.start_time IS NULL AND OLD.state_type NOT IN ('COMPLETED', 'FAILED', 'CANCELLED', 'CRASHED') THEN -(OLD.expected_start_time / 1000000) ELSE 0 END,
		-CASE WHEN OLD.start_time IS NULL AND OLD.state_type NOT IN ('COMPLETED', 'FAILED', 'CANCELLED', 'CRASHED') THEN 1 ELSE 0 END
		WHERE OLD.expected_start_time < (SELECT m.pending FROM flow_run_tally_mark m WHERE m.ws = OLD.ws);
	INSERT INTO flow_run_tally_change (ws, batch, expected, flow_id, deployment_id, state_type, state_name,
		runs, run_time, lateness, waiting)
	SELECT NEW.ws, 0, NEW.expected_start_time, NEW.flow_id, NEW.deployment_id, coalesce(NEW.state_type, ''), coalesce(NEW.state_name, ''), 1,
		(NEW.total_run_time / 1000000 - CASE WHEN NEW.state_type = 'RUNNING' THEN NEW.state_timestamp / 1000000 ELSE 0 END),
		CASE WHEN NEW.start_time > NEW.expected_start_time THEN (NEW.start_time - NEW.expected_start_time) / 1000000
			WHEN NEW.start_time IS NULL AND NEW.state_type NOT IN ('COMPLETED', 'FAILED', 'CANCELLED', 'CRASHED') THEN -(NEW.expected_start_time / 1000000) ELSE 0 END,
		CASE WHEN NEW.start_time IS NULL AND NEW.state_type NOT IN ('COMPLETED', 'FAILED', 'CANCELLED', 'CRASHED') THEN 1 ELSE 0 END
		WHERE NEW.expected_start_time < (SELECT m.pending FROM flow_run_tally_mark m WHERE m.ws = NEW.ws); END;
