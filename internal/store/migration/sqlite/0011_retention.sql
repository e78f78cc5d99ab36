CREATE TABLE run_remains (
	run_id TEXT PRIMARY KEY,
	ws BIGINT NOT NULL,
	task BOOLEAN NOT NULL
);

CREATE INDEX run_remains_ws ON run_remains (ws);

CREATE INDEX task_run_own_end ON task_run (ws, end_time) WHERE flow_run_id IS NULL;

CREATE INDEX task_cache_state ON task_cache (state_id);

CREATE INDEX task_cache_expires ON task_cache (ws, expires) WHERE expires IS NOT NULL;

CREATE INDEX artifact_age ON artifact (ws, created);
