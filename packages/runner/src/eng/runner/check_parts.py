"""Check the parts of a run by the registries that build them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any, TypeAlias

from torch.utils.data import DataLoader

from eng.dataset import LOADER_SETTINGS, has_named_loaders
from eng.registry import (
    DATA_SAMPLERS,
    DATASETS,
    EVALUATOR,
    FUNCTIONS,
    HOOKS,
    LOG_PROCESSORS,
    LOOPS,
    METRICS,
    MODELS,
    OPTIM_WRAPPER_CONSTRUCTORS,
    OPTIM_WRAPPERS,
    OPTIMIZERS,
    PARAM_SCHEDULERS,
    STRATEGIES,
    TASK_UTILS,
    TRANSFORMS,
    VISBACKENDS,
    VISUALIZERS,
    WEIGHT_INITIALIZERS,
    PartConfig,
    Problem,
    Registry,
    check_arguments,
    check_part,
    read_parameters,
)

from .check_values import check_loader_values, check_values
from .hook_arguments import read_passed_on
from .hook_list import DEFAULT_HOOKS
from .named_sets import are_by_name, composes_sets, missing_evaluators
from .types import Settings

__all__ = ["PartChecker"]

#: Keys that lead to a part.
Path: TypeAlias = "tuple[str, ...]"

#: Settings of a data loader that are checked by value.
_COUNTS = (("batch_size",), ("num_workers",))
_OTHERS = (DATASETS, TRANSFORMS, TASK_UTILS, METRICS, WEIGHT_INITIALIZERS, FUNCTIONS)
_EVAL_LOOPS = {"val": "ValLoop", "test": "TestLoop"}
_CONSTRUCTOR = "DefaultOptimWrapperConstructor"


class PartChecker:
    """A pass over the config of a run, with the arguments that its builders add and remove.

    Args:
        settings: The config, or some of its settings.

    Attributes:
        found: The problems, with the keys of their parts.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.found: list[tuple[Path, Problem]] = []

    def check(self, modes: Collection[str]) -> None:
        """Check all parts.

        Args:
            modes: What the run is to do: ``'train'``, ``'val'``, ``'test'``.
        """
        self.found += check_values(self._settings, modes)
        self._check_model()
        self._part(("strategy",), self._settings.get("strategy"), STRATEGIES)
        if "train" in modes:
            self._check_loop("train", ("runner", "dataloader"))
            self._check_optim_wrapper()
            self._check_schedulers()
        for mode in ("val", "test"):
            if mode in modes:
                is_known = self._check_loop(mode, ("runner", "dataloader", "evaluator"))
                self._check_evaluators(mode, is_known)
        self._check_hooks()
        self._check_outputs()

    def _add(self, path: Path, problems: list[Problem], is_certain: bool = True) -> None:
        for each in problems:
            # Of a part of whose building nothing is known, names that resemble known ones.
            if is_certain or "did you mean" in each.message or "Closest names" in each.message:
                self.found.append((path, each._replace(is_certain=each.is_certain and is_certain)))

    def _set_certain(self, path: Path, is_certain: bool) -> None:
        """Change whether the problems of a part make its build fail."""
        self.found = [
            (at, each._replace(is_certain=is_certain) if at == path else each)
            for at, each in self.found
        ]

    def _part(
        self,
        path: Path,
        cfg: object,
        registry: Registry,
        *,
        default: str | None = None,
        given: Collection[str] = (),
        taken: Collection[str] = (),
        is_certain: bool = True,
    ) -> Any:
        """Check a part and return its class or function; None for what is not a config."""
        if not isinstance(cfg, Mapping):
            return None
        settings = dict(cfg) if default is None else {"type": default, **cfg}
        problems = check_part(settings, registry, given=given, taken=taken)
        self._add(path, problems, is_certain)
        is_known = not any(
            each.path in ((), ("type",)) and "argument" not in each.message for each in problems
        )
        return registry.type_of(settings) if is_known else None

    def _check_model(self) -> None:
        model = self._settings.get("model")
        if not isinstance(model, Mapping):
            return
        preprocessor = self._settings.get("data_preprocessor")
        path = ("model",)
        cfg = model if preprocessor is None else {"data_preprocessor": preprocessor, **model}
        self._part(path, cfg, MODELS)
        for key, value in cfg.items():
            if key == "data_preprocessor" and isinstance(value, Mapping):
                inner = (*path, key) if key in model else (key,)
                self._part(inner, value, MODELS, default="BaseDataPreprocessor", is_certain=False)
            elif key not in ("init_cfg", "type"):
                for at, each in _find_parts(value, (*path, str(key))):
                    if MODELS.of_default_scope().get(each["type"]) or not _is_registered(each):
                        self._add(at, check_part(each, MODELS), is_certain=False)

    def _check_loop(self, mode: str, given: tuple[str, ...]) -> bool:
        """Check a loop and its data; return whether it may build parts as the engine does."""
        cfg = self._settings.get(f"{mode}_cfg")
        default = _EVAL_LOOPS.get(mode)
        taken: tuple[str, ...] = ()
        if mode == "train" and isinstance(cfg, Mapping) and "type" not in cfg:
            if "by_epoch" not in cfg:
                return True  # refused by the runner
            default = "EpochBasedTrainLoop" if cfg["by_epoch"] else "IterBasedTrainLoop"
            taken = ("by_epoch",)
        kind = self._part((f"{mode}_cfg",), cfg, LOOPS, default=default, given=given, taken=taken)
        name, is_certain = f"{mode}_dataloader", _is_of_engine(kind)
        sets = self._find_sets(mode)
        for set_name, loader in sets.items():
            self._check_loader((name, str(set_name)), loader, is_certain)
        if not sets:
            self._check_loader((name,), self._settings.get(name), is_certain)
        return is_certain or kind is None

    def _find_sets(self, mode: str) -> Mapping[str, object]:
        """Find the data loaders by name of an evaluation; none where it has one set."""
        loaders, default = self._settings.get(f"{mode}_dataloader"), _EVAL_LOOPS.get(mode)
        if default is None or not has_named_loaders(loaders):
            return {}
        return loaders if composes_sets(self._settings.get(f"{mode}_cfg"), default) else {}

    def _check_loader(self, path: Path, cfg: object, is_certain: bool) -> None:
        if not isinstance(cfg, Mapping):
            return
        own = {key: cfg[key] for key in cfg if key not in (*LOADER_SETTINGS, "_scope_")}
        if "dataset" in cfg:
            problems = check_arguments(DataLoader, own, given=("dataset",))
        else:
            problems = [Problem((), "a 'dataset' is missing")]
        self._add(path, [each for each in problems if each.path[:1] not in _COUNTS], is_certain)
        for at, problem in check_loader_values(path, cfg):
            self._add(at, [problem], is_certain)
        self._check_dataset((*path, "dataset"), cfg.get("dataset"), is_certain)
        for key, given in (
            ("sampler", ("dataset", "seed")),
            ("batch_sampler", ("sampler", "batch_size")),
        ):
            at = (*path, key)
            self._part(at, cfg.get(key), DATA_SAMPLERS, given=given, is_certain=is_certain)
        for key in ("collate_fn", "worker_init_fn"):
            self._check_function((*path, key), cfg.get(key), is_certain)

    def _check_function(self, path: Path, cfg: object, is_certain: bool) -> None:
        if isinstance(cfg, str):
            problem = Problem((), f"must be a dict such as dict(type={cfg!r})", is_value=True)
            self._add(path, [problem], is_certain)
        elif isinstance(cfg, Mapping):
            problems = check_part(cfg, FUNCTIONS)
            # It is called with more arguments later.
            kept = [each for each in problems if each.path or "type" not in cfg]
            self._add(path, kept, is_certain)

    def _check_dataset(self, path: Path, cfg: object, is_certain: bool) -> None:
        kind = self._part(path, cfg, DATASETS, is_certain=is_certain)
        if kind is None or not isinstance(cfg, Mapping):
            return
        # Of other classes it is unknown what they build, and with which registry.
        is_certain = is_certain and _is_of_engine(kind)
        for at, inner in _list_items((*path, "dataset"), cfg.get("dataset")):
            self._check_dataset(at, inner, is_certain)
        for at, inner in _list_items((*path, "datasets"), cfg.get("datasets")):
            self._check_dataset(at, inner, is_certain)
        for at, inner in _list_items((*path, "pipeline"), cfg.get("pipeline")):
            self._part(at, inner, TRANSFORMS, is_certain=is_certain)

    def _check_optim_wrapper(self) -> None:
        cfg = self._settings.get("optim_wrapper")
        if not isinstance(cfg, Mapping):
            return
        path = ("optim_wrapper",)
        constructor = cfg.get("constructor", _CONSTRUCTOR)
        if "constructor" in cfg:
            given = ("optim_wrapper_cfg", "paramwise_cfg")
            at = {"type": constructor}
            problems = check_part(at, OPTIM_WRAPPER_CONSTRUCTORS, given=given)
            self._add((*path, "constructor"), [each._replace(path=()) for each in problems])
        # Of other constructors it is unknown what they read.
        known = OPTIM_WRAPPER_CONSTRUCTORS.get(_CONSTRUCTOR)
        is_certain = constructor in (_CONSTRUCTOR, f"mmengine.{_CONSTRUCTOR}", known)
        is_certain = is_certain and _is_of_engine(known)
        if "optimizer" in cfg:
            self._check_optimizer(path, cfg, is_certain)
            return
        for name, each in cfg.items():
            if isinstance(each, Mapping) and "optimizer" in each:
                self._check_optimizer((*path, str(name)), each, is_certain=False)

    def _check_optimizer(self, path: Path, cfg: PartConfig, is_certain: bool) -> None:
        self._part(
            path,
            cfg,
            OPTIM_WRAPPERS,
            default="OptimWrapper",
            given=("optimizer",),
            taken=("constructor", "paramwise_cfg"),
            is_certain=is_certain,
        )
        optimizer = cfg.get("optimizer")
        if isinstance(optimizer, Mapping):
            at = (*path, "optimizer")
            given = ("params", *_find_first(OPTIMIZERS, optimizer))
            kind = self._part(at, optimizer, OPTIMIZERS, given=given, is_certain=is_certain)
            if str(getattr(kind, "__module__", "")).startswith("torch.optim.") and is_certain:
                self._set_certain(at, True)  # these compare their settings with numbers

    def _check_schedulers(self) -> None:
        cfg = self._settings.get("param_scheduler")
        groups: list[tuple[Path, object]] = [(("param_scheduler",), cfg)]
        if isinstance(cfg, Mapping) and "type" not in cfg:  # by the name of the optimizer
            groups = [(("param_scheduler", str(name)), each) for name, each in cfg.items()]
        for path, group in groups:
            for at, each in _list_items(path, group):
                taken = ("convert_to_iter_based", "epoch_length")
                given = ("optimizer",)
                kind = self._part(at, each, PARAM_SCHEDULERS, given=given, taken=taken)
                converts = isinstance(each, Mapping) and each.get("convert_to_iter_based")
                if converts and not _is_of_engine(kind):  # by a method with arguments of its own
                    self._set_certain(at, False)

    def _check_evaluators(self, mode: str, is_known: bool) -> None:
        name = f"{mode}_evaluator"
        cfg, sets = self._settings.get(name), self._find_sets(mode)
        if not sets or not are_by_name(cfg):
            self._check_evaluator((name,), cfg, is_known)
            return
        for problem in missing_evaluators(mode, list(sets), cfg):
            self._add((name,), [Problem((), problem)])
        for set_name, each in cfg.items():
            self._check_evaluator((name, str(set_name)), each, is_known)

    def _check_evaluator(self, path: Path, cfg: object, is_known: bool) -> None:
        if isinstance(cfg, Mapping) and "metrics" in cfg:
            kind = self._part(path, cfg, EVALUATOR, default="Evaluator")
            if not _is_of_engine(kind):
                return
            path, cfg = (*path, "metrics"), cfg["metrics"]
        for at, each in _list_items(path, cfg):
            # A third-party loop may have an evaluator for each of several data loaders.
            if not is_known and isinstance(each, Mapping) and "metrics" in each:
                self._check_evaluator(at, each, is_known)
            else:
                self._part(at, each, METRICS)

    def _check_hooks(self) -> None:
        default = self._settings.get("default_hooks")
        for name, cfg in default.items() if isinstance(default, Mapping) else ():
            path = ("default_hooks", str(name))
            if isinstance(cfg, Mapping) and "type" not in cfg:
                usual = DEFAULT_HOOKS.get(str(name), {"type": "..."})["type"]
                problem = Problem((), f"a 'type' is missing, such as type={usual!r}")
                self._add(path, [problem])
            else:
                self._check_hook(path, cfg)
        custom = self._settings.get("custom_hooks")
        for index, each in enumerate(custom if isinstance(custom, (list, tuple)) else ()):
            self._check_hook(("custom_hooks", str(index)), each)

    def _check_hook(self, path: Path, cfg: object) -> None:
        kind = self._part(path, cfg, HOOKS, taken=("priority",))
        if kind is not None and isinstance(cfg, Mapping):
            known = read_passed_on(kind, cfg)
            if known is not None:
                names = {key: cfg[key] for key in cfg if key not in ("type", "_scope_", "priority")}
                self.found = [each for each in self.found if each[0] != path]
                self._add(path, check_arguments(kind, names, parameters=known))

    def _check_outputs(self) -> None:
        visualizer = self._settings.get("visualizer")
        given = ("name", "save_dir", "vis_backends")
        kind = self._part(
            ("visualizer",), visualizer, VISUALIZERS, default="Visualizer", given=given
        )
        if kind is not None and isinstance(visualizer, Mapping):
            path = ("visualizer", "vis_backends")
            for at, each in _list_items(path, visualizer.get("vis_backends")):
                self._part(
                    at,
                    each,
                    VISBACKENDS,
                    given=("save_dir",),
                    taken=("name",),
                    is_certain=_is_of_engine(kind),
                )
        processor = self._settings.get("log_processor")
        self._part(
            ("log_processor",),
            processor,
            LOG_PROCESSORS,
            default="LogProcessor",
            given=("by_epoch",),
        )


