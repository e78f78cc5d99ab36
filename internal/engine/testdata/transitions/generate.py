"""Record the state transitions of a Prefect 3 server as table-test rows.

Run it against a fresh server; only the public REST API is used:

    PREFECT_API_URL=http://127.0.0.1:4200/api python3 generate.py

It rewrites flow_run.json and task_run.json beside itself. README.md describes
the rows. Every run, deployment and limit it needs is created anew, so that a
second recording differs from the first only where the server's rules do.
"""

import datetime
import http.client
import json
import os
import pathlib
import time
import urllib.parse
import uuid

URL = urllib.parse.urlsplit(os.environ["PREFECT_API_URL"])
CLIENT = "prefect/3.8.8 (API 0.8.4)"
TIMES = ("scheduled_time", "pause_timeout", "cache_expiration")
POLICY_DEFAULTS = {"max_retries": 0, "retry_delay_seconds": 0}


def call(method, path, body=None, headers=None):
    """Send one request; return (status, decoded body)."""
    send = {"User-Agent": CLIENT, "X-Prefect-Api-Version": "0.8.4"}
    send.update(headers or {})
    data = None
    if body is not None:
        data = json.dumps(body)
        send["Content-Type"] = "application/json"
    for attempt in range(20):
        # A connection each: the server closes the ones it answers 503 on.
        connection = http.client.HTTPConnection(URL.hostname, URL.port, timeout=90)
        connection.request(method, URL.path + path, body=data, headers=send)
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        # 503 says that SQLite was locked and nothing was done.
        if answer.status != 503:
            break
        time.sleep(0.1)
    return answer.status, json.loads(text) if text else None


def make(path, body, headers=None):
    """Create something and return it; a refusal ends the recording."""
    status, answer = call("POST", path, body, headers)
    if status >= 300:
        raise SystemExit(f"POST {path} {body}: {status} {answer}")
    return answer


def now():
    return datetime.datetime.now(datetime.timezone.utc)


