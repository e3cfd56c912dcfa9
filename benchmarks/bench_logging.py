"""Speed and memory of recording scalars with eng.logging."""

import time
import tracemalloc
from statistics import median

from measure import report, run_all, seconds

from eng.logging import HistoryBuffer, MessageHub

OTHER_ENGINES_US = {10**3: 5.0, 10**5: 505.0, 10**6: 3900.0}
SCALARS, ITERATIONS = 20, 100_000


def update_us(entries, number=10_000, repeat=7):
    history = HistoryBuffer([0.0] * entries, [1] * entries)
    return min(seconds(lambda: history.update(0.5, 1), number) for _ in range(repeat)) * 1e6


def record(hub, iterations):
    """Record all scalars so many times; return the seconds of processor time."""
    names = [f"loss_{i}" for i in range(SCALARS)]
    start = time.process_time()
    for _ in range(iterations):
        for name in names:
            hub.update_scalar(name, 0.5)
    return time.process_time() - start


def late_over_early():
    """Time of the last tenth of a run over that of the first, measured side by side."""
    block = ITERATIONS // 100
    old = MessageHub("old")
    record(old, ITERATIONS - 10 * block)
    new = MessageHub("new")
    # turn by turn, so that a machine which is busy for a while slows both
    return median(record(old, block) / record(new, block) for _ in range(10))


def bytes_a_scalar(iterations=20_000):
    hub = MessageHub("memory")
    tracemalloc.start()
    record(hub, iterations)
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return held / iterations / SCALARS


def bytes_at_full_length(max_length=10_000):
    """Held at most by a history after ten times as many entries as it keeps."""
    tracemalloc.start()
    history = HistoryBuffer(max_length=max_length)
    for _ in range(10 * max_length):
        history.update(0.5)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak / max_length


def time_updates():
    good = True
    for entries, other in OTHER_ENGINES_US.items():
        took = update_us(entries)
        detail = f"other engines {other:,.0f} us, {other / took:,.0f} times"
        good &= report(f"update at {entries:,} entries", took, 1, " us", detail)
    what = f"{SCALARS} scalars for {ITERATIONS:,} iterations, last tenth over first"
    return report(what, late_over_early(), 1.3) and good


def weigh():
    detail = "value and count are 16, twice to grow"
    return all(
        [
            report("memory of a scalar", bytes_a_scalar(), 40, " bytes", detail),
            report("memory at full length of an entry", bytes_at_full_length(), 64, " bytes"),
        ]
    )


if __name__ == "__main__":
    run_all(time_updates, weigh)
