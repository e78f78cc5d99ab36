-- What the triggers of automations have seen, and what they want done.
-- The position says up to which event; whoever moves it stores what changed
-- in the same transaction.
CREATE TABLE automation_position (
	ws BIGINT PRIMARY KEY,
	tx BIGINT NOT NULL,
	seq BIGINT NOT NULL,
	at BIGINT NOT NULL
);

CREATE TABLE automation_bucket (
	trigger_id TEXT NOT NULL,
	bucket_key TEXT NOT NULL,
	ws BIGINT NOT NULL,
	automation_id TEXT NOT NULL,
	start_at BIGINT NOT NULL,
	end_at BIGINT NOT NULL,
	seen BIGINT NOT NULL,
	last_event TEXT,
	PRIMARY KEY (trigger_id, bucket_key)
);

CREATE TABLE automation_child_firing (
	parent_id TEXT NOT NULL,
	child_id TEXT NOT NULL,
	ws BIGINT NOT NULL,
	automation_id TEXT NOT NULL,
	firing TEXT NOT NULL,
	PRIMARY KEY (parent_id, child_id)
);

CREATE TABLE automation_follower (
	event_id TEXT PRIMARY KEY,
	ws BIGINT NOT NULL,
	received BIGINT NOT NULL,
	event TEXT NOT NULL
);

CREATE TABLE automation_action (
	id TEXT PRIMARY KEY,
	ws BIGINT NOT NULL,
	created BIGINT NOT NULL,
	due BIGINT NOT NULL,
	owner TEXT NOT NULL,
	depth BIGINT NOT NULL,
	spec TEXT NOT NULL
);

CREATE INDEX automation_action_due ON automation_action (due);

-- How many firings led to what happens to a resource, so that automations that
-- trigger each other in a circle are found.
CREATE TABLE automation_depth (
	ws BIGINT NOT NULL,
	resource_id TEXT NOT NULL,
	depth BIGINT NOT NULL,
	at BIGINT NOT NULL,
	PRIMARY KEY (ws, resource_id)
);

CREATE INDEX automation_depth_at ON automation_depth (at);
