"""The training workbench. Needs the extra ``train``."""

import os

# Before timm brings in huggingface_hub, which reads it once: fetching weights that are asked for is all it may do.
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
