"""The web app: live camera, photos and videos in the browser, served by Streamlit.

`launch` starts the server, which runs `main` for every page view. Pages only show what an `mien.Analyzer` returns;
what a visitor uploads or records lives in their own session and goes with it.
"""
