"""Types of the names of ``eng.all``, each from the lowest package that exports it.

Written by ``scripts/update_exports.py``.
"""

from eng.analysis import ActivationAnalyzer as ActivationAnalyzer
from eng.analysis import FlopAnalyzer as FlopAnalyzer
from eng.analysis import JitModelAnalysis as JitModelAnalysis
from eng.analysis import activation_count as activation_count
from eng.analysis import complexity_stats_str as complexity_stats_str
from eng.analysis import complexity_stats_table as complexity_stats_table
from eng.analysis import flop_count as flop_count
from eng.analysis import get_model_complexity_info as get_model_complexity_info
from eng.analysis import parameter_count as parameter_count
from eng.analysis import parameter_count_table as parameter_count_table
from eng.checkpoint import BackgroundWriter as BackgroundWriter
from eng.checkpoint import CheckpointError as CheckpointError
from eng.checkpoint import CheckpointFolder as CheckpointFolder
from eng.checkpoint import CheckpointLoader as CheckpointLoader
from eng.checkpoint import FolderSaver as FolderSaver
from eng.checkpoint import MapLocation as MapLocation
from eng.checkpoint import NewestCheckpoint as NewestCheckpoint
from eng.checkpoint import OwnTensors as OwnTensors
from eng.checkpoint import RankBuffers as RankBuffers
from eng.checkpoint import _load_checkpoint as _load_checkpoint
from eng.checkpoint import _load_checkpoint_to_model as _load_checkpoint_to_model
from eng.checkpoint import _load_checkpoint_with_prefix as _load_checkpoint_with_prefix
from eng.checkpoint import absolute_path as absolute_path
from eng.checkpoint import are_shards_kept as are_shards_kept
from eng.checkpoint import average_weights as average_weights
from eng.checkpoint import checkpoint_exists as checkpoint_exists
from eng.checkpoint import complete_weights as complete_weights
from eng.checkpoint import copy_checkpoint as copy_checkpoint
from eng.checkpoint import drop_frozen as drop_frozen
from eng.checkpoint import export_weights as export_weights
from eng.checkpoint import find_latest_checkpoint as find_latest_checkpoint
from eng.checkpoint import find_newest_checkpoint as find_newest_checkpoint
from eng.checkpoint import find_weights as find_weights
from eng.checkpoint import folder_template as folder_template
from eng.checkpoint import frozen_digest as frozen_digest
from eng.checkpoint import frozen_names as frozen_names
from eng.checkpoint import full_model_state as full_model_state
from eng.checkpoint import full_optimizer_state as full_optimizer_state
from eng.checkpoint import get_deprecated_model_names as get_deprecated_model_names
from eng.checkpoint import get_external_models as get_external_models
from eng.checkpoint import get_mmcls_models as get_mmcls_models
from eng.checkpoint import get_state_dict as get_state_dict
from eng.checkpoint import get_torchvision_models as get_torchvision_models
from eng.checkpoint import is_checkpoint_folder as is_checkpoint_folder
from eng.checkpoint import is_shard as is_shard
from eng.checkpoint import is_sharded as is_sharded
from eng.checkpoint import keep_shards as keep_shards
from eng.checkpoint import load_checkpoint as load_checkpoint
from eng.checkpoint import load_full_model_state as load_full_model_state
from eng.checkpoint import load_full_optimizer_state as load_full_optimizer_state
from eng.checkpoint import load_shared_checkpoint as load_shared_checkpoint
from eng.checkpoint import load_state_dict as load_state_dict
from eng.checkpoint import model_shards as model_shards
from eng.checkpoint import model_state as model_state
from eng.checkpoint import next_save_number as next_save_number
from eng.checkpoint import optimizer_shards as optimizer_shards
from eng.checkpoint import progress_of as progress_of
from eng.checkpoint import put_tensors as put_tensors
from eng.checkpoint import remove_checkpoint as remove_checkpoint
from eng.checkpoint import remove_incomplete as remove_incomplete
from eng.checkpoint import save_checkpoint as save_checkpoint
from eng.checkpoint import save_folder as save_folder
from eng.checkpoint import save_foreign_folder as save_foreign_folder
from eng.checkpoint import shards_to_load as shards_to_load
from eng.checkpoint import take_tensors as take_tensors
from eng.checkpoint import tensor_digest as tensor_digest
from eng.checkpoint import used_checkpoint as used_checkpoint
from eng.checkpoint import weights_to_cpu as weights_to_cpu
from eng.checkpoint import write_last_checkpoint as write_last_checkpoint
from eng.cli import Command as Command
from eng.cli import find_commands as find_commands
from eng.cli import main as main
from eng.config import Config as Config
from eng.config import ConfigDict as ConfigDict
from eng.config import ConfigError as ConfigError
from eng.config import ConfigParsingError as ConfigParsingError
from eng.config import DictAction as DictAction
from eng.config import Difference as Difference
from eng.config import LazyAttr as LazyAttr
from eng.config import LazyObject as LazyObject
from eng.config import MissingKeyError as MissingKeyError
from eng.config import Origin as Origin
from eng.config import SchemaError as SchemaError
from eng.config import add_config_arguments as add_config_arguments
from eng.config import config_from_arguments as config_from_arguments
from eng.config import diff as diff
from eng.config import hide_secrets as hide_secrets
from eng.config import read_base as read_base
from eng.config import resolve_package_path as resolve_package_path
from eng.config import value_at as value_at
from eng.dataset import LOADER_SETTINGS as LOADER_SETTINGS
from eng.dataset import AnnotationError as AnnotationError
from eng.dataset import BaseDataset as BaseDataset
from eng.dataset import BucketBatchSampler as BucketBatchSampler
from eng.dataset import ClassBalancedDataset as ClassBalancedDataset
from eng.dataset import Compose as Compose
from eng.dataset import ConcatDataset as ConcatDataset
from eng.dataset import DefaultSampler as DefaultSampler
from eng.dataset import DistributedSamplerWrapper as DistributedSamplerWrapper
from eng.dataset import InfiniteSampler as InfiniteSampler
from eng.dataset import LengthGroupedSampler as LengthGroupedSampler
from eng.dataset import PlacedSampler as PlacedSampler
from eng.dataset import RawRandomState as RawRandomState
from eng.dataset import RepeatDataset as RepeatDataset
from eng.dataset import SampleIndex as SampleIndex
from eng.dataset import TokenBudgetBatchSampler as TokenBudgetBatchSampler
from eng.dataset import TransformError as TransformError
from eng.dataset import default_collate as default_collate
from eng.dataset import force_full_init as force_full_init
from eng.dataset import has_named_loaders as has_named_loaders
from eng.dataset import length_of as length_of
from eng.dataset import open_loader as open_loader
from eng.dataset import prefetch_to_device as prefetch_to_device
from eng.dataset import pseudo_collate as pseudo_collate
from eng.dataset import random_numbers_of as random_numbers_of
from eng.dataset import sampler_with as sampler_with
from eng.dataset import samplers_of as samplers_of
from eng.dataset import worker_init_fn as worker_init_fn
from eng.device import autocast as autocast
from eng.device import get_device as get_device
from eng.device import get_max_cuda_memory as get_max_cuda_memory
from eng.device import get_max_memory as get_max_memory
from eng.device import get_max_musa_memory as get_max_musa_memory
from eng.device import is_cuda_available as is_cuda_available
from eng.device import is_dipu_available as is_dipu_available
from eng.device import is_mlu_available as is_mlu_available
from eng.device import is_mps_available as is_mps_available
from eng.device import is_musa_available as is_musa_available
from eng.device import is_npu_available as is_npu_available
from eng.device import is_npu_support_full_precision as is_npu_support_full_precision
from eng.device import is_out_of_memory as is_out_of_memory
from eng.dist import MESH_AXES as MESH_AXES
from eng.dist import DistributedError as DistributedError
from eng.dist import MissingVariableError as MissingVariableError
from eng.dist import ReduceOp as ReduceOp
from eng.dist import all_gather as all_gather
from eng.dist import all_gather_object as all_gather_object
from eng.dist import all_reduce as all_reduce
from eng.dist import all_reduce_dict as all_reduce_dict
from eng.dist import all_reduce_params as all_reduce_params
from eng.dist import barrier as barrier
from eng.dist import broadcast as broadcast
from eng.dist import broadcast_object_list as broadcast_object_list
from eng.dist import cast_data_device as cast_data_device
from eng.dist import collect_results as collect_results
from eng.dist import collect_results_cpu as collect_results_cpu
from eng.dist import collect_results_gpu as collect_results_gpu
from eng.dist import explain_failures as explain_failures
from eng.dist import gather as gather
from eng.dist import gather_object as gather_object
from eng.dist import get_backend as get_backend
from eng.dist import get_comm_device as get_comm_device
from eng.dist import get_data_device as get_data_device
from eng.dist import get_data_group as get_data_group
from eng.dist import get_data_info as get_data_info
from eng.dist import get_data_rank as get_data_rank
from eng.dist import get_data_world_size as get_data_world_size
from eng.dist import get_default_group as get_default_group
from eng.dist import get_dist_info as get_dist_info
from eng.dist import get_local_group as get_local_group
from eng.dist import get_local_rank as get_local_rank
from eng.dist import get_local_size as get_local_size
from eng.dist import get_mesh as get_mesh
from eng.dist import get_rank as get_rank
from eng.dist import get_tensor_group as get_tensor_group
from eng.dist import get_world_size as get_world_size
from eng.dist import infer_launcher as infer_launcher
from eng.dist import init_dist as init_dist
from eng.dist import init_local_group as init_local_group
from eng.dist import init_mesh as init_mesh
from eng.dist import is_distributed as is_distributed
from eng.dist import is_main_process as is_main_process
from eng.dist import keep_data_ranks as keep_data_ranks
from eng.dist import master_only as master_only
from eng.dist import report_failure as report_failure
from eng.dist import resolve_sizes as resolve_sizes
from eng.dist import sync_random_seed as sync_random_seed
from eng.dist import use_mesh as use_mesh
from eng.dist import write_stacks_to as write_stacks_to
from eng.dl_utils import TORCH_VERSION as TORCH_VERSION
from eng.dl_utils import TimeCounter as TimeCounter
from eng.dl_utils import collect_env as collect_env
from eng.dl_utils import has_batch_norm as has_batch_norm
from eng.dl_utils import is_jit_tracing as is_jit_tracing
from eng.dl_utils import is_model_wrapper as is_model_wrapper
from eng.dl_utils import is_norm as is_norm
from eng.dl_utils import load_url as load_url
from eng.dl_utils import mmcv_full_available as mmcv_full_available
from eng.dl_utils import plain_name as plain_name
from eng.dl_utils import set_multi_processing as set_multi_processing
from eng.dl_utils import tensor2imgs as tensor2imgs
from eng.dl_utils import torch_meshgrid as torch_meshgrid
from eng.dl_utils import unwrap as unwrap
from eng.evaluator import Accuracy as Accuracy
from eng.evaluator import BaseMetric as BaseMetric
from eng.evaluator import ConfusionMatrix as ConfusionMatrix
from eng.evaluator import DumpPredictions as DumpPredictions
from eng.evaluator import DumpResults as DumpResults
from eng.evaluator import Evaluator as Evaluator
from eng.evaluator import Mean as Mean
from eng.evaluator import MeanAbsoluteError as MeanAbsoluteError
from eng.evaluator import MeanIoU as MeanIoU
from eng.evaluator import Perplexity as Perplexity
from eng.evaluator import RunningMetric as RunningMetric
from eng.evaluator import TorchMetric as TorchMetric
from eng.evaluator import format_metrics as format_metrics
from eng.evaluator import format_table as format_table
from eng.evaluator import get_metric_value as get_metric_value
from eng.fileio import BaseFileHandler as BaseFileHandler
from eng.fileio import BaseStorageBackend as BaseStorageBackend
from eng.fileio import FileClient as FileClient
from eng.fileio import FsspecBackend as FsspecBackend
from eng.fileio import HTTPBackend as HTTPBackend
from eng.fileio import HardDiskBackend as HardDiskBackend
from eng.fileio import JsonHandler as JsonHandler
from eng.fileio import LmdbBackend as LmdbBackend
from eng.fileio import LocalBackend as LocalBackend
from eng.fileio import MemcachedBackend as MemcachedBackend
from eng.fileio import PartialFailureError as PartialFailureError
from eng.fileio import PetrelBackend as PetrelBackend
from eng.fileio import PickleHandler as PickleHandler
from eng.fileio import RemoteBackend as RemoteBackend
from eng.fileio import S3Backend as S3Backend
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
from eng.fileio import file_handlers as file_handlers
from eng.fileio import generate_presigned_url as generate_presigned_url
from eng.fileio import get as get
from eng.fileio import get_file_backend as get_file_backend
from eng.fileio import get_local_path as get_local_path
from eng.fileio import get_many as get_many
from eng.fileio import get_text as get_text
from eng.fileio import isdir as isdir
from eng.fileio import isfile as isfile
from eng.fileio import join_path as join_path
from eng.fileio import list_dir_or_file as list_dir_or_file
from eng.fileio import list_from_file as list_from_file
from eng.fileio import load as load
from eng.fileio import merged_backend_args as merged_backend_args
from eng.fileio import put as put
from eng.fileio import put_text as put_text
from eng.fileio import register_backend as register_backend
from eng.fileio import register_handler as register_handler
from eng.fileio import remove as remove
from eng.fileio import rmtree as rmtree
from eng.hooks import BatchRecordHook as BatchRecordHook
from eng.hooks import BestCheckpoint as BestCheckpoint
from eng.hooks import BestCheckpoints as BestCheckpoints
from eng.hooks import CheckpointHook as CheckpointHook
from eng.hooks import CheckpointWriter as CheckpointWriter
from eng.hooks import DistSamplerSeedHook as DistSamplerSeedHook
from eng.hooks import EMAHook as EMAHook
from eng.hooks import EarlyStoppingHook as EarlyStoppingHook
from eng.hooks import EmptyCacheHook as EmptyCacheHook
from eng.hooks import FreezeHook as FreezeHook
from eng.hooks import Hook as Hook
from eng.hooks import HookRunState as HookRunState
from eng.hooks import HookRunner as HookRunner
from eng.hooks import HookTrainLoop as HookTrainLoop
from eng.hooks import IterTimerHook as IterTimerHook
from eng.hooks import LoggerHook as LoggerHook
from eng.hooks import ModelStatisticsHook as ModelStatisticsHook
from eng.hooks import NaiveVisualizationHook as NaiveVisualizationHook
from eng.hooks import ParamSchedulerHook as ParamSchedulerHook
from eng.hooks import ParameterReportHook as ParameterReportHook
from eng.hooks import PrepareTTAHook as PrepareTTAHook
from eng.hooks import Priority as Priority
from eng.hooks import ProfilerHook as ProfilerHook
from eng.hooks import RuntimeInfoHook as RuntimeInfoHook
from eng.hooks import SlowRankHook as SlowRankHook
from eng.hooks import SyncBuffersHook as SyncBuffersHook
from eng.hooks import ThroughputHook as ThroughputHook
from eng.hooks import TrainedOnlyHook as TrainedOnlyHook
from eng.hooks import build_runner_with_tta as build_runner_with_tta
from eng.hooks import find_best_checkpoint as find_best_checkpoint
from eng.hooks import get_priority as get_priority
from eng.hooks import hash_batch as hash_batch
from eng.hooks import infer_rule as infer_rule
from eng.hooks import read_record as read_record
from eng.hooks import run_id_of as run_id_of
from eng.hooks import scalar_of as scalar_of
from eng.hub import find_model_folder as find_model_folder
from eng.hub import get_config as get_config
from eng.hub import get_model as get_model
from eng.hub import list_metafile_models as list_metafile_models
from eng.hub import names_of_model as names_of_model
from eng.infer import BaseInferencer as BaseInferencer
from eng.infer import InferencerMeta as InferencerMeta
from eng.infer import PipelineInferencer as PipelineInferencer
from eng.logging import FilterDuplicateWarning as FilterDuplicateWarning
from eng.logging import HistoryBuffer as HistoryBuffer
from eng.logging import MMLogger as MMLogger
from eng.logging import MessageHub as MessageHub
from eng.logging import Scalar as Scalar
from eng.logging import TerminalView as TerminalView
from eng.logging import print_log as print_log
from eng.model import BaseAveragedModel as BaseAveragedModel
from eng.model import BaseDataPreprocessor as BaseDataPreprocessor
from eng.model import BaseInit as BaseInit
from eng.model import BaseModel as BaseModel
from eng.model import BaseModule as BaseModule
from eng.model import BaseTTAModel as BaseTTAModel
from eng.model import Caffe2XavierInit as Caffe2XavierInit
from eng.model import ConstantInit as ConstantInit
from eng.model import DeferralError as DeferralError
from eng.model import DeferredValues as DeferredValues
from eng.model import ExponentialMovingAverage as ExponentialMovingAverage
from eng.model import ImgDataPreprocessor as ImgDataPreprocessor
from eng.model import KaimingInit as KaimingInit
from eng.model import MMDistributedDataParallel as MMDistributedDataParallel
from eng.model import MMFullyShard as MMFullyShard
from eng.model import MMFullyShardedDataParallel as MMFullyShardedDataParallel
from eng.model import MMSeparateDistributedDataParallel as MMSeparateDistributedDataParallel
from eng.model import ModelWithLoss as ModelWithLoss
from eng.model import ModuleDict as ModuleDict
from eng.model import ModuleList as ModuleList
from eng.model import MomentumAnnealingEMA as MomentumAnnealingEMA
from eng.model import NormalInit as NormalInit
from eng.model import ParallelSettings as ParallelSettings
from eng.model import ParallelSettingsError as ParallelSettingsError
from eng.model import PretrainedInit as PretrainedInit
from eng.model import Recording as Recording
from eng.model import Sequential as Sequential
from eng.model import StochasticWeightAverage as StochasticWeightAverage
from eng.model import TruncNormalInit as TruncNormalInit
from eng.model import UniformInit as UniformInit
from eng.model import UnknownPartError as UnknownPartError
from eng.model import XavierInit as XavierInit
from eng.model import bias_init_with_prob as bias_init_with_prob
from eng.model import caffe2_xavier_init as caffe2_xavier_init
from eng.model import check_parallel_parts as check_parallel_parts
from eng.model import compile_parts as compile_parts
from eng.model import constant_init as constant_init
from eng.model import convert_sync_batchnorm as convert_sync_batchnorm
from eng.model import detect_anomalous_params as detect_anomalous_params
from eng.model import efficient_conv_bn_eval_control as efficient_conv_bn_eval_control
from eng.model import efficient_conv_bn_eval_forward as efficient_conv_bn_eval_forward
from eng.model import (
    efficient_conv_bn_eval_graph_transform as efficient_conv_bn_eval_graph_transform,
)
from eng.model import find_parts as find_parts
from eng.model import initialize as initialize
from eng.model import kaiming_init as kaiming_init
from eng.model import merge_dict as merge_dict
from eng.model import normal_init as normal_init
from eng.model import parallelize as parallelize
from eng.model import recompute_parts as recompute_parts
from eng.model import revert_sync_batchnorm as revert_sync_batchnorm
from eng.model import share_initial_values as share_initial_values
from eng.model import stack_batch as stack_batch
from eng.model import trunc_normal_ as trunc_normal_
from eng.model import trunc_normal_init as trunc_normal_init
from eng.model import turn_on_efficient_conv_bn_eval as turn_on_efficient_conv_bn_eval
from eng.model import (
    turn_on_efficient_conv_bn_eval_for_single_model as turn_on_efficient_conv_bn_eval_for_single_model,
)
from eng.model import uniform_init as uniform_init
from eng.model import update_init_info as update_init_info
from eng.model import wrap_for_processes as wrap_for_processes
from eng.model import wrap_forward as wrap_forward
from eng.model import xavier_init as xavier_init
from eng.optim import TORCH_OPTIMIZERS as TORCH_OPTIMIZERS
from eng.optim import AmpOptimWrapper as AmpOptimWrapper
from eng.optim import BaseOptimWrapper as BaseOptimWrapper
from eng.optim import ConstantLR as ConstantLR
from eng.optim import ConstantMomentum as ConstantMomentum
from eng.optim import ConstantParamScheduler as ConstantParamScheduler
from eng.optim import CosineAnnealingLR as CosineAnnealingLR
from eng.optim import CosineAnnealingMomentum as CosineAnnealingMomentum
from eng.optim import CosineAnnealingParamScheduler as CosineAnnealingParamScheduler
from eng.optim import CosineRestartLR as CosineRestartLR
from eng.optim import CosineRestartMomentum as CosineRestartMomentum
from eng.optim import CosineRestartParamScheduler as CosineRestartParamScheduler
from eng.optim import DefaultOptimWrapperConstructor as DefaultOptimWrapperConstructor
from eng.optim import ExponentialLR as ExponentialLR
from eng.optim import ExponentialMomentum as ExponentialMomentum
from eng.optim import ExponentialParamScheduler as ExponentialParamScheduler
from eng.optim import LinearLR as LinearLR
from eng.optim import LinearMomentum as LinearMomentum
from eng.optim import LinearParamScheduler as LinearParamScheduler
from eng.optim import LossNormalizer as LossNormalizer
from eng.optim import MicroBatches as MicroBatches
from eng.optim import MultiStepLR as MultiStepLR
from eng.optim import MultiStepMomentum as MultiStepMomentum
from eng.optim import MultiStepParamScheduler as MultiStepParamScheduler
from eng.optim import OneCycleLR as OneCycleLR
from eng.optim import OneCycleParamScheduler as OneCycleParamScheduler
from eng.optim import OptimWrapper as OptimWrapper
from eng.optim import OptimWrapperDict as OptimWrapperDict
from eng.optim import PolyLR as PolyLR
from eng.optim import PolyMomentum as PolyMomentum
from eng.optim import PolyParamScheduler as PolyParamScheduler
from eng.optim import ReduceOnPlateauLR as ReduceOnPlateauLR
from eng.optim import ReduceOnPlateauMomentum as ReduceOnPlateauMomentum
from eng.optim import ReduceOnPlateauParamScheduler as ReduceOnPlateauParamScheduler
from eng.optim import StepLR as StepLR
from eng.optim import StepMomentum as StepMomentum
from eng.optim import StepParamScheduler as StepParamScheduler
from eng.optim import ZeroRedundancyOptimizer as ZeroRedundancyOptimizer
from eng.optim import _ParamScheduler as _ParamScheduler
from eng.optim import average_gradients as average_gradients
from eng.optim import build_optim_wrapper as build_optim_wrapper
from eng.optim import count_samples as count_samples
from eng.optim import count_tokens as count_tokens
from eng.optim import evaluation_mode as evaluation_mode
from eng.registry import COLLATE_FUNCTIONS as COLLATE_FUNCTIONS
from eng.registry import DATASETS as DATASETS
from eng.registry import DATA_SAMPLERS as DATA_SAMPLERS
from eng.registry import EVALUATOR as EVALUATOR
from eng.registry import FSDP_WRAP_POLICIES as FSDP_WRAP_POLICIES
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
from eng.registry import STRATEGIES as STRATEGIES
from eng.registry import TASK_UTILS as TASK_UTILS
from eng.registry import TRANSFORMS as TRANSFORMS
from eng.registry import VISBACKENDS as VISBACKENDS
from eng.registry import VISUALIZERS as VISUALIZERS
from eng.registry import WEIGHT_INITIALIZERS as WEIGHT_INITIALIZERS
from eng.registry import DefaultScope as DefaultScope
from eng.registry import Kind as Kind
from eng.registry import NotRegisteredError as NotRegisteredError
from eng.registry import Parameters as Parameters
from eng.registry import PartConfig as PartConfig
from eng.registry import PartOrConfig as PartOrConfig
from eng.registry import Problem as Problem
from eng.registry import RegisteredName as RegisteredName
from eng.registry import Registry as Registry
from eng.registry import WrongKindError as WrongKindError
from eng.registry import build_from_cfg as build_from_cfg
from eng.registry import build_model_from_cfg as build_model_from_cfg
from eng.registry import build_optimizer_from_cfg as build_optimizer_from_cfg
from eng.registry import build_runner_from_cfg as build_runner_from_cfg
from eng.registry import build_scheduler_from_cfg as build_scheduler_from_cfg
from eng.registry import check_arguments as check_arguments
from eng.registry import check_part as check_part
from eng.registry import count_registered_modules as count_registered_modules
from eng.registry import init_default_scope as init_default_scope
from eng.registry import list_registered as list_registered
from eng.registry import read_parameters as read_parameters
from eng.registry import traverse_registry_tree as traverse_registry_tree
from eng.runner import BaseLoop as BaseLoop
from eng.runner import BaseStrategy as BaseStrategy
from eng.runner import BatchSizeSearch as BatchSizeSearch
from eng.runner import BatchTrial as BatchTrial
from eng.runner import BestScore as BestScore
from eng.runner import ColossalAIModelWrapper as ColossalAIModelWrapper
from eng.runner import ColossalAIOptimWrapper as ColossalAIOptimWrapper
from eng.runner import ColossalAIStrategy as ColossalAIStrategy
from eng.runner import ConfusionMatrixHook as ConfusionMatrixHook
from eng.runner import DDPStrategy as DDPStrategy
from eng.runner import DeepSpeedOptimWrapper as DeepSpeedOptimWrapper
from eng.runner import DeepSpeedStrategy as DeepSpeedStrategy
from eng.runner import EpochBasedTrainLoop as EpochBasedTrainLoop
from eng.runner import FSDPStrategy as FSDPStrategy
from eng.runner import FlexibleRunner as FlexibleRunner
from eng.runner import IterBasedTrainLoop as IterBasedTrainLoop
from eng.runner import LearningRateCurve as LearningRateCurve
from eng.runner import LogProcessor as LogProcessor
from eng.runner import LoopRunner as LoopRunner
from eng.runner import MMDeepSpeedEngineWrapper as MMDeepSpeedEngineWrapper
from eng.runner import MissingLoopError as MissingLoopError
from eng.runner import Progress as Progress
from eng.runner import RebuiltBatch as RebuiltBatch
from eng.runner import RunState as RunState
from eng.runner import RunSummary as RunSummary
from eng.runner import Runner as Runner
from eng.runner import RunnerConfigError as RunnerConfigError
from eng.runner import SingleDeviceStrategy as SingleDeviceStrategy
from eng.runner import Stateful as Stateful
from eng.runner import TestLoop as TestLoop
from eng.runner import TrainingInterrupted as TrainingInterrupted
from eng.runner import ValLoop as ValLoop
from eng.runner import calc_dynamic_intervals as calc_dynamic_intervals
from eng.runner import find_batch_size as find_batch_size
from eng.runner import find_learning_rate as find_learning_rate
from eng.runner import rebuild_batch as rebuild_batch
from eng.runner import register_deepspeed_optimizers as register_deepspeed_optimizers
from eng.runner import set_random_seed as set_random_seed
from eng.runner import turn_on_activation_checkpointing as turn_on_activation_checkpointing
from eng.structures import BaseDataElement as BaseDataElement
from eng.structures import InstanceData as InstanceData
from eng.structures import LabelData as LabelData
from eng.structures import PixelData as PixelData
from eng.structures import PlainData as PlainData
from eng.structures import to_plain as to_plain
from eng.utils import MODULE2PACKAGE as MODULE2PACKAGE
from eng.utils import PKG2PROJECT as PKG2PROJECT
from eng.utils import ArgumentIndexError as ArgumentIndexError
from eng.utils import ArgumentKeyError as ArgumentKeyError
from eng.utils import ArgumentTypeError as ArgumentTypeError
from eng.utils import ArgumentValueError as ArgumentValueError
from eng.utils import DataBatch as DataBatch
from eng.utils import DataSample as DataSample
from eng.utils import InvalidSettingError as InvalidSettingError
from eng.utils import ManagerMeta as ManagerMeta
from eng.utils import ManagerMixin as ManagerMixin
from eng.utils import Mismatch as Mismatch
from eng.utils import ProgressBar as ProgressBar
from eng.utils import StateDict as StateDict
from eng.utils import Timer as Timer
from eng.utils import TimerError as TimerError
from eng.utils import UserError as UserError
from eng.utils import add_module_folders as add_module_folders
from eng.utils import apply_to as apply_to
from eng.utils import call_command as call_command
from eng.utils import check_file_exist as check_file_exist
from eng.utils import check_inner_path as check_inner_path
from eng.utils import check_prerequisites as check_prerequisites
from eng.utils import check_time as check_time
from eng.utils import concat_list as concat_list
from eng.utils import deprecated_api_warning as deprecated_api_warning
from eng.utils import deprecated_function as deprecated_function
from eng.utils import digit_version as digit_version
from eng.utils import find_mismatches as find_mismatches
from eng.utils import find_vcs_root as find_vcs_root
from eng.utils import fopen as fopen
from eng.utils import get_git_hash as get_git_hash
from eng.utils import get_installed_path as get_installed_path
from eng.utils import get_object_from_string as get_object_from_string
from eng.utils import has_method as has_method
from eng.utils import import_modules_from_strings as import_modules_from_strings
from eng.utils import importing as importing
from eng.utils import init_pool as init_pool
from eng.utils import install_package as install_package
from eng.utils import is_abs as is_abs
from eng.utils import is_filepath as is_filepath
from eng.utils import is_installed as is_installed
from eng.utils import is_list_of as is_list_of
from eng.utils import is_method_overridden as is_method_overridden
from eng.utils import is_plain_annotation as is_plain_annotation
from eng.utils import is_seq_of as is_seq_of
from eng.utils import is_str as is_str
from eng.utils import is_tuple_of as is_tuple_of
from eng.utils import iter_cast as iter_cast
from eng.utils import lazy_modules as lazy_modules
from eng.utils import lazy_names as lazy_names
from eng.utils import list_cast as list_cast
from eng.utils import mkdir_or_exist as mkdir_or_exist
from eng.utils import override as override
from eng.utils import package2module as package2module
from eng.utils import read_hints as read_hints
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
from eng.vis import AimVisBackend as AimVisBackend
from eng.vis import BaseVisBackend as BaseVisBackend
from eng.vis import ClearMLVisBackend as ClearMLVisBackend
from eng.vis import DVCLiveVisBackend as DVCLiveVisBackend
from eng.vis import ImageFolderBackend as ImageFolderBackend
from eng.vis import LocalVisBackend as LocalVisBackend
from eng.vis import MLflowVisBackend as MLflowVisBackend
from eng.vis import NeptuneVisBackend as NeptuneVisBackend
from eng.vis import PredictionVisualizer as PredictionVisualizer
from eng.vis import TensorboardVisBackend as TensorboardVisBackend
from eng.vis import Visualizer as Visualizer
from eng.vis import WandbVisBackend as WandbVisBackend
from eng.vis import check_length as check_length
from eng.vis import check_type as check_type
from eng.vis import check_type_and_length as check_type_and_length
from eng.vis import color_str2rgb as color_str2rgb
from eng.vis import color_val_matplotlib as color_val_matplotlib
from eng.vis import convert_overlay_heatmap as convert_overlay_heatmap
from eng.vis import draw_confusion_matrix as draw_confusion_matrix
from eng.vis import force_init_env as force_init_env
from eng.vis import img_from_canvas as img_from_canvas
from eng.vis import tensor2ndarray as tensor2ndarray
from eng.vis import value2list as value2list
from eng.vis import wait_continue as wait_continue

