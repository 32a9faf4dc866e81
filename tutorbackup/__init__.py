"""A Tutor plugin that backs an Open edX site up and restores it by the engine openedx-backup."""
