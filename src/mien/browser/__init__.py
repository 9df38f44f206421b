"""The page that runs wholly in the browser: no picture leaves the machine of the person who looks at it."""
