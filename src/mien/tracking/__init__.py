"""Who is who from frame to frame, and what they show over time."""
