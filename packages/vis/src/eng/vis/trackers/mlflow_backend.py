"""Record to MLflow."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from eng.config import Config
from eng.registry import VISBACKENDS
from eng.utils import override

from ..run_record import find_folders, mark_folder
from ..types import Arguments
from .tracker import TrackerBackend, find_artifacts, flatten_config

if TYPE_CHECKING:
    from mlflow.entities import Run

__all__ = ["MLflowVisBackend"]

#: Files in `save_dir` without a tracking URI.
_DATABASE, _ARTIFACTS = "mlflow.db", "mlflow_artifacts"
#: Tag with the identifier of the training, by which a resumed one finds its run.
_RUN_ID = "eng.run_id"
#: Limits of parameters per request, and of characters per value.
_BATCH, _LENGTH = 100, 6000


@VISBACKENDS.register_module()
class MLflowVisBackend(TrackerBackend):
    """Records to a run of MLflow.

    It needs ``pip install eng-vis[mlflow]``. Without a tracking URI the run is in a database in
    ``save_dir``, which ``mlflow ui --backend-store-uri sqlite:///<save_dir>/mlflow.db`` shows. A
    training that is resumed continues its run.

    Args:
        save_dir: Directory of the database and the artifacts.
        exp_name: Name of the experiment, which is created if it is missing. Defaults to None,
            ``'Default'``.
        run_name: Name of the run. Defaults to None, a name that MLflow generates.
        tags: Tags of the run. Defaults to None.
        params: Parameters to record besides the config. Defaults to None.
        tracking_uri: URI of the tracking server. Defaults to None, the database in ``save_dir``.
        artifact_suffix: Suffixes of files in the work directory that :meth:`close` records as
            artifacts, in the same subdirectories.
        tracked_config_keys: Keys of the config to record as parameters. Defaults to None, all.
        artifact_location: Location of the artifacts of a new experiment. Defaults to None.
    """

    package = "mlflow"

    def __init__(
        self,
        save_dir: str,
        exp_name: str | None = None,
        run_name: str | None = None,
        tags: Arguments | None = None,
        params: Arguments | None = None,
        tracking_uri: str | None = None,
        artifact_suffix: Sequence[str] = (".json", ".log", ".py", "yaml"),
        tracked_config_keys: list[str] | None = None,
        artifact_location: str | None = None,
    ) -> None:
        super().__init__(save_dir)
        self._exp_name = exp_name or "Default"
        self._run_name = run_name
        self._tags = dict(tags or {})
        self._params = dict(params or {})
        self._tracking_uri = tracking_uri
        self._artifact_suffix = artifact_suffix
        self._tracked_config_keys = tracked_config_keys
        self._artifact_location = artifact_location
        self._is_active = False
        self._client: Any = None  # an mlflow.MlflowClient
        self._run_id: str | None = None
        #: Parameters of the run, which are immutable in MLflow.
        self._recorded: dict[str, str] = {}

    @property
    @override
    def experiment(self) -> Any:
        """The module ``mlflow`` with the run active, for use beyond this interface."""
        import mlflow

        run_id = self._begin()
        if not self._is_active:
            mlflow.set_tracking_uri(self._uri())
            mlflow.start_run(run_id=run_id, nested=mlflow.active_run() is not None)
            self._is_active = True
        return mlflow

    @property
    def _mlflow(self) -> Any:
        """The module, by the name that subclasses know."""
        return self.experiment

    @override
    def start_run(self, run_id: str, step: int, work_dir: str) -> str | None:
        """Tag the run with the identifier of the training, by which it is resumed.

        Args:
            run_id: Identifier of the training.
            step: Completed iterations.
            work_dir: The work directory.

        Returns:
            A line for the log, None if the training is not resumed.
        """
        super().start_run(run_id, step, work_dir)
        if self._run is not None:
            return None
        self._tags[_RUN_ID] = run_id
        if self._tracking_uri is None:
            folders = find_folders(self._save_dir, run_id, work_dir) if step else []
            first = next((each for each in folders if (each / _DATABASE).is_file()), None)
            mark_folder(self._save_dir, run_id)
            self._save_dir = str(first or self._save_dir)
        return f"MLflow resumes the run {run_id} if it exists." if step else None

    @override
    def _open(self) -> str:
        from mlflow import MlflowClient

        if self._tracking_uri is None:
            self._make_database()
        client = self._client = MlflowClient(tracking_uri=self._uri())
        run = self._find_run()
        self._run_id = str(run.info.run_id)
        client.update_run(self._run_id, status="RUNNING")
        self._recorded = dict(run.data.params)
        self._log_params(self._run_id, self._params)
        return self._run_id

    def _find_run(self) -> Run:
        """Return the run of an earlier start or use, or else create one."""
        client = self._client
        if self._run_id is not None:
            return client.get_run(self._run_id)
        experiment = self._find_experiment()
        if _RUN_ID in self._tags:
            tag = f"tags.`{_RUN_ID}` = '{self._tags[_RUN_ID]}'"
            found = client.search_runs([experiment], tag, max_results=1)
            if found:
                return found[0]
        return client.create_run(experiment, tags=self._tags, run_name=self._run_name)

    def _find_experiment(self) -> str:
        found = self._client.get_experiment_by_name(self._exp_name)
        if found is not None:
            return str(found.experiment_id)
        location = self._artifact_location
        if location is None and self._tracking_uri is None:
            location = self._artifact_uri()
        return str(self._client.create_experiment(self._exp_name, artifact_location=location))

    def _make_database(self) -> None:
        """Create the database; otherwise its artifacts would be in the current directory."""
        from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

        if not (Path(self._save_dir) / _DATABASE).is_file():
            Path(self._save_dir).mkdir(parents=True, exist_ok=True)
            SqlAlchemyStore(self._uri(), self._artifact_uri())

    @override
    def _write_config(self, config: Config) -> None:
        flat = flatten_config(config.without_secrets())
        keys = self._tracked_config_keys
        if keys is not None:
            flat = {
                name: value
                for name, value in flat.items()
                if any(name == key or name.startswith(f"{key}.") for key in keys)
            }
        self._log_params(self._run, flat)
        self._client.log_text(self._run, config.pretty_text, "config.py")

    def _log_params(self, run_id: str, params: Mapping[str, object]) -> None:
        from mlflow.entities import Param

        plain = {_as_key(name): str(value)[:_LENGTH] for name, value in params.items()}
        new = iter([Param(k, v) for k, v in plain.items() if k not in self._recorded])
        while batch := list(islice(new, _BATCH)):
            self._client.log_batch(run_id, params=batch)
        self._recorded = plain | self._recorded

    @override
    def _write_numbers(self, numbers: dict[str, float], step: int) -> None:
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        metrics = [Metric(_as_key(name), value, now, step) for name, value in numbers.items()]
        self._client.log_batch(self._run, metrics=metrics)

    @override
    def _write_image(self, name: str, image: np.ndarray, step: int) -> None:
        self._client.log_image(self._run, image, key=_as_key(name), step=step)

    @override
    def _finish(self) -> None:
        folder = self._work_folder()
        own = (Path(self._save_dir) / _ARTIFACTS,)
        for path in find_artifacts(folder, self._artifact_suffix, [str(each) for each in own]):
            inner = path.parent.relative_to(str(folder)).as_posix()
            self._client.log_artifact(self._run, str(path), None if inner == "." else inner)
        if self._is_active:
            import mlflow

            mlflow.end_run()
            self._is_active = False
        self._client.set_terminated(self._run)

    def _artifact_uri(self) -> str:
        return (Path(self._save_dir) / _ARTIFACTS).absolute().as_uri()

    def _uri(self) -> str:
        if self._tracking_uri is not None:
            return self._tracking_uri
        return f"sqlite:///{(Path(self._save_dir) / _DATABASE).absolute()}"


def _as_key(name: str) -> str:
    """Replace the characters of a name that MLflow does not accept."""
    return re.sub(r"[^\w\-. /]", "_", name)
