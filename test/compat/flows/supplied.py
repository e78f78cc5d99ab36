"""What the installed reference says that every server has: its block types, their
schemas and its types of workers, without the words that describe them."""

import json
from pathlib import Path

from facts import tell

import prefect.blocks.notifications  # for its blocks
import prefect.server
from prefect.blocks.core import Block
from prefect.blocks.system import Secret
from prefect.blocks.webhook import Webhook
from prefect.filesystems import LocalFileSystem
from prefect.utilities.dispatch import get_registry_for_type

ROOT = Path(prefect.server.__file__).parent
WORDS = {"description", "code_example"}


def wordless(value, names=False):
    """A copy without descriptions; names tells that keys are names of fields."""
    if isinstance(value, dict):
        return {
            k: wordless(v, not names and k in ("properties", "definitions"))
            for k, v in value.items()
            if names or k not in WORDS or not isinstance(v, str | None)
        }
    return [wordless(v) for v in value] if isinstance(value, list) else value


def schema(fields, capabilities, version, checksum):
    return {"fields": wordless(fields), "capabilities": sorted(capabilities), "version": version, "checksum": checksum}


def main():
    types = {}
    for collection in json.loads((ROOT / "collection_blocks_data.json").read_text())["collections"].values():
        for slug, kind in collection["block_types"].items():
            s = kind["block_schema"]
            types[slug] = {
                "name": kind["name"], "logo_url": kind["logo_url"], "documentation_url": kind["documentation_url"], "is_protected": False,
                "schema": schema(s["fields"], s["capabilities"], s["version"], s["checksum"]),
            }
    for kind in get_registry_for_type(Block).values():
        if not kind.__module__.startswith("prefect."):
            continue  # of a collection that is installed here, perhaps of another version
        t, s = kind._to_block_type(), kind._to_block_schema()
        types[t.slug] = {
            "name": t.name, "logo_url": str(t.logo_url), "documentation_url": t.documentation_url and str(t.documentation_url),
            "is_protected": kind in (Secret, Webhook, LocalFileSystem),
            "schema": schema(s.fields, s.capabilities, s.version, kind._calculate_schema_checksum()),
        }
    view = json.loads((ROOT / "api/collections_data/views/aggregate-worker-metadata.json").read_text())
    return dict(types=types, workers=wordless(view))


if __name__ == "__main__":
    tell(**main())