__version__: str

__all__ = [
    "COLLATE_FUNCTIONS",
    "DATASETS",
    "DATA_SAMPLERS",
    "EVALUATOR",
    "FSDP_WRAP_POLICIES",
    "FUNCTIONS",
    "HOOKS",
    "INFERENCERS",
    "LOADER_SETTINGS",
    "LOG_PROCESSORS",
    "LOOPS",
    "MESH_AXES",
    "METRICS",
    "MODELS",
    "MODEL_WRAPPERS",
    "MODULE2PACKAGE",
    "OPTIMIZERS",
    "OPTIM_WRAPPERS",
    "OPTIM_WRAPPER_CONSTRUCTORS",
    "PARAM_SCHEDULERS",
    "PKG2PROJECT",
    "RUNNERS",
    "RUNNER_CONSTRUCTORS",
    "STRATEGIES",
    "TASK_UTILS",
    "TORCH_OPTIMIZERS",
    "TORCH_VERSION",
    "TRANSFORMS",
    "VISBACKENDS",
    "VISUALIZERS",
    "WEIGHT_INITIALIZERS",
    "Accuracy",
    "ActivationAnalyzer",
    "AimVisBackend",
    "AmpOptimWrapper",
    "AnnotationError",
    "ArgumentIndexError",
    "ArgumentKeyError",
    "ArgumentTypeError",
    "ArgumentValueError",
    "BackgroundWriter",
    "BaseAveragedModel",
    "BaseDataElement",
    "BaseDataPreprocessor",
    "BaseDataset",
    "BaseFileHandler",
    "BaseInferencer",
    "BaseInit",
    "BaseLoop",
    "BaseMetric",
    "BaseModel",
    "BaseModule",
    "BaseOptimWrapper",
    "BaseStorageBackend",
    "BaseStrategy",
    "BaseTTAModel",
    "BaseVisBackend",
    "BatchRecordHook",
    "BatchSizeSearch",
    "BatchTrial",
    "BestCheckpoint",
    "BestCheckpoints",
    "BestScore",
    "BucketBatchSampler",
    "Caffe2XavierInit",
    "CheckpointError",
    "CheckpointFolder",
    "CheckpointHook",
    "CheckpointLoader",
    "CheckpointWriter",
    "ClassBalancedDataset",
    "ClearMLVisBackend",
    "ColossalAIModelWrapper",
    "ColossalAIOptimWrapper",
    "ColossalAIStrategy",
    "Command",
    "Compose",
    "ConcatDataset",
    "Config",
    "ConfigDict",
    "ConfigError",
    "ConfigParsingError",
    "ConfusionMatrix",
    "ConfusionMatrixHook",
    "ConstantInit",
    "ConstantLR",
    "ConstantMomentum",
    "ConstantParamScheduler",
    "CosineAnnealingLR",
    "CosineAnnealingMomentum",
    "CosineAnnealingParamScheduler",
    "CosineRestartLR",
    "CosineRestartMomentum",
    "CosineRestartParamScheduler",
    "DDPStrategy",
    "DVCLiveVisBackend",
    "DataBatch",
    "DataSample",
    "DeepSpeedOptimWrapper",
    "DeepSpeedStrategy",
    "DefaultOptimWrapperConstructor",
    "DefaultSampler",
    "DefaultScope",
    "DeferralError",
    "DeferredValues",
    "DictAction",
    "Difference",
    "DistSamplerSeedHook",
    "DistributedError",
    "DistributedSamplerWrapper",
    "DumpPredictions",
    "DumpResults",
    "EMAHook",
    "EarlyStoppingHook",
    "EmptyCacheHook",
    "EpochBasedTrainLoop",
    "Evaluator",
    "ExponentialLR",
    "ExponentialMomentum",
    "ExponentialMovingAverage",
    "ExponentialParamScheduler",
    "FSDPStrategy",
    "FileClient",
    "FilterDuplicateWarning",
    "FlexibleRunner",
    "FlopAnalyzer",
    "FolderSaver",
    "FreezeHook",
    "FsspecBackend",
    "HTTPBackend",
    "HardDiskBackend",
    "HistoryBuffer",
    "Hook",
    "HookRunState",
    "HookRunner",
    "HookTrainLoop",
    "ImageFolderBackend",
    "ImgDataPreprocessor",
    "InferencerMeta",
    "InfiniteSampler",
    "InstanceData",
    "InvalidSettingError",
    "IterBasedTrainLoop",
    "IterTimerHook",
    "JitModelAnalysis",
    "JsonHandler",
    "KaimingInit",
    "Kind",
    "LabelData",
    "LazyAttr",
    "LazyObject",
    "LearningRateCurve",
    "LengthGroupedSampler",
    "LinearLR",
    "LinearMomentum",
    "LinearParamScheduler",
    "LmdbBackend",
    "LocalBackend",
    "LocalVisBackend",
    "LogProcessor",
    "LoggerHook",
    "LoopRunner",
    "LossNormalizer",
    "MLflowVisBackend",
    "MMDeepSpeedEngineWrapper",
    "MMDistributedDataParallel",
    "MMFullyShard",
    "MMFullyShardedDataParallel",
    "MMLogger",
    "MMSeparateDistributedDataParallel",
    "ManagerMeta",
    "ManagerMixin",
    "MapLocation",
    "Mean",
    "MeanAbsoluteError",
    "MeanIoU",
    "MemcachedBackend",
    "MessageHub",
    "MicroBatches",
    "Mismatch",
    "MissingKeyError",
    "MissingLoopError",
    "MissingVariableError",
    "ModelStatisticsHook",
    "ModelWithLoss",
    "ModuleDict",
    "ModuleList",
    "MomentumAnnealingEMA",
    "MultiStepLR",
    "MultiStepMomentum",
    "MultiStepParamScheduler",
    "NaiveVisualizationHook",
    "NeptuneVisBackend",
    "NewestCheckpoint",
    "NormalInit",
    "NotRegisteredError",
    "OneCycleLR",
    "OneCycleParamScheduler",
    "OptimWrapper",
    "OptimWrapperDict",
    "Origin",
    "OwnTensors",
    "ParallelSettings",
    "ParallelSettingsError",
    "ParamSchedulerHook",
    "ParameterReportHook",
    "Parameters",
    "PartConfig",
    "PartOrConfig",
    "PartialFailureError",
    "Perplexity",
    "PetrelBackend",
    "PickleHandler",
    "PipelineInferencer",
    "PixelData",
    "PlacedSampler",
    "PlainData",
    "PolyLR",
    "PolyMomentum",
    "PolyParamScheduler",
    "PredictionVisualizer",
    "PrepareTTAHook",
    "PretrainedInit",
    "Priority",
    "Problem",
    "ProfilerHook",
    "Progress",
    "ProgressBar",
    "RankBuffers",
    "RawRandomState",
    "RebuiltBatch",
    "Recording",
    "ReduceOnPlateauLR",
    "ReduceOnPlateauMomentum",
    "ReduceOnPlateauParamScheduler",
    "ReduceOp",
    "RegisteredName",
    "Registry",
    "RemoteBackend",
    "RepeatDataset",
    "RunState",
    "RunSummary",
    "Runner",
    "RunnerConfigError",
    "RunningMetric",
    "RuntimeInfoHook",
    "S3Backend",
    "SampleIndex",
    "Scalar",
    "SchemaError",
    "Sequential",
    "SingleDeviceStrategy",
    "SlowRankHook",
    "StateDict",
    "Stateful",
    "StepLR",
    "StepMomentum",
    "StepParamScheduler",
    "StochasticWeightAverage",
    "SyncBuffersHook",
    "TensorboardVisBackend",
    "TerminalView",
    "TestLoop",
    "ThroughputHook",
    "TimeCounter",
    "Timer",
    "TimerError",
    "TokenBudgetBatchSampler",
    "TorchMetric",
    "TrainedOnlyHook",
    "TrainingInterrupted",
    "TransformError",
    "TruncNormalInit",
    "UniformInit",
    "UnknownPartError",
    "UserError",
    "ValLoop",
    "Visualizer",
    "WandbVisBackend",
    "WrongKindError",
    "XavierInit",
    "YamlHandler",
    "ZeroRedundancyOptimizer",
    "_ParamScheduler",
    "_load_checkpoint",
    "_load_checkpoint_to_model",
    "_load_checkpoint_with_prefix",
    "absolute_path",
    "activation_count",
    "add_config_arguments",
    "add_module_folders",
    "all_gather",
    "all_gather_object",
    "all_reduce",
    "all_reduce_dict",
    "all_reduce_params",
    "apply_to",
    "are_shards_kept",
    "autocast",
    "average_gradients",
    "average_weights",
    "barrier",
    "bias_init_with_prob",
    "broadcast",
    "broadcast_object_list",
    "build_from_cfg",
    "build_model_from_cfg",
    "build_optim_wrapper",
    "build_optimizer_from_cfg",
    "build_runner_from_cfg",
    "build_runner_with_tta",
    "build_scheduler_from_cfg",
    "caffe2_xavier_init",
    "calc_dynamic_intervals",
    "call_command",
    "cast_data_device",
    "check_arguments",
    "check_file_exist",
    "check_inner_path",
    "check_length",
    "check_parallel_parts",
    "check_part",
    "check_prerequisites",
    "check_time",
    "check_type",
    "check_type_and_length",
    "checkpoint_exists",
    "collect_env",
    "collect_results",
    "collect_results_cpu",
    "collect_results_gpu",
    "color_str2rgb",
    "color_val_matplotlib",
    "compile_parts",
    "complete_weights",
    "complexity_stats_str",
    "complexity_stats_table",
    "concat_list",
    "config_from_arguments",
    "constant_init",
    "convert_overlay_heatmap",
    "convert_sync_batchnorm",
    "copy_checkpoint",
    "copy_if_symlink_fails",
    "copyfile",
    "copyfile_from_local",
    "copyfile_to_local",
    "copytree",
    "copytree_from_local",
    "copytree_to_local",
    "count_registered_modules",
    "count_samples",
    "count_tokens",
    "default_collate",
    "deprecated_api_warning",
    "deprecated_function",
    "detect_anomalous_params",
    "dict_from_file",
    "diff",
    "digit_version",
    "draw_confusion_matrix",
    "drop_frozen",
    "dump",
    "efficient_conv_bn_eval_control",
    "efficient_conv_bn_eval_forward",
    "efficient_conv_bn_eval_graph_transform",
    "evaluation_mode",
    "exists",
    "explain_failures",
    "export_weights",
    "file_handlers",
    "find_batch_size",
    "find_best_checkpoint",
    "find_commands",
    "find_latest_checkpoint",
    "find_learning_rate",
    "find_mismatches",
    "find_model_folder",
    "find_newest_checkpoint",
    "find_parts",
    "find_vcs_root",
    "find_weights",
    "flop_count",
    "folder_template",
    "fopen",
    "force_full_init",
    "force_init_env",
    "format_metrics",
    "format_table",
    "frozen_digest",
    "frozen_names",
    "full_model_state",
    "full_optimizer_state",
    "gather",
    "gather_object",
    "generate_presigned_url",
    "get",
    "get_backend",
    "get_comm_device",
    "get_config",
    "get_data_device",
    "get_data_group",
    "get_data_info",
    "get_data_rank",
    "get_data_world_size",
    "get_default_group",
    "get_deprecated_model_names",
    "get_device",
    "get_dist_info",
    "get_external_models",
    "get_file_backend",
    "get_git_hash",
    "get_installed_path",
    "get_local_group",
    "get_local_path",
    "get_local_rank",
    "get_local_size",
    "get_many",
    "get_max_cuda_memory",
    "get_max_memory",
    "get_max_musa_memory",
    "get_mesh",
    "get_metric_value",
    "get_mmcls_models",
    "get_model",
    "get_model_complexity_info",
    "get_object_from_string",
    "get_priority",
    "get_rank",
    "get_state_dict",
    "get_tensor_group",
    "get_text",
    "get_torchvision_models",
    "get_world_size",
    "has_batch_norm",
    "has_method",
    "has_named_loaders",
    "hash_batch",
    "hide_secrets",
    "img_from_canvas",
    "import_modules_from_strings",
    "importing",
    "infer_launcher",
    "infer_rule",
    "init_default_scope",
    "init_dist",
    "init_local_group",
    "init_mesh",
    "init_pool",
    "initialize",
    "install_package",
    "is_abs",
    "is_checkpoint_folder",
    "is_cuda_available",
    "is_dipu_available",
    "is_distributed",
    "is_filepath",
    "is_installed",
    "is_jit_tracing",
    "is_list_of",
    "is_main_process",
    "is_method_overridden",
    "is_mlu_available",
    "is_model_wrapper",
    "is_mps_available",
    "is_musa_available",
    "is_norm",
    "is_npu_available",
    "is_npu_support_full_precision",
    "is_out_of_memory",
    "is_plain_annotation",
    "is_seq_of",
    "is_shard",
    "is_sharded",
    "is_str",
    "is_tuple_of",
    "isdir",
    "isfile",
    "iter_cast",
    "join_path",
    "kaiming_init",
    "keep_data_ranks",
    "keep_shards",
    "lazy_modules",
    "lazy_names",
    "length_of",
    "list_cast",
    "list_dir_or_file",
    "list_from_file",
    "list_metafile_models",
    "list_registered",
    "load",
    "load_checkpoint",
    "load_full_model_state",
    "load_full_optimizer_state",
    "load_shared_checkpoint",
    "load_state_dict",
    "load_url",
    "main",
    "master_only",
    "merge_dict",
    "merged_backend_args",
    "mkdir_or_exist",
    "mmcv_full_available",
    "model_shards",
    "model_state",
    "names_of_model",
    "next_save_number",
    "normal_init",
    "open_loader",
    "optimizer_shards",
    "override",
    "package2module",
    "parallelize",
    "parameter_count",
    "parameter_count_table",
    "plain_name",
    "prefetch_to_device",
    "print_log",
    "progress_of",
    "pseudo_collate",
    "put",
    "put_tensors",
    "put_text",
    "random_numbers_of",
    "read_base",
    "read_hints",
    "read_parameters",
    "read_record",
    "rebuild_batch",
    "recompute_parts",
    "register_backend",
    "register_deepspeed_optimizers",
    "register_handler",
    "remove",
    "remove_checkpoint",
    "remove_incomplete",
    "report_failure",
    "requires_executable",
    "requires_package",
    "resolve_package_path",
    "resolve_sizes",
    "revert_sync_batchnorm",
    "rmtree",
    "run_id_of",
    "sampler_with",
    "samplers_of",
    "save_checkpoint",
    "save_folder",
    "save_foreign_folder",
    "scalar_of",
    "scandir",
    "set_multi_processing",
    "set_random_seed",
    "shards_to_load",
    "share_initial_values",
    "slice_list",
    "stack_batch",
    "symlink",
    "sync_random_seed",
    "take_tensors",
    "tensor2imgs",
    "tensor2ndarray",
    "tensor_digest",
    "to_1tuple",
    "to_2tuple",
    "to_3tuple",
    "to_4tuple",
    "to_ntuple",
    "to_plain",
    "torch_meshgrid",
    "track_iter_progress",
    "track_parallel_progress",
    "track_progress",
    "track_progress_rich",
    "traverse_registry_tree",
    "trunc_normal_",
    "trunc_normal_init",
    "tuple_cast",
    "turn_on_activation_checkpointing",
    "turn_on_efficient_conv_bn_eval",
    "turn_on_efficient_conv_bn_eval_for_single_model",
    "uniform_init",
    "unwrap",
    "update_init_info",
    "use_mesh",
    "used_checkpoint",
    "value2list",
    "value_at",
    "wait_continue",
    "weights_to_cpu",
    "worker_init_fn",
    "wrap_for_processes",
    "wrap_forward",
    "write_last_checkpoint",
    "write_stacks_to",
    "xavier_init",
]
