from __future__ import annotations

import os
from glob import glob

import click
from jinja2 import pass_context
from jinja2.runtime import Context as JinjaContext
from tutor import hooks
from tutor.commands.dev import dev
from tutor.commands.k8s import k8s
from tutor.commands.local import local

from . import (
    cli,
    compat,
    cron,
    engine_config,
    k8s_cli,
    k8s_config,
    k8s_objects,
    schedule,
    settings,
)

HERE = os.path.dirname(os.path.abspath(__file__))

hooks.Filters.CONFIG_DEFAULTS.add_items(settings.defaults())

hooks.Filters.ENV_TEMPLATE_ROOTS.add_item(os.path.join(HERE, "templates"))
hooks.Filters.ENV_TEMPLATE_TARGETS.add_items(
    [
        # Nothing into env/backup, where the archives are: Docker may have made that folder for a
        # mount, as root's, and a file that Tutor's user may not write there stops all rendering.
        ("backup/build", "plugins"),
        ("backup/schedule", "plugins"),
        ("backup/k8s", "plugins"),
    ]
)


@pass_context
def checked_settings(context: JinjaContext) -> str:
    """Called where the environment is rendered: all releases do that at `config save`, and hardly
    anywhere else. A slip in a setting must not keep anybody from `tutor local start`.
    """
    settings.checked(dict(context.get_all()))
    return ""


@pass_context
def k8s_objects_file(context: JinjaContext) -> str:
    return k8s_objects.to_yaml(k8s_objects.all_objects(_rendered_site(context)))


@pass_context
def k8s_restore_job_file(context: JinjaContext) -> str:
    return k8s_objects.to_yaml([k8s_objects.restore_job_for_gitops(_rendered_site(context))])


def _rendered_site(context: JinjaContext) -> k8s_config.K8sConfig:
    """Only `tutor k8s` knows of a cluster; others are not bothered with what it needs."""
    current = click.get_current_context(silent=True)
    strict = False
    while current is not None:
        strict = strict or current.command is k8s
        current = current.parent
    return k8s_config.K8sConfig(dict(context.get_all()), compat.root(), strict)


hooks.Filters.ENV_TEMPLATE_VARIABLES.add_items(
    [
        ("backup_checked_settings", checked_settings),
        ("backup_k8s_objects", k8s_objects_file),
        ("backup_k8s_restore_job", k8s_restore_job_file),
        ("backup_media_folders", engine_config.media_folders),
        ("backup_schedule", schedule),
        ("backup_on_calendar", cron.on_calendar),
        ("backup_cron_in_numbers", cron.in_numbers),
    ]
)

# Tutor 13 unpacks the path, later releases join it.
hooks.Filters.IMAGES_BUILD.add_item(
    ("backup", ("plugins", "backup", "build", "backup"), "{{ BACKUP_DOCKER_IMAGE }}", ())
)
hooks.Filters.IMAGES_PULL.add_item(("backup", "{{ BACKUP_DOCKER_IMAGE }}"))
hooks.Filters.IMAGES_PUSH.add_item(("backup", "{{ BACKUP_DOCKER_IMAGE }}"))

for path in glob(os.path.join(HERE, "patches", "*")):
    with open(path, encoding="utf-8") as patch_file:
        hooks.Filters.ENV_PATCHES.add_item((os.path.basename(path), patch_file.read()))

# There is no hook for subcommands of `local`, `dev` and `k8s` in any release.
for group, commands in ((local, cli.COMMANDS), (dev, cli.COMMANDS), (k8s, k8s_cli.COMMANDS)):
    command: click.Command
    for command in commands:
        group.add_command(command)
