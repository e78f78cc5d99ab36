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

ALTER TABLE log SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 1);

ALTER TABLE event SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 1);

ALTER TABLE flow_run SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 1);

ALTER TABLE flow_run_state SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 1);

ALTER TABLE task_run SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 1);

ALTER TABLE task_run_state SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 1);
