"""The desktop app: live camera, videos and pictures in one Tkinter window.

`session` and what it uses know nothing of widgets and run without a screen; `window` and the widgets beside it
show a session and pass on what the user does.
"""
