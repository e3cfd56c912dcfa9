"""Speed of eng.registry: what Registry.build adds to the plain call, and what the import costs."""

import subprocess
import sys
import timeit
from statistics import median

from eng.registry import Registry

PLAIN = Registry("bench", scope="bench")


@PLAIN.register_module()
class Trivial:
    def __init__(self, a, b):
        self.a = a
        self.b = b


def micros(call, number=20_000):
    return min(timeit.repeat(call, number=number, repeat=7)) / number * 1e6


def import_ms(statement):
    code = (
        "import time; t = time.perf_counter(); "
        f"{statement}; print((time.perf_counter() - t) * 1e3)"
    )
    runs = [subprocess.check_output([sys.executable, "-c", code]) for _ in range(7)]
    return median(float(run) for run in runs)


def main():
    plain = micros(lambda: Trivial(a=1, b=2))
    built = micros(lambda: PLAIN.build({"type": "Trivial", "a": 1, "b": 2}))
    target = 3 * plain + 3
    loaded = import_ms("import eng.registry")
    print(f"build {built:.2f} us, plain call {plain:.2f} us: target 3 x plain + 3 = {target:.2f} us")
    print(f"import eng.registry {loaded:.1f} ms over bare python: target 40 ms")
    return 0 if built <= target and loaded < 40 else 1


if __name__ == "__main__":
    sys.exit(main())
