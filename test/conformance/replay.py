"""Replays one recorded case and compares. The comparison of values is the recordings' own (check.py)."""
import json
import re
import time

from botocore import xform_name
from botocore.exceptions import BotoCoreError, ClientError

ENDED = {"ExecutionSucceeded", "ExecutionFailed", "ExecutionAborted", "ExecutionTimedOut"}
ENDS = {"StopExecution", "SendTaskSuccess", "SendTaskFailure", "GetActivityTask", "DeleteStateMachine"}
QUIET = 3.0  # seconds without an event after which a history that something later must end is taken as it is
# Names that stand for values: <...> are known to check.py; others look like these and no step contains them.
WORD = re.compile(r"<[^<>]*>|(?<![\w$.<-])(?:[a-z]+(?:_[a-z0-9]+)+|[a-z]+(?:-[a-z]+)*-(?:date|time))(?![\w.])")


class Replay:
    """One case: its answers, its errors and what differs."""

    def __init__(self, check, case, client, limit):
        self.check, self.case, self.client, self.limit = check, case, client, limit
        self.answers, self.errors, self.inputs, self.histories = {}, [], [], {}
        self.skip = [check.skip_rx(p) for p in case.get("not_compared", [])]
        self.expected = self.marked(case["expected"], json.dumps(case.get("steps")))
        self.wanted = {}
        for m in case.get("matches") or []:
            if "step" in m and m["key"] in self.expected:
                self.wanted.setdefault(m["step"], []).append(self.expected[m["key"]])
        # What the client itself refuses was recorded with the client's checks on.
        text = json.dumps(self.expected)
        self.strict_client = "ParamValidationError" in text or "Parameter validation failed" in text

    def marked(self, v, steps):
        """Writes all placeholders of an expected value as <...>."""
        if isinstance(v, dict):
            return {k: self.marked(x, steps) for k, x in v.items()}
        if isinstance(v, list):
            return [self.marked(x, steps) for x in v]
        if isinstance(v, str):
            v = re.sub(r"<<([^<>]*)>([^<>]*)>", r"<\1\2>", v)
            return WORD.sub(lambda m: m[0] if m[0][0] == "<" or m[0] in steps else f"<{m[0]}>", v)
        return v

    def run(self):
        for i, step in enumerate(self.case["steps"]):
            self.step(i, step)

    def step(self, i, step):
        params = self.check.sub(step["params"], self.answers)
        cli = self.client(step["service"], 1 if step.get("account") == "second" else 0, self.strict_client)
        end = time.time() + self.limit
        seen, since = -1, time.time()
        while True:
            try:
                answer = self.check.plain(self.call(cli, step, params))
            except (ClientError, BotoCoreError) as e:
                self.errors.append(e)
                self.answers[i] = self.failed(e)
                return
            self.answers[i] = answer
            if step["op"] == "StartExecution":
                self.inputs.append(params.get("input", "{}"))
            n = self.progress(i, step, params, answer)
            if n is None or time.time() > end:
                return
            if n != seen:
                seen, since = n, time.time()
            elif time.time() - since > QUIET and self.ended_later(i):
                return
            time.sleep(0.05)

    def call(self, cli, step, params):
        if "definition" in params and params["definition"] is None:  # check.py would write null as a text
            return getattr(cli, xform_name(step["op"]))(**params)
        if step["op"].startswith("SendTask") and not any(params["taskToken"] == t for t in self.tokens()):
            params = {**params, "taskToken": next(iter(reversed(self.tokens())), params["taskToken"])}
        answer = self.check.call(cli, step, params)
        if hasattr(answer.get("Body"), "read"):
            answer["Body"] = answer["Body"].read().decode()
        return answer

    def tokens(self):
        """The task tokens in the messages and tasks received so far: the recording has those of its own run."""
        out = []

        def look(v):
            if isinstance(v, str) and v.startswith(("{", "[")):
                try:
                    look(json.loads(v))
                except ValueError:
                    pass
            elif isinstance(v, dict):
                for k, x in v.items():
                    if k.lower() == "tasktoken" and isinstance(x, str):
                        out.append(x)
                    look(x)
            elif isinstance(v, list):
                for x in v:
                    look(x)

        for a in self.answers.values():
            look({k: a[k] for k in ("Messages", "taskToken") if k in a})
        return out

    def failed(self, e):
        if not isinstance(e, ClientError):
            return {}
        answer = {k: v for k, v in e.response.items() if k != "ResponseMetadata"}
        answer["ResponseMetadata"] = {"HTTPHeaders": {}, "HTTPStatusCode": e.response["ResponseMetadata"]["HTTPStatusCode"]}
        return self.check.plain(answer)

    def progress(self, i, step, params, answer):
        """None when the answer is final, else a number that grows while something happens."""
        if step["op"] == "GetExecutionHistory":
            if params.get("nextToken"):
                return None
            events = answer["events"]
            self.histories[params["executionArn"]] = events
            last = events[0 if params.get("reverseOrder") else -1]["type"] if events else ""
            if last in ENDED and not self.behind(i, events):
                return None
            return None if self.agrees(i) else len(events)
        if step["op"] == "DescribeExecution" and answer.get("status") == "RUNNING":
            return None if self.agrees(i) else 0
        if step["op"] == "DescribeMapRun" and answer.get("status") == "RUNNING":
            return None if self.agrees(i) else 0
        if step["op"] in ("GetLogEvents", "FilterLogEvents") and "logged_execution_events" in self.expected:
            wanted = len(self.expected["logged_execution_events"])
            return None if len(answer["events"]) >= wanted else len(answer["events"])
        if step["op"] in ("GetLogEvents", "FilterLogEvents") and "end_event" in self.expected:
            ended = any(json.loads(e["message"]).get("type") in ENDED for e in answer["events"])
            return None if ended else len(answer["events"])
        return None

    def behind(self, i, events):
        """After a redrive a history that ended goes on: then the recording is longer."""
        wanted = [len(w["events"]) for w in self.wanted.get(i, []) if isinstance(w, dict) and "events" in w]
        redriven = any(s["op"] == "RedriveExecution" for s in self.case["steps"][:i])
        return redriven and any(len(events) < n for n in wanted)

    def agrees(self, i):
        return any(not self.check.diff(w, self.answers[i], "$", self.skip) for w in self.wanted.get(i, []))

    def ended_later(self, i):
        return any(s["op"] in ENDS for s in self.case["steps"][i + 1:])

    def compare(self):
        """Returns the differences and the keys that were not compared."""
        out, unchecked, errors, used = [], [], list(self.errors), {}
        for m in self.case.get("matches") or []:
            exp = self.expected.get(m["key"])
            if exp is None:
                continue
            if "step" in m:
                out += [m["key"] + " " + d for d in self.compare_step(m["step"], exp, used)]
            elif isinstance(exp, dict) and "exception_typename" in exp:
                out += [m["key"] + " " + d for d in self.compare_error(exp["exception_typename"], exp["exception_value"], errors)]
            elif isinstance(exp, str) and exp.startswith(("An error occurred (", "Parameter validation failed")):
                out += [m["key"] + " " + d for d in self.compare_error(None, exp, errors)]
            elif m.get("error"):
                out += [m["key"] + " " + d for d in self.compare_answer(exp, self.failed(errors.pop(0)) if errors else {})]
            else:
                unchecked.append(m["key"])
        named = {m["key"] for m in self.case.get("matches") or []}
        unchecked += [k for k in self.expected if k not in named]
        return out + ([] if out else self.inconsistent()), unchecked

    def diff(self, exp, act):
        """check.diff, where a name in the recording stands for itself with the test's own random end."""
        out = []
        for d in self.check.diff(exp, act, "$", self.skip):
            m = re.search(r": expected '([\w-]+)', got '([\w-]+)'$", d)
            if not (m and re.fullmatch(re.escape(m[1]) + "-[0-9a-f]{8}", m[2])):
                out.append(d)
        return out

    def compare_answer(self, exp, act):
        if isinstance(exp, dict) and "events" in exp and isinstance(act.get("events"), list):
            act = {**act, "events": act["events"]}
        return self.diff(exp, act)

    def compare_step(self, i, exp, used):
        """A read that was made several times is named by its first: later ones take the later answers."""
        step, best = self.case["steps"][i], None
        same = [j for j, s in enumerate(self.case["steps"])
                if j >= used.get(i, i) and s["op"] == step["op"] and s["params"] == step["params"]]
        for j in same:
            diffs = self.compare_answer(exp, self.answers.get(j, {}))
            if not diffs:
                used[i] = j
                return []
            best = best or diffs
        for j, s in enumerate(self.case["steps"]):  # an answer named by a step of another operation
            if j > i and s["op"] != step["op"] and isinstance(exp, dict) and set(exp) - {"ResponseMetadata"} <= set(self.answers.get(j, {})):
                if not self.compare_answer(exp, self.answers[j]):
                    return []
        events = exp.get("events") if isinstance(exp, dict) else None
        if events is not None and "events" not in self.answers.get(i, {}):  # a history that was read unseen
            for history in self.histories.values():
                diffs = self.compare_answer(exp, {"events": history, "ResponseMetadata": exp.get("ResponseMetadata", {})})
                if not diffs:
                    return []
                best = diffs
        return best or ["no answer"]

    def compare_error(self, kind, text, errors):
        if not errors:
            return ["no error, expected " + text[:200]]
        first = None
        for n, e in enumerate(errors):
            name = e.response["Error"]["Code"] if isinstance(e, ClientError) else type(e).__name__
            diffs = ([f"expected {kind}, got {name}"] if kind and kind != name else []) + self.check.diff(text, str(e), "$.exception_value", self.skip)
            if not diffs:
                del errors[: n + 1]
                return []
            first = first or diffs
        return first

    def inconsistent(self):
        """Placeholders that are whole values stand for the same value everywhere in a case."""
        bound, out = {}, []

        def bind(exp, act):
            if isinstance(act, str) and not isinstance(exp, str):
                try:
                    act = json.loads(act)
                except ValueError:
                    return
            if isinstance(exp, dict) and isinstance(act, dict):
                for k in exp:
                    if k in act:
                        bind(exp[k], act[k])
            elif isinstance(exp, list) and isinstance(act, list):
                for e, a in zip(exp, act):
                    bind(e, a)
            elif isinstance(exp, str) and isinstance(act, str) and re.fullmatch(r"<(uuid|resource|ArnPart_|ExecArnPart_)[^<>]*>", exp):
                if bound.setdefault(exp, act) != act:
                    out.append(f"{exp} is {bound[exp]!r} and {act!r}")

        if not self.case.get("not_compared"):
            steps = [m["step"] for m in self.case.get("matches") or [] if "step" in m]
            for m in self.case.get("matches") or []:
                if "step" in m and steps.count(m["step"]) == 1 and m["key"] in self.expected:
                    bind(self.expected[m["key"]], self.answers.get(m["step"], {}))
        return out

    def computed(self, key):
        """Differences of a value that the recording computed from answers; None where it is not known how."""
        exp = self.expected[key]
        if key == "cases":
            act = []
            for text, events in zip(self.inputs, self.histories.values()):
                output = next((e["executionSucceededEventDetails"].get("output") for e in events if "executionSucceededEventDetails" in e), None)
                act.append({"input": json.loads(text), "output": json.loads(output) if output else None})
            if len(act) == len(exp):
                return self.check.diff(exp, act, "$", self.skip)
            # The recording leaves out calls that look alike: each that is there must be one of the table.
            return [f"not in the table: {json.dumps(a)}" for a in act if all(self.check.diff(e, a, "$", self.skip) for e in exp)]
        if key in ("logged_execution_events", "end_event"):
            events = [json.loads(e["message"]) for a in self.answers.values() for e in a.get("events", []) if "message" in e]
            events = sorted({(e["execution_arn"], e["id"]): e for e in events}.values(), key=lambda e: (str(e.get("event_timestamp")), int(e["id"])))
            act = events[-1] if key == "end_event" and events else events
            return self.check.diff(exp, act, "$", self.skip)
        if key == "messages":
            act = [json.loads(m["Body"]) if isinstance(m["Body"], str) and m["Body"].startswith("{") else m["Body"]
                   for a in self.answers.values() for m in a.get("Messages", [])]
            return self.check.diff(exp, act, "$", self.skip)
        if isinstance(exp, dict) and "exception_typename" in exp:
            return self.compare_error(exp["exception_typename"], exp["exception_value"], list(self.errors))
        if not isinstance(exp, dict):
            return None
        # An answer that the recording does not name the call of: some answer must be it.
        act = list(self.answers.values()) + [{"events": h, "ResponseMetadata": exp.get("ResponseMetadata")} for h in self.histories.values()]
        diffs = sorted((self.diff(exp, a) for a in act), key=len)
        return diffs[0] if diffs else None
