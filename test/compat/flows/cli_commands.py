"""Lists the leaf commands of the Prefect command line and which of them the given
command lines run. Reads a JSON list of argument lists, such as [["deployment", "ls"]],
from its input, and prints {"leaves": [...], "run": [...], "unknown": [...]}.

An alias counts as the command that it stands for. A group that does something
by itself, as `prefect deploy` does, is a leaf too.
"""

import json
import sys

from prefect.cli._app import _app


def children(app) -> dict[str, object]:
    return {name: app[name] for name in app if not name.startswith("-")}


def leaves(app, path: tuple[str, ...] = ()):
    seen = set()
    for name, child in children(app).items():
        if id(child) in seen:
            continue  # an alias of one before
        seen.add(id(child))
        if children(child):
            yield from leaves(child, (*path, name))
        if not children(child) or child.default_command:
            yield id(child), " ".join((*path, name))


def resolve(words: list[str]) -> int:
    """The command that the words begin with, by identity."""
    app = _app
    for word in words:
        inner = children(app)
        if word not in inner:
            break
        app = inner[word]
    return id(app)


names = dict(leaves(_app))
run, unknown = set(), []
for words in json.load(sys.stdin):
    name = names.get(resolve(words))
    if name:
        run.add(name)
    else:
        unknown.append(" ".join(words))
print(json.dumps({"leaves": sorted(names.values()), "run": sorted(run), "unknown": unknown}))
