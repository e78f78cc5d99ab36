CREATE TABLE concurrency_limit (
	id TEXT PRIMARY KEY,
	ws BIGINT NOT NULL,
	created BIGINT NOT NULL,
	updated BIGINT NOT NULL,
	name TEXT NOT NULL,
	slot_limit BIGINT NOT NULL,
	active BOOLEAN NOT NULL,
	slots BIGINT NOT NULL,
	denied_slots BIGINT NOT NULL,
	slot_decay_per_second DOUBLE PRECISION NOT NULL,
	avg_slot_occupancy_seconds DOUBLE PRECISION NOT NULL,
	UNIQUE (ws, name)
);

CREATE TABLE concurrency_lease (
	id TEXT PRIMARY KEY,
	ws BIGINT NOT NULL,
	created BIGINT NOT NULL,
	expires BIGINT NOT NULL,
	slots BIGINT NOT NULL,
	holder_type TEXT,
	holder_id TEXT
);

CREATE INDEX concurrency_lease_expires ON concurrency_lease (ws, expires);

CREATE TABLE concurrency_lease_slot (
	lease_id TEXT NOT NULL,
	limit_id TEXT NOT NULL,
	ws BIGINT NOT NULL,
	counted BOOLEAN NOT NULL,
	PRIMARY KEY (lease_id, limit_id)
);

CREATE INDEX concurrency_lease_slot_limit ON concurrency_lease_slot (limit_id);

CREATE TABLE lease_attendance (
	ws BIGINT PRIMARY KEY,
	until BIGINT NOT NULL
);
