"""docs/tutor.md and docs/kubernetes.md: their tables of settings are the code's."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tutorbackup import cli, k8s_cli, settings

DOCUMENTS = Path(__file__).resolve().parents[2] / "docs"


def shown(value: Any) -> str:
    text = json.dumps(value) if not isinstance(value, str) else value
    # A bar in a cell has to be escaped, also in code.
    return f"`{text}`".replace("|", "\\|") if text else ""


def table(of_kubernetes: bool) -> str:
    lines = ["| setting | default | meaning |", "| --- | --- | --- |"]
    for setting in settings.SETTINGS:
        if (setting.group == "k8s") != of_kubernetes:
            continue
        default = "the plugin's" if setting.key == "VERSION" else shown(setting.default)
        lines.append(f"| `{setting.name}` | {default} | {setting.meaning} |".replace("  ", " "))
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize(
    ("document", "of_kubernetes"), [("tutor.md", False), ("kubernetes.md", True)]
)
def test_the_table_of_settings_is_the_codes(document: str, of_kubernetes: bool) -> None:
    text = (DOCUMENTS / document).read_text()
    found = re.search(r"<!-- made from [^\n]* -->\n(.*?)<!-- end -->", text, re.DOTALL)
    assert found
    wanted = table(of_kubernetes)
    assert found.group(1) == f"\n{wanted}\n", "the table would be:\n" + wanted


def test_every_command_and_option_is_named() -> None:
    text = (DOCUMENTS / "tutor.md").read_text()
    commands = [cli.backup, cli.restore, *cli.backups.commands.values()]
    commands += [k8s_cli.backup, k8s_cli.restore, *k8s_cli.backups.commands.values()]
    for command in commands:
        assert command.name and command.name in text
        for parameter in command.params:
            assert parameter.opts[0] in text, f"{command.name} {parameter.opts[0]}"
