from eng.registry import MODELS, count_registered_modules, traverse_registry_tree


def test_a_tree_is_reported_from_its_root_by_scope(tree, capsys):
    for registry in tree:
        found = traverse_registry_tree(registry, verbose=False)
        assert [node["scope"] for node in found] == ["eng", "det", "cls"]
        assert [node["num_modules"] for node in found] == [1, 1, 2]
    assert capsys.readouterr().out == ""


def test_a_report_is_printed_if_wanted(tree, capsys):
    *_, leaf = tree
    traverse_registry_tree(leaf)
    printed = capsys.readouterr().out
    assert "thing: 4 modules in 3 registries" in printed
    assert "cls::thing: 2 modules" in printed
    assert "ResNet, Same" in printed


def test_all_root_registries_are_counted_and_written(tmp_path):
    result = count_registered_modules(str(tmp_path), verbose=False)
    assert "MODELS" in result["registries"]
    assert (tmp_path / "modules_statistic_results.json").exists()
    assert MODELS.scope == "eng"
