"""How tests start a real Chromium."""

CHROMIUM = """--no-sandbox --disable-gpu --no-first-run --disable-background-networking --disable-component-update
    --disable-sync --autoplay-policy=no-user-gesture-required""".split()
