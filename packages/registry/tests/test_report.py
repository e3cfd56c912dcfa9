from eng.registry import MODELS, count_registered_modules, traverse_registry_tree


def test_a_tree_is_reported_by_scope(tree):
    root, *_ = tree
    assert [node["scope"] for node in traverse_registry_tree(root, verbose=False)] == [
        "eng",
        "det",
        "cls",
    ]


def test_all_root_registries_are_counted_and_written(tmp_path):
    result = count_registered_modules(str(tmp_path), verbose=False)
    assert "MODELS" in result["registries"]
    assert (tmp_path / "modules_statistic_results.json").exists()
    assert MODELS.scope == "eng"
