"""How long the stages of a run take."""

import time


class Clock:
    """Seconds of each stage, by name, in `laps`."""

    def __init__(self) -> None:
        self.laps: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, stage: str) -> None:
        """Close a stage."""
        now = time.perf_counter()
        self.laps[stage], self._last = round(now - self._last, 3), now
