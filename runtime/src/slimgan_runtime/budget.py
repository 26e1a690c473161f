"""Choice of the width by a latency budget, from call times alone.

For each width it keeps the seconds that a call is expected to take now. The median of the last calls corrects the
present width, and with it all others in proportion: the device got slower or faster. Right after a step up it corrects
that width alone, since only the width has changed. So a width that was measured wrongly at the start, or that suffers
less than others from a load, is known after one try.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from itertools import accumulate
from statistics import median

from slimgan_runtime.checking import check_count, check_time, check_width
from slimgan_runtime.errors import SlimGANError

__all__ = ["WidthController"]

RECENT = 7  # calls of the present width whose median counts
FIRST = 21  # calls after a step up that correct the new width alone, by the median of all of them
MISSES = 4.0  # calls over the budget that take a width back, if none between them is in time
MADE_UP = 0.75  # misses that each call in time makes up for: three misses in seven add up, outliers do not
ROOM = 0.8  # share of the budget that a wider width may be expected to take to be tried soon
SOON = 10  # calls in a row that expect room before a wider width is tried
LATER = 80  # calls before it is tried in spite of what is expected
MOST_DOUBLINGS = 2  # doublings of these calls, one for each failed try of the width
TRIAL = 100  # calls after which a wider width is no longer a try
KEPT = 16  # batch sizes to follow, the last ones


class WidthController:
    """Choice of the widest width that fits the budget at present.

    Each batch size is followed by itself. A new one starts in proportion to the nearest that was.

    Args:
        latencies: Seconds that a call of each width took at first.
        budget: Seconds that a call may take, whatever its batch.
        batch_size: Images of each call in ``latencies``.

    Raises:
        SlimGANError: If there is no width, or something is not a number above 0.

    >>> controller = WidthController({0.5: 0.010, 1.0: 0.020}, budget=0.025)
    >>> controller.width
    1.0
    >>> for _ in range(4):
    ...     controller.observe(1.0, batch_size=1, seconds=0.040)
    >>> controller.width
    0.5
    """

    def __init__(self, latencies: Mapping[float, float], budget: float, batch_size: int = 1) -> None:
        if not latencies:
            raise SlimGANError("latencies are empty; give the seconds of at least one")
        self.widths = tuple(sorted(latencies))
        self.budget = check_time("budget", budget)
        self.batch_size = check_count("batch_size", batch_size)
        measured = [check_time(f"the latency of width {width!r}", latencies[width]) for width in self.widths]
        # By chance a narrow width may have been measured as slower than a wide one.
        self._followers = {self.batch_size: Follower(list(accumulate(measured, max)), self.budget)}

    @property
    def width(self) -> float:
        """The width for the batch size that was measured."""
        return self.width_for(self.batch_size)

    def width_for(self, batch_size: int) -> float:
        """Return the width for a call with so many images.

        Raises:
            SlimGANError: If the batch size is not a whole number above 0.
        """
        return self.widths[self._follower(check_count("batch_size", batch_size)).index]

    def observe(self, width: float, batch_size: int, seconds: float) -> None:
        """Learn from a call, unless it began before the width changed.

        Raises:
            SlimGANError: If the width is unknown, there are no images, or the seconds are not a number above 0.
        """
        index = self.widths.index(check_width(width, self.widths))
        seconds = check_time("seconds", seconds)
        follower = self._follower(check_count("batch_size", batch_size))
        if index == follower.index:
            follower.observe(seconds)

    def _follower(self, batch_size: int) -> "Follower":
        follower = self._followers.pop(batch_size, None)
        if follower is None:
            nearest = min(self._followers, key=lambda other: max(other, batch_size) / min(other, batch_size))
            seconds = [value * (batch_size / nearest) for value in self._followers[nearest].seconds]
            follower = Follower(seconds, self.budget)
            if len(self._followers) >= KEPT:
                self._followers.pop(next(iter(self._followers)))
        self._followers[batch_size] = follower  # at the end: the first one is the least recent
        return follower


class Follower:
    """Follower of calls of one batch size; ``index`` counts from the narrowest."""

    def __init__(self, seconds: Sequence[float], budget: float) -> None:
        self.seconds = list(seconds)  # expected of a call at each width
        self.budget = budget  # seconds that a call may take
        self.failures = [0] * len(seconds)  # tries of each width that failed, one after the other
        self.move(self.widest(len(seconds)), is_try=False)

    def widest(self, end: int) -> int:
        """Return the widest width before ``end`` expected to fit, or the narrowest."""
        return max((index for index in range(end) if self.seconds[index] <= self.budget), default=0)

    def move(self, index: int, is_try: bool) -> None:
        """Take another width, and forget the calls of the last one."""
        self.index, self.is_try = index, is_try
        self.recent: deque[float] = deque(maxlen=FIRST)
        self.calls, self.calm, self.misses = 0, 0, 0.0

    def observe(self, seconds: float) -> None:
        """Learn from a call of the present width, and perhaps change it."""
        self.calls += 1
        if self.calls > TRIAL and self.is_try:
            self.is_try, self.failures[self.index] = False, 0
        self.learn(seconds)
        self.misses = max(0.0, self.misses + (1.0 if seconds > self.budget else -MADE_UP))
        if self.index and self.misses >= MISSES:
            self.go_down()
        elif self.index + 1 < len(self.seconds) and self.is_time_for(self.index + 1):
            self.go_up()

    def learn(self, seconds: float) -> None:
        """Correct the expected seconds of the widths."""
        self.recent.append(seconds)
        if self.is_try and self.calls <= FIRST:
            self.seconds[self.index] = median(self.recent)
        else:
            slowdown = median(list(self.recent)[-RECENT:]) / self.seconds[self.index]
            self.seconds = [value * slowdown for value in self.seconds]

    def go_down(self) -> None:
        """Take the widest width that is expected to fit."""
        if self.is_try:
            self.failures[self.index] += 1
            self.seconds[self.index] = min(list(self.recent)[-RECENT:])  # the others may be outliers
        self.move(self.widest(self.index), is_try=False)

    def go_up(self) -> None:
        """Try the next wider width; fewer misses end an unpromising try."""
        self.move(self.index + 1, is_try=True)
        if self.seconds[self.index] > self.budget:
            self.misses = MISSES / 2

    def is_time_for(self, wider: int) -> bool:
        """Return whether to try the next wider width; costly ones come later."""
        share = self.seconds[wider] / self.budget
        self.calm = self.calm + 1 if share <= ROOM else 0
        patience = 2 ** min(self.failures[wider], MOST_DOUBLINGS)
        fits = self.seconds[self.index] <= self.budget
        return self.calm >= SOON * patience or (fits and self.calls >= LATER * patience * max(1.0, share))
