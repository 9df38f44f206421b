"""The training workbench. Needs the extra ``train``."""
