"""The shared half of the desktop and the web app: sources, what people showed, recordings, session reports."""
