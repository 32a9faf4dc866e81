"""What holds for the objects whatever the settings are; one run of kustomize reads all of them."""

from __future__ import annotations

import base64
import re
from typing import Any

import yaml
from k8s_combinations import DOCUMENT, RARE, RICH, SECRETS, combinations
from k8s_testing import container, tomllib

from tutorbackup import engine_config, k8s_objects
from tutorbackup.k8s_config import K8sConfig


def templates(objects: list[Any]) -> list[Any]:
    found = []
    for one in objects:
        if one["kind"] == "Job":
            found.append(one["spec"]["template"])
        elif one["kind"] == "CronJob":
            found.append(one["spec"]["jobTemplate"]["spec"]["template"])
    return found


def test_pods_are_consistent_in_every_combination(site: Any) -> None:
    config = site.config()
    number = 0
    for _, settings, objects in combinations(config):
        for template in templates(objects):
            number += 1
            volumes = {volume["name"] for volume in template["spec"]["volumes"]}
            mounted = {mount["name"] for mount in container(template)["volumeMounts"]}
            assert volumes == mounted
            security = template["spec"]["securityContext"]
            assert security["runAsNonRoot"] != (security["runAsUser"] == 0)
            assert ("caddy" in volumes) <= (
                settings["ENABLE_HTTPS"] and settings["ENABLE_WEB_PROXY"]
            )
            # Only root needs, and gets, a right back.
            if security["runAsNonRoot"]:
                assert container(template)["securityContext"]["capabilities"] == {"drop": ["ALL"]}
            waits = container(template)["args"].count("--wait")
            assert waits in (0, settings["RUN_MYSQL"] + settings["RUN_MONGODB"])
            assert "$(X)" not in str(container(template)["args"]).replace("$$(X)", "")
    assert number == 48 * 8


def test_secrets_are_in_the_secret_alone_in_every_combination(site: Any) -> None:
    for _, _, objects in combinations(site.config()):
        public = [str(one) for one in objects if one["kind"] != "Secret"]
        for secret in SECRETS:
            hidden = base64.b64encode(secret.encode()).decode()
            assert not [text for text in public if secret in text or hidden in text]


def test_kustomize_reads_every_combination(site: Any, kustomize: Any, tmp_path: Any) -> None:
    expected = {}
    for name, _, objects in combinations(site.config()):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "objects.yml").write_text(k8s_objects.to_yaml(objects))
        kustomization = {"resources": ["objects.yml"], "namespace": name}
        (folder / "kustomization.yml").write_text(yaml.safe_dump(kustomization))
        for one in objects:
            one["metadata"]["namespace"] = name
            expected[name, one["kind"], one["metadata"]["name"]] = one
    everything = {"resources": [path.name for path in tmp_path.glob("n*")]}
    (tmp_path / "kustomization.yml").write_text(yaml.safe_dump(everything))
    read = {
        (one["metadata"]["namespace"], one["kind"], one["metadata"]["name"]): one
        for one in yaml.load_all(kustomize(tmp_path), Loader=yaml.CSafeLoader)
    }
    assert read == expected


def test_the_engine_knows_every_key_of_the_settings_file(site: Any) -> None:
    """By the engine's own table: one unknown key, and no run would begin."""
    table = (DOCUMENT.parents[1] / "src" / "cli" / "settings_table.cc").read_text()
    pairs = re.findall(r'\{"([a-z0-9-]+)", "([a-z0-9-]+)"', table.replace("\n     ", " "))
    known = {key for pair in pairs for key in pair}
    settings = {**site.config(), **RICH, **RARE}
    files = K8sConfig(settings).public_files()
    told = tomllib.loads(files["settings.toml"])
    assert len(told) > 50
    assert told.keys() <= known
    groups = ["s3", "prune"]
    assert tomllib.loads(engine_config.render(settings, groups)).keys() <= known
