"""Writes what the reference makes of the templates in the *.txt files here.

Each case is a line with a template, then a line with what became of it: "= text"
or "! Class: message" of the exception. Templates and texts that have more lines,
or begin or end with a space or a quote, are JSON strings. The variables of all
are in vars.json, where {"$time": ...} is a datetime and {"$delta": ...} a
timedelta of seconds.

    python record.py     (with the reference's packages installed)
"""

import datetime
import json
import logging
import pathlib

from prefect.server.events.jinja_filters import all_filters
from prefect.server.utilities.user_templates import _sync_template_environment as env
from prefect.server.utilities.user_templates import maybe_template

logging.disable(logging.CRITICAL)
env.filters.update(all_filters)
here = pathlib.Path(__file__).parent


def revive(v):
    if isinstance(v, dict):
        if "$time" in v:
            return datetime.datetime.fromisoformat(v["$time"].replace("Z", "+00:00"))
        if "$delta" in v:
            return datetime.timedelta(seconds=v["$delta"])
        return {k: revive(x) for k, x in v.items()}
    return [revive(x) for x in v] if isinstance(v, list) else v


def line(s):
    plain = s and s == s.strip() and s[0] not in '"#=!' and s.isprintable()
    return s if plain else json.dumps(s, ensure_ascii=False)


def outcome(template, variables):
    if not maybe_template(template):
        return "= " + line(template)
    try:
        return "= " + line(env.from_string(template).render(variables))
    except Exception as e:
        message = e.args[0] if e.args else ""
        if not isinstance(message, str):
            message = str(e)
        return "! " + type(e).__name__ + ": " + line(message)


def main():
    variables = revive(json.loads((here / "vars.json").read_text()))
    for path in sorted(here.glob("*.txt")):
        out = []
        for text in path.read_text().split("\n"):
            if text.startswith(("= ", "! ")):
                continue
            out.append(text)
            if text and not text.startswith("# "):
                template = json.loads(text) if text.startswith('"') else text
                out.append(outcome(template, variables))
        path.write_text("\n".join(out))


if __name__ == "__main__":
    main()
