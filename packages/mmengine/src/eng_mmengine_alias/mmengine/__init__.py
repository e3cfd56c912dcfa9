"""Names of mmengine, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.config import Config as Config
    from eng.config import ConfigDict as ConfigDict
    from eng.config import DictAction as DictAction
    from eng.config import read_base as read_base
    from eng.fileio import BaseFileHandler as BaseFileHandler
    from eng.fileio import BaseStorageBackend as BaseStorageBackend
    from eng.fileio import FileClient as FileClient
    from eng.fileio import HTTPBackend as HTTPBackend
    from eng.fileio import HardDiskBackend as HardDiskBackend
    from eng.fileio import JsonHandler as JsonHandler
    from eng.fileio import LmdbBackend as LmdbBackend
    from eng.fileio import LocalBackend as LocalBackend
    from eng.fileio import MemcachedBackend as MemcachedBackend
    from eng.fileio import PetrelBackend as PetrelBackend
    from eng.fileio import PickleHandler as PickleHandler
    from eng.fileio import YamlHandler as YamlHandler
    from eng.fileio import copy_if_symlink_fails as copy_if_symlink_fails
    from eng.fileio import copyfile as copyfile
    from eng.fileio import copyfile_from_local as copyfile_from_local
    from eng.fileio import copyfile_to_local as copyfile_to_local
    from eng.fileio import copytree as copytree
    from eng.fileio import copytree_from_local as copytree_from_local
    from eng.fileio import copytree_to_local as copytree_to_local
    from eng.fileio import dict_from_file as dict_from_file
    from eng.fileio import dump as dump
    from eng.fileio import exists as exists
    from eng.fileio import generate_presigned_url as generate_presigned_url
    from eng.fileio import get as get
    from eng.fileio import get_file_backend as get_file_backend
    from eng.fileio import get_local_path as get_local_path
    from eng.fileio import get_text as get_text
    from eng.fileio import isdir as isdir
    from eng.fileio import isfile as isfile
    from eng.fileio import join_path as join_path
    from eng.fileio import list_dir_or_file as list_dir_or_file
    from eng.fileio import list_from_file as list_from_file
    from eng.fileio import load as load
    from eng.fileio import put as put
    from eng.fileio import put_text as put_text
    from eng.fileio import register_backend as register_backend
    from eng.fileio import register_handler as register_handler
    from eng.fileio import remove as remove
    from eng.fileio import rmtree as rmtree
    from eng.logging import HistoryBuffer as HistoryBuffer
    from eng.logging import MMLogger as MMLogger
    from eng.logging import MessageHub as MessageHub
    from eng.logging import print_log as print_log
    from eng.mmengine.original_version import __version__ as __version__
    from eng.mmengine.original_version import version_info as version_info
    from eng.registry import DATASETS as DATASETS
    from eng.registry import DATA_SAMPLERS as DATA_SAMPLERS
    from eng.registry import DefaultScope as DefaultScope
    from eng.registry import EVALUATOR as EVALUATOR
    from eng.registry import FUNCTIONS as FUNCTIONS
    from eng.registry import HOOKS as HOOKS
    from eng.registry import INFERENCERS as INFERENCERS
    from eng.registry import LOG_PROCESSORS as LOG_PROCESSORS
    from eng.registry import LOOPS as LOOPS
    from eng.registry import METRICS as METRICS
    from eng.registry import MODELS as MODELS
    from eng.registry import MODEL_WRAPPERS as MODEL_WRAPPERS
    from eng.registry import OPTIMIZERS as OPTIMIZERS
    from eng.registry import OPTIM_WRAPPERS as OPTIM_WRAPPERS
    from eng.registry import OPTIM_WRAPPER_CONSTRUCTORS as OPTIM_WRAPPER_CONSTRUCTORS
    from eng.registry import PARAM_SCHEDULERS as PARAM_SCHEDULERS
    from eng.registry import RUNNERS as RUNNERS
    from eng.registry import RUNNER_CONSTRUCTORS as RUNNER_CONSTRUCTORS
    from eng.registry import Registry as Registry
    from eng.registry import STRATEGIES as STRATEGIES
    from eng.registry import TASK_UTILS as TASK_UTILS
    from eng.registry import TRANSFORMS as TRANSFORMS
    from eng.registry import VISBACKENDS as VISBACKENDS
    from eng.registry import VISUALIZERS as VISUALIZERS
    from eng.registry import WEIGHT_INITIALIZERS as WEIGHT_INITIALIZERS
    from eng.registry import build_from_cfg as build_from_cfg
    from eng.registry import build_model_from_cfg as build_model_from_cfg
    from eng.registry import build_runner_from_cfg as build_runner_from_cfg
    from eng.registry import build_scheduler_from_cfg as build_scheduler_from_cfg
    from eng.registry import count_registered_modules as count_registered_modules
    from eng.registry import init_default_scope as init_default_scope
    from eng.registry import traverse_registry_tree as traverse_registry_tree
    from eng.utils import ManagerMeta as ManagerMeta
    from eng.utils import ManagerMixin as ManagerMixin
    from eng.utils import ProgressBar as ProgressBar
    from eng.utils import Timer as Timer
    from eng.utils import TimerError as TimerError
    from eng.utils import apply_to as apply_to
    from eng.utils import call_command as call_command
    from eng.utils import check_file_exist as check_file_exist
    from eng.utils import check_prerequisites as check_prerequisites
    from eng.utils import check_time as check_time
    from eng.utils import concat_list as concat_list
    from eng.utils import deprecated_api_warning as deprecated_api_warning
    from eng.utils import deprecated_function as deprecated_function
    from eng.utils import digit_version as digit_version
    from eng.utils import fopen as fopen
    from eng.utils import get_git_hash as get_git_hash
    from eng.utils import get_installed_path as get_installed_path
    from eng.utils import get_object_from_string as get_object_from_string
    from eng.utils import has_method as has_method
    from eng.utils import import_modules_from_strings as import_modules_from_strings
    from eng.utils import install_package as install_package
    from eng.utils import is_abs as is_abs
    from eng.utils import is_filepath as is_filepath
    from eng.utils import is_installed as is_installed
    from eng.utils import is_list_of as is_list_of
    from eng.utils import is_method_overridden as is_method_overridden
    from eng.utils import is_seq_of as is_seq_of
    from eng.utils import is_str as is_str
    from eng.utils import is_tuple_of as is_tuple_of
    from eng.utils import iter_cast as iter_cast
    from eng.utils import list_cast as list_cast
    from eng.utils import mkdir_or_exist as mkdir_or_exist
    from eng.utils import requires_executable as requires_executable
    from eng.utils import requires_package as requires_package
    from eng.utils import scandir as scandir
    from eng.utils import slice_list as slice_list
    from eng.utils import symlink as symlink
    from eng.utils import to_1tuple as to_1tuple
    from eng.utils import to_2tuple as to_2tuple
    from eng.utils import to_3tuple as to_3tuple
    from eng.utils import to_4tuple as to_4tuple
    from eng.utils import to_ntuple as to_ntuple
    from eng.utils import track_iter_progress as track_iter_progress
    from eng.utils import track_parallel_progress as track_parallel_progress
    from eng.utils import track_progress as track_progress
    from eng.utils import track_progress_rich as track_progress_rich
    from eng.utils import tuple_cast as tuple_cast

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.config": "Config ConfigDict DictAction read_base",
        "eng.fileio": "BaseFileHandler BaseStorageBackend FileClient HTTPBackend HardDiskBackend JsonHandler LmdbBackend LocalBackend MemcachedBackend PetrelBackend PickleHandler YamlHandler copy_if_symlink_fails copyfile copyfile_from_local copyfile_to_local copytree copytree_from_local copytree_to_local dict_from_file dump exists generate_presigned_url get get_file_backend get_local_path get_text isdir isfile join_path list_dir_or_file list_from_file load put put_text register_backend register_handler remove rmtree",
        "eng.logging": "HistoryBuffer MMLogger MessageHub print_log",
        "eng.mmengine.original_version": "__version__ version_info",
        "eng.registry": "DATASETS DATA_SAMPLERS DefaultScope EVALUATOR FUNCTIONS HOOKS INFERENCERS LOG_PROCESSORS LOOPS METRICS MODELS MODEL_WRAPPERS OPTIMIZERS OPTIM_WRAPPERS OPTIM_WRAPPER_CONSTRUCTORS PARAM_SCHEDULERS RUNNERS RUNNER_CONSTRUCTORS Registry STRATEGIES TASK_UTILS TRANSFORMS VISBACKENDS VISUALIZERS WEIGHT_INITIALIZERS build_from_cfg build_model_from_cfg build_runner_from_cfg build_scheduler_from_cfg count_registered_modules init_default_scope traverse_registry_tree",
        "eng.utils": "ManagerMeta ManagerMixin ProgressBar Timer TimerError apply_to call_command check_file_exist check_prerequisites check_time concat_list deprecated_api_warning deprecated_function digit_version fopen get_git_hash get_installed_path get_object_from_string has_method import_modules_from_strings install_package is_abs is_filepath is_installed is_list_of is_method_overridden is_seq_of is_str is_tuple_of iter_cast list_cast mkdir_or_exist requires_executable requires_package scandir slice_list symlink to_1tuple to_2tuple to_3tuple to_4tuple to_ntuple track_iter_progress track_parallel_progress track_progress track_progress_rich tuple_cast",
    },
    modules="_strategy analysis config dataset device dist evaluator fileio hooks hub infer logging model optim registry runner structures testing utils version visualization",
)