def parse(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


def seconds(text, base):
    return round((parse(text) - base).total_seconds())


def unique(prefix):
    return f"{prefix}-{uuid.uuid4().hex[:12]}"


class Ids:
    """Names for identifiers that differ between recordings."""

    def __init__(self):
        self.names = {}

    def name(self, value, kind):
        if value not in self.names:
            count = sum(1 for n in self.names.values() if n.startswith(f"<{kind}"))
            self.names[value] = f"<{kind}{count + 1}>"
        return self.names[value]


def wire_state(spec):
    """Turn a spec with second offsets into a StateCreate body."""
    body = {"type": spec["type"]}
    for key in ("name", "message", "data"):
        if key in spec:
            body[key] = spec[key]
    details = dict(spec.get("details", {}))
    for key in TIMES:
        if key in details:
            at = now() + datetime.timedelta(seconds=details[key])
            details[key] = at.isoformat()
    if details:
        body["state_details"] = details
    return body


def row_details(details, base, ids):
    out = {}
    for key, value in details.items():
        if value in (None, False) or key in ("flow_run_id", "task_run_id"):
            continue
        if key in TIMES:
            value = seconds(value, base)
        elif key == "deployment_concurrency_lease_id":
            value = ids.name(value, "lease")
        elif key == "child_flow_run_id":
            value = "<run>"
        out[key] = value
    return out


def row_state(state, base, ids):
    if state is None:
        return None
    out = {"type": state["type"], "name": state["name"]}
    for key in ("message", "data"):
        if state[key] is not None:
            out[key] = state[key]
    details = row_details(state["state_details"], base, ids)
    if details:
        out["details"] = details
    return out


def row_policy(policy, given_keys=()):
    out = {}
    for key, value in policy.items():
        if key in POLICY_DEFAULTS or value in (None, False, []):
            continue
        if key == "pause_keys":
            value = sorted(k if k in given_keys else "<uuid>" for k in value)
        out[key] = value
    return out


def row_time(key, after):
    """Say where a time on the run came from."""
    value = after[key]
    state = after["state"] or {}
    if value is None:
        return None
    if value == state.get("timestamp"):
        return "transition"
    if value == (state.get("state_details") or {}).get("scheduled_time"):
        return "scheduled"
    return "other"


RUN_TIMES = ("start_time", "end_time", "next_scheduled_start_time")


def row_run(run, base, ids, keys):
    out = {"state": row_state(run["state"], base, ids)}
    if run["run_count"]:
        out["run_count"] = run["run_count"]
    for key in RUN_TIMES:
        if run[key] is not None:
            out[key] = seconds(run[key], base)
    policy = row_policy(run["empirical_policy"], keys)
    if policy:
        out["policy"] = policy
    if run.get("infrastructure_pid"):
        out["infrastructure_pid"] = run["infrastructure_pid"]
    if run.get("deployment_id"):
        out["deployment"] = True
    if run.get("parent_task_run_id"):
        out["subflow"] = True
    if run.get("flow_run_run_count"):
        out["flow_run_run_count"] = run["flow_run_run_count"]
    if run.get("tags"):
        out["tags"] = run["tags"]
    return out


def row_after(before, after, keys):
    out = {}
    if after["run_count"]:
        out["run_count"] = after["run_count"]
    for key in RUN_TIMES if before else RUN_TIMES + ("expected_start_time",):
        if after[key] != (before[key] if before else None):
            out[key] = row_time(key, after)
    if before and after["total_run_time"] > before["total_run_time"]:
        out["run_time"] = "added"
    policy = row_policy(after["empirical_policy"], keys)
    if policy:
        out["policy"] = policy
    if after.get("flow_run_run_count"):
        out["flow_run_run_count"] = after["flow_run_run_count"]
    return out


class Recorder:
    """Makes runs of one kind ("flow" or "task"), moves them, keeps the rows."""

    def __init__(self, kind):
        self.kind = kind
        self.path = f"/{kind}_runs/"
        self.rows = []
        self.flow = make("/flows/", {"name": unique("transitions")})
        self.plain_deployment = self.deployment()

    def deployment(self, **settings):
        body = {"name": unique("d"), "flow_id": self.flow["id"], **settings}
        return make("/deployments/", body)["id"]

    def flow_run(self, start, **fields):
        return self.start("/flow_runs/", {"flow_id": self.flow["id"], **fields}, start)

    def start(self, path, body, start):
        """Create a run and bring it into its first state."""
        if "data" not in start:
            return make(path, {**body, "state": wire_state(start)})["id"]
        # Creation answers 500 when the state carries data.
        run = make(path, {**body, "state": {"type": "PENDING"}})["id"]
        make(f"{path}{run}/set_state", {"state": wire_state(start), "force": True})
        return run

    def read(self, run_id):
        return call("GET", self.path + run_id)[1]

    def record(self, case, run_id, proposed, force=False, facts=None, headers=None, observe=None):
        """Propose a state for the run and keep the row."""
        keys = {proposed.get("details", {}).get("pause_key")}
        before = self.read(run_id)
        keys |= set(before["empirical_policy"].get("pause_keys") or [])
        ids, facts = Ids(), dict(facts or {})
        base = now()
        seen = observe(base, ids) if observe else None
        body = {"state": wire_state(proposed), "force": force}
        status, answer = call("POST", f"{self.path}{run_id}/set_state", body, headers)
        row = {"case": case, "run": row_run(before, base, ids, keys), "proposed": proposed}
        self.finish(row, run_id, before, base, ids, keys, force, facts, status, answer)
        if observe:
            row["facts"] = {**row.get("facts", {}), **seen}
            row["observed"] = observe(base, ids)
        return row

    def finish(self, row, run_id, before, base, ids, keys, force, facts, status, answer):
        after = self.read(run_id)
        if force:
            row["force"] = True
        if facts:
            row["facts"] = facts
        row["http"] = status
        if "status" not in answer:
            row["error"] = answer
        else:
            row["status"] = answer["status"]
            for key in ("reason", "delay_seconds"):
                if answer["details"].get(key) is not None:
                    row[key] = answer["details"][key]
            if before and before.get("flow_run_id"):
                row["reason"] = row.get("reason", "").replace(before["flow_run_id"], "<flow_run>")
            if not row.get("reason"):
                row.pop("reason", None)
            state = answer["state"]
            if state and before and before["state"] and state["id"] == before["state"]["id"]:
                row["state"] = "current"
            else:
                row["state"] = row_state(state, base, ids)
            if state and after["state"]["id"] != state["id"]:
                row["run_state_after"] = row_state(after["state"], base, ids)
        row["after"] = row_after(before, after, keys)
        self.rows.append(row)

    def record_create(self, proposed, body):
        """Keep the row of the transition from no state: the run's creation."""
        base = now()
        run = make(self.path, {**body, "state": wire_state(proposed)})
        after = self.read(run["id"])
        ids = Ids()
        row = {
            "case": f"none -> {label(proposed)}",
            "call": "create",
            "proposed": proposed,
            "http": 201,
            "status": "ACCEPT",
            "state": row_state(after["state"], base, ids),
            "after": row_after(None, after, ()),
        }
        if after.get("deployment_id"):
            row["run"] = {"deployment": True}
        self.rows.append(row)

    def write(self, name):
        lines = [json.dumps(row, separators=(",", ":"), ensure_ascii=False) for row in self.rows]
        text = "[\n" + ",\n".join(lines) + "\n]\n"
        (pathlib.Path(__file__).parent / name).write_text(text)
        print(name, len(self.rows), "rows", len(text), "bytes")


def state(kind, name=None, **details):
    out = {"type": kind}
    if name:
        out["name"] = name
    for key in ("message", "data"):
        if key in details:
            out[key] = details.pop(key)
    if details:
        out["details"] = details
    return out


PERSISTED = {"type": "reference", "storage_key": "k"}


def label(spec):
    name = spec.get("name") or spec["type"].capitalize()
    if spec.get("data"):
        name += " with result"
    details = spec.get("details", {})
    if spec["type"] == "SCHEDULED" and name == "Scheduled" and details.get("scheduled_time", 0) < 0:
        name += " in the past"
    if details.get("pause_timeout", 0) < 0:
        name += " timed out"
    return name


FLOW_FROM = [
    state("SCHEDULED", "Scheduled", scheduled_time=3600),
    state("SCHEDULED", "Scheduled", scheduled_time=-60),
    state("SCHEDULED", "Late", scheduled_time=-60),
    state("SCHEDULED", "AwaitingRetry", scheduled_time=3600),
    state("SCHEDULED", "AwaitingConcurrencySlot", scheduled_time=30),
    state("SCHEDULED", "Resuming", scheduled_time=-1),
    state("PENDING", "Pending"),
    state("PENDING", "Submitting"),
    state("RUNNING", "Running"),
    state("RUNNING", "Retrying"),
    state("COMPLETED", "Completed"),
    state("COMPLETED", "Completed", data=PERSISTED),
    state("FAILED", "Failed"),
    state("CANCELLED", "Cancelled"),
    state("CRASHED", "Crashed"),
    state("PAUSED", "Paused", pause_timeout=3600, pause_key="first"),
    state("PAUSED", "Paused", pause_timeout=-60),
    state("PAUSED", "Suspended", pause_timeout=3600, pause_reschedule=True),
    state("PAUSED", "Suspended", pause_timeout=-60, pause_reschedule=True),
    state("CANCELLING", "Cancelling"),
]
FLOW_TO = [
    state("SCHEDULED", "Scheduled", scheduled_time=3600),
    state("SCHEDULED", "Late", scheduled_time=-60),
    state("SCHEDULED", "AwaitingRetry", scheduled_time=3600),
    state("SCHEDULED", "AwaitingConcurrencySlot", scheduled_time=30),
    state("SCHEDULED", "Resuming", scheduled_time=0),
    state("PENDING"),
    state("PENDING", "Submitting"),
    state("RUNNING"),
    state("RUNNING", "Retrying"),
    state("COMPLETED"),
    state("FAILED"),
    state("CANCELLED"),
    state("CRASHED"),
    state("PAUSED", "Paused", pause_timeout=3600),
    state("PAUSED", "Suspended", pause_timeout=3600, pause_reschedule=True),
    state("CANCELLING"),
]
SECOND_NAMES = ("Late", "AwaitingRetry", "AwaitingConcurrencySlot", "Submitting", "Retrying")


def answer_of(row):
    """What must differ before a variant of a pair earns a row of its own."""
    return json.dumps([row.get(k) for k in ("http", "status", "reason", "state", "after", "error")])


def flow_matrix(rec):
    for to in FLOW_TO:
        rec.record_create(to, {"flow_id": rec.flow["id"]})
    for start in FLOW_FROM:
        for to in FLOW_TO:
            case = f"{label(start)} -> {label(to)}"
            plain = rec.record(case, rec.flow_run(start), to)
            run = rec.flow_run(start, deployment_id=rec.plain_deployment)
            deployed = rec.record(case + ", deployment", run, to)
            if answer_of(plain) == answer_of(deployed):
                rec.rows.pop()
            if start.get("name") not in SECOND_NAMES and to.get("name") not in SECOND_NAMES:
                rec.record(case + ", force", rec.flow_run(start), to, force=True)


def flow_retries(rec):
    failed = state("FAILED", message="boom", data={"type": "unpersisted"})
    policies = [
        {"retries": 0},
        {"retries": 1},
        {"retries": 2, "retry_delay": 10},
        {"retries": 1, "retry_type": "in_process"},
        {"retries": 1, "retry_type": "reschedule"},
        {"retries": 0, "retry_type": "in_process"},
        {"retries": 1, "pause_keys": ["first"], "resuming": True},
    ]
    for policy in policies:
        for count in (1, 2, 3):
            run = rec.flow_run(state("RUNNING"), empirical_policy=policy)
            for _ in range(count - 1):
                call("POST", f"/flow_runs/{run}/set_state", {"state": {"type": "RUNNING"}, "force": True})
            rec.record(f"Running -> Failed, policy {json.dumps(policy)}, {count} runs", run, failed)
    run = rec.flow_run(state("RUNNING"), empirical_policy={"retries": 1})
    rec.record("Running -> Failed with retries, force", run, failed, force=True)
    run = rec.flow_run(state("RUNNING"), empirical_policy={"retries": 1, "pause_keys": ["a"]})
    rec.record(
        "Running -> Failed with retries, client of API 0.8.3", run, failed,
        facts={"api_version": "0.8.3"}, headers={"X-Prefect-Api-Version": "0.8.3"},
    )
    run = rec.flow_run(state("PENDING"), empirical_policy={"retries": 1})
    rec.record("Pending -> Failed with retries", run, failed)
    run = rec.flow_run(state("RUNNING"), empirical_policy={"retries": 1})
    rec.record("Running -> Crashed with retries", run, state("CRASHED"))
    for policy in ({"retry_type": "in_process", "retries": 1}, {"resuming": True}, {"resuming": True, "pause_keys": ["a"]}):
        for start in (state("SCHEDULED", "AwaitingRetry", scheduled_time=-1), state("PENDING"), state("FAILED"), state("RUNNING")):
            for to in (state("RUNNING"), state("SCHEDULED", scheduled_time=0), state("COMPLETED"), state("PENDING")):
                run = rec.flow_run(start)
                call("PATCH", f"/flow_runs/{run}", {"empirical_policy": policy})
                rec.record(f"{label(start)} -> {label(to)}, policy {json.dumps(policy)}", run, to)


def flow_pauses(rec):
    running = state("RUNNING")
    for name in ("Paused", "Suspended"):
        for policy in ({}, {"pause_keys": ["first"]}, {"pause_keys": ["other"]}):
            for key in (None, "first"):
                for reschedule in (False, True):
                    for where in ("alone", "deployment", "subflow"):
                        details = {"pause_timeout": 60, "pause_reschedule": reschedule}
                        if key:
                            details["pause_key"] = key
                        if (where != "alone" or not key) and policy.get("pause_keys") == ["other"]:
                            continue
                        if where == "subflow":
                            run = subflow(rec, running, empirical_policy=policy)[0]
                        elif where == "deployment":
                            run = rec.flow_run(running, deployment_id=rec.plain_deployment, empirical_policy=policy)
                        else:
                            run = rec.flow_run(running, empirical_policy=policy)
                        case = f"Running -> {name}, key {key}, seen {policy.get('pause_keys')}, reschedule {reschedule}, {where}"
                        rec.record(case, run, state("PAUSED", name, **details))
    run = rec.flow_run(running)
    rec.record("Running -> Paused without timeout", run, state("PAUSED"))
    for start in (state("PAUSED"), state("PAUSED", "Suspended", pause_reschedule=True)):
        for to in (state("RUNNING"), state("SCHEDULED", "Resuming", scheduled_time=0), state("COMPLETED")):
            rec.record(f"{label(start)} without timeout -> {label(to)}", rec.flow_run(start), to)


def flow_resume(rec):
    starts = [
        state("PAUSED", "Paused", pause_timeout=60),
        state("PAUSED", "Paused", pause_timeout=-60),
        state("PAUSED", "Suspended", pause_timeout=60, pause_reschedule=True),
        state("PAUSED", "Suspended", pause_timeout=-60, pause_reschedule=True),
        state("PAUSED", "Paused"),
        state("RUNNING"), state("SCHEDULED", scheduled_time=60), state("COMPLETED"),
    ]
    for start in starts:
        for deployed in (False, True):
            extra = {"deployment_id": rec.plain_deployment} if deployed else {}
            run = rec.flow_run(start, **extra)
            before, base, ids = rec.read(run), now(), Ids()
            status, answer = call("POST", f"/flow_runs/{run}/resume", {})
            row = {
                "case": f"resume of {label(start)}, details {json.dumps(start.get('details', {}))}" + (", deployment" if deployed else ""),
                "call": "resume",
                "run": row_run(before, base, ids, ()),
            }
            rec.finish(row, run, before, base, ids, (), False, None, status, answer)


def flow_times_and_ids(rec):
    for offset in (3600, -60):
        run = rec.flow_run(state("SCHEDULED", scheduled_time=offset))
        rec.record(f"Scheduled {offset} s -> Pending with own time", run, state("PENDING", scheduled_time=100))
        run = rec.flow_run(state("PENDING", scheduled_time=offset))
        rec.record(f"Pending with scheduled time {offset} s -> Running", run, state("RUNNING"))
        run = rec.flow_run(state("PENDING", scheduled_time=offset))
        rec.record(f"Pending with scheduled time {offset} s -> Submitting", run, state("PENDING", "Submitting"))
        run = rec.flow_run(state("PENDING", scheduled_time=offset))
        rec.record(f"Pending with scheduled time {offset} s -> Running, force", run, state("RUNNING"), force=True)
    run = rec.flow_run(state("PENDING", "Submitting"))
    rec.record("Submitting -> Submitting again", run, state("PENDING", "Submitting"))
    rec.record("Submitting -> InfrastructurePending", run, state("PENDING", "InfrastructurePending"))
    same, other = str(uuid.UUID(int=1)), str(uuid.UUID(int=2))
    for force in (False, True):
        for to in (state("RUNNING"), state("PENDING"), state("COMPLETED")):
            for proposed_id in (same, other):
                run = rec.flow_run(state("PENDING", transition_id=same))
                spec = {**to, "details": {"transition_id": proposed_id}}
                rec.record(
                    f"Pending -> {label(to)}, transition id {'same' if proposed_id == same else 'other'}"
                    + (", force" if force else ""), run, spec, force=force)


def flow_pools(rec):
    """A paused pool or queue does not hinder a transition."""
    pool = unique("pool")
    make("/work_pools/", {"name": pool, "type": "process", "is_paused": True, "concurrency_limit": 0})
    deployment = rec.deployment(work_pool_name=pool)
    for to in (state("PENDING"), state("RUNNING"), state("CANCELLING")):
        run = rec.flow_run(state("SCHEDULED", scheduled_time=-60), deployment_id=deployment)
        rec.record(f"Scheduled -> {label(to)}, work pool paused", run, to, facts={"work_pool": "paused"})


def flow_infrastructure(rec):
    for start in FLOW_FROM[:8] + FLOW_FROM[15:19]:
        for force in (False, True):
            run = rec.flow_run(start)
            call("PATCH", f"/flow_runs/{run}", {"infrastructure_pid": "host:1"})
            rec.record(f"{label(start)} -> Cancelling, infrastructure" + (", force" if force else ""),
                       run, state("CANCELLING"), force=force)


def flow_results(rec):
    unpersisted = {"type": "unpersisted"}
    for data in (PERSISTED, unpersisted, "text", {"a": 1}):
        for to in (state("COMPLETED"), state("COMPLETED", data=PERSISTED), state("COMPLETED", data=unpersisted),
                   state("FAILED"), state("RUNNING"), state("SCHEDULED", scheduled_time=0)):
            for force in (False, True):
                if force and to["type"] != "COMPLETED":
                    continue
                run = rec.flow_run(state("COMPLETED", data=data), deployment_id=rec.plain_deployment)
                rec.record(f"Completed data {json.dumps(data)} -> {label(to)} {json.dumps(to.get('data'))}"
                           + (", force" if force else ""), run, to, force=force)


def subflow(rec, start, **fields):
    """A run that is the child of a running flow; returns (run id, parent task run id)."""
    parent = rec.flow_run(state("RUNNING"))
    task = make("/task_runs/", {"flow_run_id": parent, "task_key": "t", "dynamic_key": unique("k")})["id"]
    return rec.flow_run(start, parent_task_run_id=task, **fields), task


def flow_subflows(rec):
    for start in (state("PENDING"), state("RUNNING"), state("FAILED"), state("SCHEDULED", scheduled_time=60)):
        for to in FLOW_TO:
            if to.get("name") in SECOND_NAMES:
                continue
            run, task = subflow(rec, start)

            def observe(base, ids):
                read = call("GET", f"/task_runs/{task}")[1]
                return {"parent_task": row_state(read["state"], base, ids)}

            rec.record(f"subflow {label(start)} -> {label(to)}", run, to, observe=observe)


def limit_of(deployment):
    return call("GET", f"/deployments/{deployment}")[1]["global_concurrency_limit"]


def flow_concurrency(rec):
    strategies = {"none": {}, "ENQUEUE": {"concurrency_options": {"collision_strategy": "ENQUEUE"}},
                  "CANCEL_NEW": {"concurrency_options": {"collision_strategy": "CANCEL_NEW"}}}
    starts = [FLOW_FROM[i] for i in (1, 2, 4, 6, 8, 10, 12, 13, 14, 15, 17, 19)]

    def case(text, start, to, strategy, limit, taken, force=False, steps=(), agent=CLIENT, release=False):
        deployment = rec.deployment(concurrency_limit=max(limit, 1), **strategies[strategy])
        agents = {"User-Agent": agent}
        if limit == 0:
            name = f"deployment:{deployment}"
            call("PATCH", f"/v2/concurrency_limits/{name}", {"limit": 0})
        held = []
        for _ in range(taken):
            run = rec.flow_run(state("SCHEDULED", scheduled_time=0), deployment_id=deployment)
            held.append(make(f"/flow_runs/{run}/set_state", {"state": {"type": "PENDING"}}))
        run = rec.flow_run(start, deployment_id=deployment)
        for step in steps:
            make(f"/flow_runs/{run}/set_state", {"state": wire_state(step)}, agents)
        if release:
            lease = rec.read(run)["state"]["state_details"]["deployment_concurrency_lease_id"]
            call("POST", "/v2/concurrency_limits/decrement-with-lease", {"lease_id": lease})
            if release == "taken":
                other = rec.flow_run(state("SCHEDULED", scheduled_time=0), deployment_id=deployment)
                make(f"/flow_runs/{other}/set_state", {"state": {"type": "PENDING"}})

        def observe(_base, _ids):
            return {"active_slots": limit_of(deployment)["active_slots"]}

        facts = {"limit": limit, "strategy": strategy}
        if agent != CLIENT:
            facts["user_agent"] = agent
        if release:
            facts["lease"] = "lost, slot " + ("taken" if release == "taken" else "free")
        rec.record(text, run, to, force=force, facts=facts, headers=agents, observe=observe)

    pending, due = state("PENDING"), FLOW_FROM[1]
    for start in starts:
        case(f"{label(start)} -> Pending, slot free", start, pending, "none", 1, 0)
    for strategy in strategies:
        for start in starts:
            case(f"{label(start)} -> Pending, slots full, {strategy}", start, pending, strategy, 1, 1)
        case(f"Scheduled -> Pending, limit 0, {strategy}", due, pending, strategy, 0, 0)
        case(f"Scheduled -> Late, slots full, {strategy}", due, state("SCHEDULED", "Late", scheduled_time=-60), strategy, 1, 1)
    case("Scheduled -> Pending, slots full, force", due, pending, "ENQUEUE", 1, 1, force=True)
    case("Scheduled -> Submitting, slots full", due, state("PENDING", "Submitting"), "ENQUEUE", 1, 1)
    case("Scheduled -> Running, slots full", due, state("RUNNING"), "ENQUEUE", 1, 1)
    for agent in ("prefect/3.0.3 (API 0.8.4)", "prefect/3.4.10 (API 0.8.4)"):
        case(f"Scheduled -> Pending, older client {agent}", due, pending, "ENQUEUE", 1, 0, agent=agent)
        case(f"Pending -> Running, older client {agent}", due, state("RUNNING"), "ENQUEUE", 1, 0, steps=[pending], agent=agent)
        case(f"Running -> Completed, older client {agent}", due, state("COMPLETED"), "ENQUEUE", 1, 0, steps=[pending, state("RUNNING")], agent=agent)
    for to in FLOW_TO:
        case(f"Pending with lease -> {label(to)}", due, to, "ENQUEUE", 1, 0, steps=[pending])
        case(f"Running with lease -> {label(to)}", due, to, "ENQUEUE", 1, 0, steps=[pending, state("RUNNING")])
        case(f"Cancelling with lease -> {label(to)}", due, to, "ENQUEUE", 1, 0, steps=[pending, state("RUNNING"), state("CANCELLING")])
        case(f"Running with lease -> {label(to)}, force", due, to, "ENQUEUE", 1, 0, steps=[pending, state("RUNNING")], force=True)
        case(f"Running without lease -> {label(to)}", state("RUNNING"), to, "ENQUEUE", 1, 1)
    case("Pending, lease lost, slot free -> Running", due, state("RUNNING"), "ENQUEUE", 1, 0, steps=[pending], release="free")
    case("Pending, lease lost, slot taken -> Running", due, state("RUNNING"), "ENQUEUE", 1, 0, steps=[pending], release="taken")
    for count in (1, 0):
        deployment = rec.deployment(concurrency_limit=1)
        run = rec.flow_run(due, deployment_id=deployment, empirical_policy={"retries": count})
        for step in (pending, state("RUNNING")):
            make(f"/flow_runs/{run}/set_state", {"state": step})
        rec.record(f"Running with lease -> Failed, retries {count}", run, state("FAILED"),
                   facts={"limit": 1, "strategy": "none"},
                   observe=lambda _base, _ids: {"active_slots": limit_of(deployment)["active_slots"]})


def flow_runs():
    rec = Recorder("flow")
    for part in (flow_matrix, flow_retries, flow_pauses, flow_resume, flow_times_and_ids, flow_pools,
                 flow_infrastructure, flow_results, flow_subflows, flow_concurrency):
        part(rec)
    rec.write("flow_run.json")


TASK_FROM = [
    state("SCHEDULED", "Scheduled", scheduled_time=3600),
    state("SCHEDULED", "Scheduled", scheduled_time=-60),
    state("SCHEDULED", "AwaitingRetry", scheduled_time=-1),
    state("PENDING"),
    state("RUNNING"),
    state("RUNNING", "Retrying"),
    state("COMPLETED"),
    state("COMPLETED", data=PERSISTED),
    state("FAILED"),
    state("CANCELLED"),
    state("CRASHED"),
    state("PAUSED"),
    state("CANCELLING"),
]
TASK_TO = [
    state("SCHEDULED", scheduled_time=3600),
    state("SCHEDULED", "AwaitingRetry", scheduled_time=3600),
    state("PENDING"),
    state("RUNNING"),
    state("COMPLETED"),
    state("FAILED"),
    state("CANCELLED"),
    state("CRASHED"),
    state("PAUSED"),
    state("CANCELLING"),
]


class TaskRecorder(Recorder):
    def task_run(self, start, flow_run=None, **fields):
        body = {"flow_run_id": flow_run, "task_key": "t", "dynamic_key": unique("k"), **fields}
        return self.start("/task_runs/", body, start)


def task_matrix(rec):
    running = rec.flow_run(state("RUNNING"))
    for to in TASK_TO:
        rec.record_create(to, {"flow_run_id": running, "task_key": "t", "dynamic_key": unique("k")})
    facts = {"flow_state": "RUNNING", "flow_run_count": 1}
    for start in TASK_FROM:
        for to in TASK_TO:
            case = f"{label(start)} -> {label(to)}"
            rec.record(case, rec.task_run(start, running), to, facts=facts)
            if start.get("name") not in SECOND_NAMES and to.get("name") not in SECOND_NAMES:
                rec.record(case + ", force", rec.task_run(start, running), to, force=True, facts=facts)


def task_flows(rec):
    flows = [None, state("PENDING"), state("SCHEDULED", scheduled_time=60), state("COMPLETED"), state("FAILED"),
             state("CANCELLED"), state("CRASHED"), state("CANCELLING"), state("PAUSED", pause_timeout=60),
             state("PAUSED", "Suspended", pause_timeout=60, pause_reschedule=True)]
    for flow in flows:
        for start in (state("PENDING"), state("COMPLETED"), state("SCHEDULED", "AwaitingRetry", scheduled_time=-1)):
            for to in (state("RUNNING"), state("COMPLETED")):
                run = rec.task_run(start, rec.flow_run(flow) if flow else None)
                facts = {"flow_state": f"{flow['type']}/{label(flow)}" if flow else None}
                rec.record(f"{label(start)} -> {label(to)}, flow {label(flow) if flow else 'none'}", run, to, facts=facts)


def task_retries(rec):
    flow = rec.flow_run(state("RUNNING"))
    facts = {"flow_state": "RUNNING", "flow_run_count": 1}
    failed = state("FAILED", message="boom", data={"type": "unpersisted"})
    for policy in ({}, {"retries": 0}, {"retries": 1}, {"retries": 2, "retry_delay": 10}, {"retries": 3, "retry_delay": [1, 20]}):
        for count in (1, 2, 3):
            run = rec.task_run(state("RUNNING"), flow, empirical_policy=policy)
            for _ in range(count - 1):
                call("POST", f"/task_runs/{run}/set_state", {"state": {"type": "RUNNING"}, "force": True})
            rec.record(f"Running -> Failed, policy {json.dumps(policy)}, {count} runs", run, failed, facts=facts)
    for retriable in (True, False):
        run = rec.task_run(state("RUNNING"), flow, empirical_policy={"retries": 1})
        rec.record(f"Running -> Failed, retriable {retriable}", run, state("FAILED", retriable=retriable), facts=facts)
    run = rec.task_run(state("RUNNING"), flow, empirical_policy={"retries": 1})
    rec.record("Running -> Failed with retries, force", run, failed, force=True, facts=facts)
    run = rec.task_run(state("RUNNING"), flow, empirical_policy={"retries": 1})
    rec.record("Running -> Crashed with retries", run, state("CRASHED"), facts=facts)
    for start in (state("SCHEDULED", "AwaitingRetry", scheduled_time=-1), state("PENDING"), state("RUNNING"), state("FAILED"), state("COMPLETED")):
        for to in (state("RUNNING"), state("PENDING"), state("SCHEDULED", scheduled_time=0)):
            run = rec.task_run(state("RUNNING"), flow)
            call("POST", f"/task_runs/{run}/set_state", {"state": wire_state(start), "force": True})
            rec.record(f"{label(start)} after a run -> {label(to)}", run, to, facts=facts)
    for start in (state("FAILED"), state("COMPLETED"), state("SCHEDULED", "AwaitingRetry", scheduled_time=-1)):
        flow2 = rec.flow_run(state("RUNNING"))
        run = rec.task_run(state("PENDING"), flow2)
        make(f"/task_runs/{run}/set_state", {"state": {"type": "RUNNING"}})
        call("POST", f"/task_runs/{run}/set_state", {"state": wire_state(start), "force": True})
        call("POST", f"/flow_runs/{flow2}/set_state", {"state": {"type": "RUNNING"}, "force": True})
        rec.record(f"{label(start)} -> Running, flow run retried", run, state("RUNNING"),
                   facts={"flow_state": "RUNNING", "flow_run_count": 2})


def task_caches(rec):
    flow = rec.flow_run(state("RUNNING"))
    for text, expiry in (("valid", 3600), ("without expiry", None), ("expired", -60)):
        for refresh in (None, True):
            key = "cache-" + text.replace(" ", "-") + ("-refresh" if refresh else "")
            details = {"cache_key": key}
            if expiry is not None:
                details["cache_expiration"] = expiry
            run = rec.task_run(state("RUNNING"), flow)
            make(f"/task_runs/{run}/set_state", {"state": wire_state(state("COMPLETED", data=PERSISTED, **details))})
            again = {"cache_key": key}
            if refresh:
                again["refresh_cache"] = True
            rec.record(f"Pending -> Running, cached state {text}, refresh {refresh}", rec.task_run(state("PENDING"), flow),
                       state("RUNNING", **again), facts={"flow_state": "RUNNING", "cache": text})
    rec.record("Pending -> Running, nothing cached", rec.task_run(state("PENDING"), flow),
               state("RUNNING", cache_key="absent"), facts={"flow_state": "RUNNING", "cache": None})
    rec.record("Running -> Completed, cache key too long", rec.task_run(state("RUNNING"), flow),
               state("COMPLETED", cache_key="k" * 2001), facts={"flow_state": "RUNNING"})


def task_limits(rec):
    """Only a limit of 0: to take a slot the server opens a second transaction,
    which on SQLite waits for the first one until it times out."""
    flow = rec.flow_run(state("RUNNING"))
    make("/concurrency_limits/", {"tag": "none-allowed", "concurrency_limit": 0})
    facts = {"flow_state": "RUNNING", "flow_run_count": 1, "limit": 0}
    for force in (False, True):
        for to in (state("RUNNING"), state("COMPLETED")):
            run = rec.task_run(state("PENDING"), flow, tags=["none-allowed"])
            rec.record(f"Pending -> {label(to)}, tag limit 0" + (", force" if force else ""), run, to, force=force, facts=facts)


def task_deferred(rec):
    for start in TASK_FROM:
        for to in (state("PENDING", deferred=True), state("RUNNING", deferred=True), state("SCHEDULED", scheduled_time=0, deferred=True)):
            rec.record(f"{label(start)} -> {label(to)}, deferred", rec.task_run(start), to)


def task_runs():
    rec = TaskRecorder("task")
    for part in (task_matrix, task_flows, task_retries, task_caches, task_limits, task_deferred):
        part(rec)
    rec.write("task_run.json")


if __name__ == "__main__":
    flow_runs()
    task_runs()
