#!/usr/bin/python3
"""Validates the manifest of each archive against docs/manifest.schema.json.

usage: validate_manifest.py [--without NAME] ARCHIVE...

Properties that the schema does not describe are errors here, although readers have to pass over them: what
we write has to be described. --without drops a property of the manifest first, to prove that this program
sees that. Needs python3-jsonschema; the interpreter is the distribution's, which has it.
"""

import json
import subprocess
import sys
from pathlib import Path

import jsonschema

SCHEMA = Path(__file__).resolve().parent.parent / "docs" / "manifest.schema.json"


def closed(schema):
    """The schema without room for more properties than it names."""
    if isinstance(schema, list):
        return [closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    copy = {key: closed(value) for key, value in schema.items()}
    if isinstance(copy.get("properties"), dict):
        copy.setdefault("additionalProperties", False)
    return copy


def manifest_of(archive):
    tar = ["tar", "--warning=no-unknown-keyword", "-xOf", archive, "data/manifest.json"]
    return json.loads(subprocess.run(tar, check=True, stdout=subprocess.PIPE).stdout)


def main(arguments):
    without = None
    if arguments[:1] == ["--without"]:
        without, arguments = arguments[1], arguments[2:]
    if not arguments:
        sys.exit(__doc__)
    schema = json.loads(SCHEMA.read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(closed(schema))
    failed = False
    for archive in arguments:
        manifest = manifest_of(archive)
        if without:
            del manifest[without]
        for error in validator.iter_errors(manifest):
            failed = True
            place = "/".join(str(part) for part in error.absolute_path)
            print(f"{archive}: at /{place}: {error.message[:500]}")
    sys.exit(1 if failed else 0)


main(sys.argv[1:])
