"""Cameras and clips as live pictures: for the desktop app and the web app."""
