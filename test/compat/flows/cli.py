"""Tells stories of the Prefect command line: runs the commands of each story in
order and writes a transcript of them and of the state that they leave.

    python cli.py OUTDIR STORY...

The server is that of PREFECT_API_URL. Importing Prefect costs more than most
commands, so each command is a fork of this process, which has imported all of
it and runs nothing itself: a fork has settings, streams, signals and an exit
status of its own, as a process that a shell starts has.

A line of a story, in which {name} stands for a value that was kept:

    # words                          go to the transcript
    $ prefect ... [~~ PATTERN]       runs a command; of its output only lines with the
                                     pattern are told; `-` stands for none, `json FIELDS`
                                     for fields of its output read as JSON
    & NAME PATTERN :: prefect ...    starts a command, goes on when it wrote the pattern
    written NAME PATTERN             waits for it to write the pattern
    stop NAME                        ends it as Ctrl-C does
    join NAME                        waits until it ends
    > METHOD PATH [BODY] [:: FIELDS] asks the server, tells status and fields
    = NAME FIELD METHOD PATH [BODY]  keeps a field of an answer
    wait FIELD VALUE METHOD PATH [BODY]  until the field has the value
    file NAME ... endfile            writes a file into the story's folder
    env KEY[=VALUE]                  sets a variable for the commands that follow, or removes it
    dir NAME                         changes the folder below the story's own
    sorted                           the next output's lines are told in order

A field is a path such as `[0].state.type`; one that begins with * is told of each
element of a list.
"""

import atexit
import importlib
import json
import os
import pkgutil
import re
import shlex
import signal
import sys
import threading
import time
import traceback
import urllib.error
import urllib.parse
import urllib.request

import prefect.cli
import prefect.cli._app
import prefect.context
import prefect.main

for module in pkgutil.walk_packages(prefect.cli.__path__, "prefect.cli."):
    importlib.import_module(module.name)

API = os.environ["PREFECT_API_URL"]
OTHER = os.environ.get("COMPAT_OTHER_API", "")  # of a second server
LIMIT = 90.0  # seconds that a command may take


def ask(method: str, path: str, body: object = None) -> tuple[int, object]:
    """Asks the server and returns status and JSON."""
    data = None if body is None else json.dumps(body).encode()
    url = path if path.startswith("http") else API + path
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            status, text = answer.status, answer.read()
    except urllib.error.HTTPError as refused:
        status, text = refused.code, refused.read()
    try:
        return status, json.loads(text) if text else None
    except ValueError:
        return status, text.decode()


def clear(api: str) -> None:
    """Empties a server, but for the block types that every server has."""
    for kind in ("deployments", "flows", "flow_runs", "task_runs", "work_pools", "variables", "automations", "artifacts",
                 "block_documents", "concurrency_limits", "v2/concurrency_limits", "saved_searches"):
        body = {"include_secrets": False} if kind == "block_documents" else {}
        while rows := ask("POST", f"{api}/{kind}/filter", {"limit": 200, **body})[1]:
            for row in rows:
                key = row["name"] if kind == "work_pools" else row["id"]
                status, answer = ask("DELETE", f"{api}/{kind}/{key}")
                if status >= 300 and status != 404:
                    raise SystemExit(f"DELETE /{kind}/{key}: {status} {answer}")


def look(value: object, path: str) -> object:
    """The value at a path such as [0].state.type; what is not there is None."""
    for part in re.findall(r"\[\d+\]|[^.\[\]]+", path):
        try:
            value = value[int(part[1:-1])] if part[0] == "[" else value[part]
        except (KeyError, IndexError, TypeError):
            return None
    # Tags are a set, which the reference tells in any order.
    return sorted(value) if path.endswith("tags") and isinstance(value, list) else value


def told(value: object, fields: list[str]) -> list[str]:
    """The fields of a value as lines of JSON."""
    if not fields:
        return [] if value is None else [dump(value)]
    each = [f[1:] for f in fields if f.startswith("*")]
    if each:
        rows = value if isinstance(value, list) else [value]
        return [" ".join(dump(look(row, f)) for f in each) for row in rows]
    return [" ".join(dump(look(value, f)) for f in fields)]


def dump(value: object) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def read(path: str) -> str:
    """What a command has written so far."""
    try:
        with open(path, encoding="utf-8", errors="replace") as f:
            return f.read()
    except FileNotFoundError:
        return ""


def without_frames(output: str) -> list[str]:
    """The lines of an output, of Python's tracebacks their errors alone."""
    lines, inside = [], False
    for line in output.split("\n"):
        if line.startswith("Traceback "):
            inside = True
        elif "errors.pydantic.dev" not in line and (not inside or not line.startswith((" ", "\t"))):
            inside = inside and not line
            lines.append(line)
    return lines