def _list_items(path: Path, value: object) -> Iterator[tuple[Path, object]]:
    """Yield a single part, or those of a list, with their keys."""
    if not isinstance(value, (list, tuple)):
        yield path, value
        return
    for index, each in enumerate(value):
        yield (*path, str(index)), each


def _find_parts(value: object, path: Path) -> Iterator[tuple[Path, PartConfig]]:
    """Yield the configs with a type inside a value, recursively."""
    if isinstance(value, Mapping):
        if isinstance(value.get("type"), str):
            yield path, value
        for key in value:
            if key not in ("type", "init_cfg"):
                yield from _find_parts(value[key], (*path, str(key)))
    elif isinstance(value, (list, tuple)):
        for index, each in enumerate(value):
            yield from _find_parts(each, (*path, str(index)))


def _is_registered(cfg: PartConfig) -> bool:
    """Return whether a registry of another kind has the type: a model may hold any part."""
    with MODELS.switch_scope_and_registry(cfg.get("_scope_")):
        return any(each.of_default_scope().get(cfg["type"]) for each in _OTHERS)


def _find_first(registry: Registry, cfg: PartConfig) -> list[str]:
    """Return the name of the first argument of a part, which its builder gives."""
    try:
        first = read_parameters(registry.type_of(cfg)).first
    except (KeyError, TypeError):  # reported by the check of the part
        return []
    return [] if first is None else [first]


def _is_of_engine(kind: Any) -> bool:
    """Return whether the constructor of a class is one of the engine, which is known."""
    for each in getattr(kind, "__mro__", ()):
        if "__init__" in vars(each):
            return str(each.__module__).startswith("eng.")
    return False
