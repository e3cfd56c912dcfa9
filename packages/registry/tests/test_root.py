import subprocess
import sys

from eng.registry import COLLATE_FUNCTIONS, FUNCTIONS, Registry


def test_importing_and_building_do_not_import_torch():
    code = (
        "import sys, eng.registry as r; x = r.Registry('x'); "
        "x.register_module(module=dict); x.build(dict(type='dict')); "
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_all_root_registries_are_of_the_root_scope():
    import eng.registry

    roots = [value for value in vars(eng.registry).values() if isinstance(value, Registry)]
    assert {registry.scope for registry in roots} == {"eng"}
    names = {id(registry): registry.name for registry in roots}
    assert len(set(names.values())) == len(names) == 24


def test_functions_of_collation_are_functions():
    assert COLLATE_FUNCTIONS is FUNCTIONS
