"""The script that Streamlit runs for every page view; `mien app` starts it."""

from mien.apps.web.shell import show

show()
