"""Speed and memory of recording scalars with eng.logging.

Not called ``logging.py``: this folder is first on the path of a script in it, and a file of that
name would take the place of the standard library's module.
"""

import sys
import time
import tracemalloc
from statistics import median

from eng.logging import HistoryBuffer, MessageHub

OTHER_ENGINES_US = {10**3: 5.0, 10**5: 505.0, 10**6: 3900.0}
SCALARS, ITERATIONS = 20, 100_000


def update_us(entries, number=10_000, repeat=7):
    history = HistoryBuffer([0.0] * entries, [1] * entries)
    times = []
    for _ in range(repeat):
        start = time.perf_counter()
        for _ in range(number):
            history.update(0.5, 1)
        times.append((time.perf_counter() - start) / number * 1e6)
    return min(times)


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


def main():
    ok = True
    for entries, other in OTHER_ENGINES_US.items():
        took = update_us(entries)
        ok &= took < 1
        print(
            f"update at {entries:>9,} entries {took:.2f} us: target 1 us, "
            f"other engines {other:,.0f} us ({other / took:,.0f} times)"
        )
    ratio = late_over_early()
    ok &= ratio < 1.3
    print(
        f"{SCALARS} scalars for {ITERATIONS:,} iterations: last tenth over first {ratio:.2f}: "
        "target 1.3"
    )
    held = bytes_a_scalar()
    ok &= held < 40
    print(f"memory {held:.0f} bytes a scalar: target 40 (value and count are 16, twice to grow)")
    full = bytes_at_full_length()
    ok &= full < 64
    print(f"memory at full length at most {full:.0f} bytes an entry kept: target 64")
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main())