SUBSTITUTIONS = [
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "<id>"),
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?( ?(Z|UTC|[+-]\d\d:?\d\d))?"), "<time>"),
    (re.compile(r"datetime\.datetime\([^()]*(\([^()]*\))?[^()]*\)|DateTime\([^()]*(\([^()]*\))?[^()]*\)"), "<time>"),
    (re.compile(r"\b\d\d:\d\d:\d\d\.\d{3}\b"), "<clock>"),
    (re.compile(r"(?<= )\d+s\s*$"), "<ago>"),
    (re.compile(r"datetime\.timedelta\([^()]*\)"), "<delta>"),
    (re.compile(r"(\b(about )?(an?|\d+) (second|minute|hour|day)s? (ago|from now)|\bjust now|\bin \d+ (second|minute|hour|day|year)s?|\ba few seconds ago)"), "<ago>"),
    (re.compile(r"[─━│┃┌┐└┘├┤┬┴┼╭╮╰╯┏┓┗┛┡┩╇╈┳┻╋═║╔╗╚╝╟╢╠╣╞╡╪╤╧]+"), " "),
    (re.compile(r"[ \t]+"), " "),
]


class Story:
    def __init__(self, path: str, out: str):
        self.name = os.path.splitext(os.path.basename(path))[0]
        self.lines = open(path, encoding="utf-8").read().split("\n")
        self.dir = os.path.realpath(os.path.join(out, self.name + ".dir"))
        os.makedirs(self.dir)
        self.cwd, self.out = self.dir, out
        self.env: dict[str, str | None] = {"PREFECT_HOME": os.path.join(self.dir, "home")}
        self.kept: dict[str, str] = {"api": API}
        if OTHER:
            self.kept["other"] = OTHER
        self.running: dict[str, tuple[int, str]] = {}
        self.transcript: list[str] = []
        self.sorted = False
        self.slow: list[tuple[float, str]] = []

    def plain(self, text: str) -> str:
        """The text without what differs from run to run."""
        for name, value in self.kept.items():
            text = text.replace(value, f"<{name}>")
        text = text.replace(self.dir, "<dir>").replace(API.removesuffix("/api"), "<server>").replace(urllib.parse.urlsplit(API).netloc, "<host>")
        for pattern, by in SUBSTITUTIONS:
            text = pattern.sub(by, text)
        return text

    def tell(self, lines: list[str]) -> None:
        if self.sorted:
            lines, self.sorted = sorted(lines), False
        self.transcript += ["  " + line for line in lines if line]

    def start(self, argv: list[str], name: str) -> tuple[int, str]:
        """Starts a command; returns its process and the file that has its output."""
        log = os.path.join(self.out, f"{self.name}.{name}.log")
        pid = os.fork()
        if pid == 0:
            self.become(argv, log)
        return pid, log

    def become(self, argv: list[str], log: str) -> None:
        """The rest of a fork's life: one command."""
        code = 1
        try:
            os.setpgid(0, 0)
            os.chdir(self.cwd)
            for key, value in self.env.items():
                if value is None:
                    os.environ.pop(key, None)
                else:
                    os.environ[key] = value
            out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            null = os.open(os.devnull, os.O_RDONLY)
            os.dup2(null, 0), os.dup2(out, 1), os.dup2(out, 2)
            sys.argv = [os.path.join(os.path.dirname(sys.executable), "prefect"), *argv[1:]]
            prefect.context.refresh_global_settings_context()
            prefect.cli.app()
            code = 0
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
            if isinstance(end.code, str):
                print(end.code, file=sys.stderr)
        except BaseException:
            traceback.print_exc()
        finally:
            try:
                threading._shutdown()
                atexit._run_exitfuncs()
                sys.stdout.flush(), sys.stderr.flush()
            finally:
                os._exit(code)

    def end(self, pid: int, limit: float = LIMIT) -> int:
        """Waits for a command and returns its exit status."""
        deadline = time.monotonic() + limit
        while True:
            done, status = os.waitpid(pid, os.WNOHANG)
            if done:
                return os.waitstatus_to_exitcode(status)
            if time.monotonic() > deadline:
                os.killpg(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
                return -99
            time.sleep(0.01)

    def run(self, text: str) -> None:
        began = time.monotonic()
        command, _, how = text.partition(" ~~ ")
        pid, log = self.start(shlex.split(self.fill(command)), "now")
        code = self.end(pid)
        self.slow.append((round(time.monotonic() - began, 2), command))
        output = read(log)
        self.transcript.append("$ " + self.plain(self.fill(command)) + (f" -> {code}" if code else ""))
        how = how.strip()
        if how.startswith("json"):
            try:
                self.tell([self.plain(line) for line in told(json.loads(output), how.split()[1:])])
            except ValueError:
                self.tell(["no JSON", *map(self.plain, without_frames(output))])
            return
        lines = [self.plain(line).strip() for line in without_frames(output)]
        if how == "-" or (how and code == -99):
            lines = []
        elif how:
            lines = [line for line in lines if re.search(how, line)]
        self.tell(lines)
        os.replace(log, os.path.join(self.out, f"{self.name}.last.log"))

    def written(self, name: str, pattern: str) -> None:
        pid, log = self.running[name]
        deadline = time.monotonic() + LIMIT
        while not re.search(pattern, self.plain(read(log))):
            done, status = os.waitpid(pid, os.WNOHANG)
            if done or time.monotonic() > deadline:
                self.tell([f"{name} did not write {pattern}:", *self.plain(read(log)).split("\n")])
                if done:
                    self.running[name] = (0, log)
                return
            time.sleep(0.05)
        self.transcript.append(f"{name} wrote {pattern}")

    def finish(self, name: str, interrupt: bool) -> None:
        pid, _ = self.running.pop(name)
        if pid == 0:
            return
        if interrupt:
            os.kill(pid, signal.SIGINT)
        code = self.end(pid, 30)
        self.transcript.append(f"{name} ended" + ("" if interrupt else f" -> {code}"))
        try:
            os.killpg(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass

    def fill(self, text: str) -> str:
        return re.sub(r"\{(\w+)\}", lambda m: self.kept.get(m.group(1), m.group(0)), text)

    def request(self, words: str) -> tuple[str, int, object]:
        words = self.fill(words)
        method, path, *rest = words.split(" ", 2)
        body = json.loads(rest[0]) if rest else ({} if method == "POST" else None)
        return words, *ask(method, path, body)

    def step(self, line: str) -> None:
        kind, _, rest = line.partition(" ")
        if kind == "#":
            self.transcript.append(line)
        elif kind == "$":
            self.run(rest)
        elif kind == "&":
            head, command = rest.split(" :: ", 1)
            name, pattern = head.split(" ", 1)
            self.running[name] = self.start(shlex.split(self.fill(command)), name)
            self.transcript.append(f"& {self.plain(self.fill(command))}")
            self.written(name, pattern)
        elif kind == "written":
            self.written(*rest.split(" ", 1))
        elif kind in ("stop", "join"):
            self.finish(rest, kind == "stop")
        elif kind == ">":
            request, _, fields = rest.partition(" :: ")
            shown, status, answer = self.request(request)
            self.transcript.append(f"> {self.plain(shown)} -> {status}")
            if fields != "-":
                self.tell([self.plain(line) for line in told(answer, fields.split())])
        elif kind == "=":
            name, field, request = rest.split(" ", 2)
            _, _, answer = self.request(request)
            self.kept[name] = str(look(answer, field))
            if self.kept[name] == "None":
                raise SystemExit(f"{self.name}: {line}: not in {answer}")
        elif kind == "wait":
            field, want, request = rest.split(" ", 2)
            deadline = time.monotonic() + LIMIT
            while True:
                _, _, answer = self.request(request)
                got = look(answer, field)
                if str(got) == want:
                    break
                if time.monotonic() > deadline:
                    self.tell([f"waited in vain for {field} {want}: {dump(got)}"])
                    break
                time.sleep(0.1)
        elif kind == "env":
            key, given, value = self.fill(rest).partition("=")
            self.env[key] = value if given else None
        elif kind == "dir":
            self.cwd = os.path.join(self.dir, rest)
            os.makedirs(self.cwd, exist_ok=True)
        elif kind == "sorted":
            self.sorted = True
        elif line.strip():
            raise SystemExit(f"{self.name}: what does {line!r} mean?")

    def write(self) -> None:
        lines = iter(self.lines)
        for line in lines:
            if line.startswith("file "):
                with open(os.path.join(self.cwd, line[5:]), "w", encoding="utf-8") as f:
                    for inner in lines:
                        if inner == "endfile":
                            break
                        f.write(self.fill(inner) + "\n")
                continue
            self.step(line)
        for name in list(self.running):
            self.finish(name, True)
        with open(os.path.join(self.out, self.name + ".golden"), "w", encoding="utf-8") as f:
            f.write("\n".join(self.transcript) + "\n")


def main() -> None:
    out, *stories = sys.argv[1:]
    took = {}
    for path in stories:
        began = time.monotonic()
        for api in filter(None, (API, OTHER)):
            clear(api)
        story = Story(path, out)
        try:
            story.write()
        except BaseException:
            print("\n".join(story.transcript[-20:]))
            raise
        took[story.name] = [round(time.monotonic() - began, 1), max(story.slow)]
    print(json.dumps({"seconds": took}))


if __name__ == "__main__":
    main()
