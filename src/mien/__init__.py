"""mien reads facial expressions in photos, videos and live cameras."""
