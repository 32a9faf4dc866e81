"""The rendered files as the real Compose reads them.

Without Compose these are skipped; with OPENEDX_BACKUP_COMPOSE=must they fail instead.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from typing import Any

import pytest

# Found before the fixtures put their own `docker` into PATH.
_PATH = os.environ["PATH"]


def _find() -> list[str]:
    docker = shutil.which("docker", path=_PATH)
    if (
        docker
        and subprocess.run([docker, "compose", "version"], capture_output=True).returncode == 0
    ):
        return [docker, "compose"]
    alone = shutil.which("docker-compose", path=_PATH)
    return [alone] if alone else []


COMPOSE = _find()
SERVICES = ("backup-job", "backup-restore-job", "backup-archive-job", "backup-prune-job")


@pytest.fixture(autouse=True)
def _compose_is_there() -> None:
    if COMPOSE:
        return
    if os.environ.get("OPENEDX_BACKUP_COMPOSE") == "must":
        pytest.fail("neither `docker compose` nor `docker-compose` is here")
    pytest.skip("neither `docker compose` nor `docker-compose` is here")


def read_by_compose(site: Any, mode: str = "local", **variables: str) -> dict[str, Any]:
    """The job services, with paths and variables resolved."""
    files = ["local/docker-compose.yml"]
    files += ["local/docker-compose.prod.yml"] if mode == "local" else ["dev/docker-compose.yml"]
    files += ["local/docker-compose.jobs.yml"]
    files += ["dev/docker-compose.jobs.yml"] if mode == "dev" else []
    arguments = [word for name in files for word in ("-f", str(site.path(*name.split("/"))))]
    project = ["--project-name", "tutor_test"]
    done = subprocess.run(
        [*COMPOSE, *arguments, *project, "config", "--format", "json"],
        env={**os.environ, "PATH": _PATH, **variables},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    services = json.loads(done.stdout)["services"]
    return {name: services[name] for name in SERVICES}


def sources(service: dict[str, Any]) -> dict[str, str]:
    # `config` doubles the dollar, so that Compose could read its output again.
    return {volume["target"]: volume["source"].replace("$$", "$") for volume in service["volumes"]}


@pytest.mark.parametrize("mode", ["local", "dev"])
def test_folders_are_the_sites(site: Any, mode: str) -> None:
    site.set(ENABLE_HTTPS=True)
    site.render()
    services = read_by_compose(site, mode)
    for name in ("backup-job", "backup-restore-job"):
        found = sources(services[name])
        assert found["/data/backup"] == str(site.path("backup"))
        assert found["/caddy"] == str(site.root / "data" / "caddy")
        assert found["/media/openedx-media"] == str(site.root / "data" / "openedx-media")
    assert sources(services["backup-job"])["/tutor"] == str(site.root)
    assert sources(services["backup-restore-job"])["/tutor"] == str(site.root)


def test_hostile_variables_stay_whole(site: Any) -> None:
    services = read_by_compose(
        site,
        OPENEDX_BACKUP_ARCHIVES="/srv/a:b $c'd\"e #f{{g}}",
        OPENEDX_BACKUP_JOB="/run/x: y",
        OPENEDX_BACKUP_TARGET="/t\\u",
        TZ="Europe/Zurich",
        LANG="",
    )
    found = sources(services["backup-archive-job"])
    assert found["/data/backup"] == "/srv/a:b $c'd\"e #f{{g}}"
    assert found["/run/openedx-backup"] == "/run/x: y"
    assert found["/target"] == "/t\\u"
    environment = services["backup-job"]["environment"]
    assert environment == {
        "AWS_CONFIG_FILE": "/run/openedx-backup/aws-config",
        "AWS_SHARED_CREDENTIALS_FILE": "/run/openedx-backup/aws-credentials",
        "LANG": "C.UTF-8",
        "NO_COLOR": "",
        "OPENEDX_BACKUP_FRONT_END": "tutor local",
        "TZ": "Europe/Zurich",
    }


def test_variables_of_the_operators_own(site: Any) -> None:
    proxy = "http://me:a$b${c}'d\"e@proxy:3128"
    site.set(BACKUP_ENVIRONMENT={"https_proxy": proxy, "EMPTY": None, "NUMBER": 1})
    site.render()
    for service in read_by_compose(site).values():
        environment = service["environment"]
        assert environment["https_proxy"].replace("$$", "$") == proxy
        assert (environment["EMPTY"], environment["NUMBER"]) == ("", "1")
        assert environment["AWS_CONFIG_FILE"] == "/run/openedx-backup/aws-config"


def test_external_databases_are_not_started(site: Any) -> None:
    site.set(RUN_MYSQL=False, RUN_MONGODB=False)
    site.render()
    services = read_by_compose(site)
    assert not services["backup-job"].get("depends_on")
    assert not services["backup-restore-job"].get("depends_on")
