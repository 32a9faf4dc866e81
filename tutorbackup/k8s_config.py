"""What the engine is given in a cluster: a settings file without secrets, and files of them."""

from __future__ import annotations

import os
from typing import Any, Iterator

from tutor import fmt
from tutor.exceptions import TutorError

from . import engine_config, host_files, settings
from .engine_config import Secret

SETTINGS_FILE = "settings.toml"
SECRETS = "/run/secrets/openedx-backup"
TUTOR_CONFIG_KEY = "config.yml"
# The engine's settings that have another name in the Secret; the predecessor's operators know them
# by Tutor's.
_KEYS = {"mysql-password": "mysql-root-password"}
# `kubectl apply` keeps an object's whole text in an annotation of it, and annotations hold 256 KiB:
# a Secret's as Base64.
_LARGEST_TUTOR_CONFIG = 128 << 10
_LARGEST_AUTHORITIES = 192 << 10


class K8sConfig:
    """The settings of one site as its pods get them.

    `root` is Tutor's, empty when it is not known. `strict`: what keeps a pod from its work is an
    error (TutorError); else it stays for the pod to say, as most sites that render these objects
    have no cluster. Settings that are impossible raise TutorError in any case.
    """

    def __init__(self, config: settings.Config, root: str = "", strict: bool = True):
        self.config = config
        self.ours = settings.checked(config, ["local", "k8s", "s3", "prune"])
        self.namespace = str(config.get("K8S_NAMESPACE") or "openedx")
        self.image = str(config["BACKUP_DOCKER_IMAGE"])
        self.caddy = engine_config.caddy_is_on(config)
        self.media: dict[str, str] = self.ours["K8S_MEDIA_CLAIMS"]
        if strict:
            engine_config.bucket(config)
        self._host_files = self._files_of_this_machine(strict)
        if strict:
            self._check_authorities()
        self._tutor_config = _tutor_config(root)

    def public_files(self) -> dict[str, str]:
        """The files that anybody may read, by name: keys of the ConfigMap."""
        files = {SETTINGS_FILE: engine_config.to_toml(self._without_secrets())}
        for name, content in self._authorities().items():
            files[name] = content.decode("utf-8", "replace")
        return files

    def secret_files(self) -> dict[str, bytes]:
        """The secrets of the settings, by their names in the Secret; none is empty."""
        files = {
            _KEYS.get(key, key): value.encode("utf-8")
            for key, value in self._entries()
            if isinstance(value, Secret) and value
        }
        for name in host_files.AWS_FILES:
            if name in self._host_files:
                files[name] = self._host_files[name]
        if self._tutor_config:
            files[TUTOR_CONFIG_KEY] = self._tutor_config
        return files

    def secret_keys(self) -> set[str]:
        """What is in the Secret, be it ours or an existing one."""
        ours = {*self.secret_files()}
        if not self.ours["K8S_SECRET_NAME"]:
            return ours
        # Tutor's config.yml is in an existing one when that is said.
        return {*self.ours["K8S_SECRET_KEYS"]} or ours - {TUTOR_CONFIG_KEY}

    def _entries(self) -> Iterator[tuple[str, Any]]:
        yield "location", f"s3://{self.ours['S3_BUCKET_NAME']}"
        yield from engine_config.engine_entries(self.config)
        yield from engine_config.bucket_entries(self.config)
        yield from engine_config.prune_entries(self.config)
        # To a Job any other status than 0 is a failure, which is tried again; summary, metrics and
        # screen still say that there are warnings.
        yield "warnings-as-success", True
        yield "caddy", engine_config.CADDY if self.caddy else None
        yield "media", [f"{name}={engine_config.MEDIA}/{name}" for name in self.media]

    def _without_secrets(self) -> Iterator[tuple[str, Any]]:
        keys = self.secret_keys()
        for key, value in self._entries():
            if not isinstance(value, Secret):
                yield key, value
            elif _KEYS.get(key, key) in keys:
                yield f"{key}-file", f"{SECRETS}/{_KEYS.get(key, key)}"
        if TUTOR_CONFIG_KEY in keys:
            yield "tutor-config", engine_config.TUTOR_CONFIG

    def _check_authorities(self) -> None:
        size = sum(len(content) for content in self._authorities().values())
        if size > _LARGEST_AUTHORITIES:
            raise TutorError(
                f"the files of BACKUP_…_CA_FILE have {size} bytes, and a cluster's ConfigMap takes "
                f"{_LARGEST_AUTHORITIES}: name files with the authority of the server alone"
            )

    def _authorities(self) -> dict[str, bytes]:
        names = host_files.AUTHORITIES.values()
        return {name: self._host_files[name] for name in names if name in self._host_files}

    def _files_of_this_machine(self, strict: bool) -> dict[str, bytes]:
        # An existing Secret has AWS's files itself, wherever those came from.
        elsewhere = self.ours["K8S_SECRET_NAME"] and (
            host_files.AWS_FILES.keys() & {*self.ours["K8S_SECRET_KEYS"]}
        )
        try:
            files = host_files.of_servers(self.config)
            files.update(host_files.of_bucket(self.config, with_profile=not elsewhere))
        except TutorError:
            if strict:
                raise
            return {}
        return files


def _tutor_config(root: str) -> bytes:
    path = os.path.join(root, "config.yml") if root else ""
    if not path or not os.path.exists(path):
        return b""
    with open(path, "rb") as file:
        content = file.read()
    if len(content) > _LARGEST_TUTOR_CONFIG:
        fmt.echo_alert(
            f"{path} has {len(content)} bytes, and a Secret takes {_LARGEST_TUTOR_CONFIG} of it: "
            "backups in Kubernetes leave it out."
        )
        return b""
    return content
