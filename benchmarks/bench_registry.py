"""Speed of eng.registry: what Registry.build adds to the plain call, and the import."""

from measure import compare, import_ms, report, run_all

from eng.registry import Registry

PLAIN = Registry("bench", scope="bench")


@PLAIN.register_module()
class Trivial:
    def __init__(self, a, b):
        self.a = a
        self.b = b


def build():
    timed = compare(
        lambda: PLAIN.build({"type": "Trivial", "a": 1, "b": 2}),
        lambda: Trivial(a=1, b=2),
        rounds=15,
        number=20_000,
    )
    built, plain = timed.ours * 1e6, timed.theirs * 1e6
    return report("build", built, 3 * plain + 3, " us", f"plain call {plain:.2f} us")


def load():
    return report("import eng.registry over bare python", import_ms("eng.registry"), 40, " ms")


if __name__ == "__main__":
    run_all(build, load)
