"""Counts beside the web process."""
import time

while True:
    time.sleep(0.1)
    sum(range(20_000))
