"""Names that each package exports, from the lowest layer to the highest.

Written by ``scripts/update_exports.py``: reading it imports none of the packages.
"""

__all__ = ["EXPORTS"]

_NAMES = {
    "utils": """
        MODULE2PACKAGE PKG2PROJECT ArgumentIndexError ArgumentKeyError ArgumentTypeError
        ArgumentValueError DataBatch DataSample InvalidSettingError ManagerMeta
        ManagerMixin Mismatch ProgressBar StateDict Timer TimerError UserError
        add_module_folders apply_to call_command check_file_exist check_inner_path
        check_prerequisites check_time concat_list deprecated_api_warning
        deprecated_function digit_version find_mismatches find_vcs_root fopen get_git_hash
        get_installed_path get_object_from_string has_method import_modules_from_strings
        importing init_pool install_package is_abs is_filepath is_installed is_list_of
        is_method_overridden is_plain_annotation is_seq_of is_str is_tuple_of iter_cast
        lazy_modules lazy_names list_cast mkdir_or_exist override package2module
        read_hints requires_executable requires_package scandir slice_list symlink
        to_1tuple to_2tuple to_3tuple to_4tuple to_ntuple track_iter_progress
        track_parallel_progress track_progress track_progress_rich tuple_cast
    """,
    "cli": """
        Command find_commands main
    """,
    "registry": """
        COLLATE_FUNCTIONS DATASETS DATA_SAMPLERS EVALUATOR FSDP_WRAP_POLICIES FUNCTIONS
        HOOKS INFERENCERS LOG_PROCESSORS LOOPS METRICS MODELS MODEL_WRAPPERS OPTIMIZERS
        OPTIM_WRAPPERS OPTIM_WRAPPER_CONSTRUCTORS PARAM_SCHEDULERS RUNNERS
        RUNNER_CONSTRUCTORS STRATEGIES TASK_UTILS TRANSFORMS VISBACKENDS VISUALIZERS
        WEIGHT_INITIALIZERS DefaultScope Kind NotRegisteredError Parameters PartConfig
        PartOrConfig Problem RegisteredName Registry WrongKindError build_from_cfg
        build_model_from_cfg build_optimizer_from_cfg build_runner_from_cfg
        build_scheduler_from_cfg check_arguments check_part count_registered_modules
        init_default_scope list_registered read_parameters traverse_registry_tree
    """,
    "fileio": """
        BaseFileHandler BaseStorageBackend FileClient FsspecBackend HTTPBackend
        HardDiskBackend JsonHandler LmdbBackend LocalBackend MemcachedBackend
        PartialFailureError PetrelBackend PickleHandler RemoteBackend S3Backend
        YamlHandler copy_if_symlink_fails copyfile copyfile_from_local copyfile_to_local
        copytree copytree_from_local copytree_to_local dict_from_file dump exists
        file_handlers generate_presigned_url get get_file_backend get_local_path get_many
        get_text isdir isfile join_path list_dir_or_file list_from_file load
        merged_backend_args put put_text register_backend register_handler remove rmtree
    """,
    "config": """
        Config ConfigDict ConfigError ConfigParsingError DictAction Difference LazyAttr
        LazyObject MissingKeyError Origin SchemaError add_config_arguments
        config_from_arguments diff hide_secrets read_base resolve_package_path value_at
    """,
    "logging": """
        FilterDuplicateWarning HistoryBuffer MMLogger MessageHub Scalar TerminalView
        print_log
    """,
    "device": """
        autocast get_device get_max_cuda_memory get_max_memory get_max_musa_memory
        is_cuda_available is_dipu_available is_mlu_available is_mps_available
        is_musa_available is_npu_available is_npu_support_full_precision is_out_of_memory
    """,
    "dist": """
        MESH_AXES DistributedError MissingVariableError ReduceOp all_gather
        all_gather_object all_reduce all_reduce_dict all_reduce_params barrier broadcast
        broadcast_object_list cast_data_device collect_results collect_results_cpu
        collect_results_gpu explain_failures gather gather_object get_backend
        get_comm_device get_data_device get_data_group get_data_info get_data_rank
        get_data_world_size get_default_group get_dist_info get_local_group get_local_rank
        get_local_size get_mesh get_rank get_tensor_group get_world_size infer_launcher
        init_dist init_local_group init_mesh is_distributed is_main_process
        keep_data_ranks master_only report_failure resolve_sizes sync_random_seed use_mesh
        write_stacks_to
    """,
    "dl_utils": """
        TORCH_VERSION TimeCounter collect_env has_batch_norm is_jit_tracing
        is_model_wrapper is_norm load_url mmcv_full_available plain_name
        set_multi_processing tensor2imgs torch_meshgrid unwrap
    """,
    "structures": """
        BaseDataElement InstanceData LabelData PixelData PlainData to_plain
    """,
    "checkpoint": """
        BackgroundWriter CheckpointError CheckpointFolder CheckpointLoader FolderSaver
        MapLocation NewestCheckpoint OwnTensors RankBuffers _load_checkpoint
        _load_checkpoint_to_model _load_checkpoint_with_prefix absolute_path
        are_shards_kept average_weights checkpoint_exists complete_weights copy_checkpoint
        drop_frozen export_weights find_latest_checkpoint find_newest_checkpoint
        find_weights folder_template frozen_digest frozen_names full_model_state
        full_optimizer_state get_deprecated_model_names get_external_models
        get_mmcls_models get_state_dict get_torchvision_models is_checkpoint_folder
        is_shard is_sharded keep_shards load_checkpoint load_full_model_state
        load_full_optimizer_state load_shared_checkpoint load_state_dict model_shards
        model_state next_save_number optimizer_shards progress_of put_tensors
        remove_checkpoint remove_incomplete save_checkpoint save_folder
        save_foreign_folder shards_to_load take_tensors tensor_digest used_checkpoint
        weights_to_cpu write_last_checkpoint
    """,
    "dataset": """
        COLLATE_FUNCTIONS LOADER_SETTINGS AnnotationError BaseDataset BucketBatchSampler
        ClassBalancedDataset Compose ConcatDataset DefaultSampler
        DistributedSamplerWrapper InfiniteSampler LengthGroupedSampler PlacedSampler
        RawRandomState RepeatDataset SampleIndex TokenBudgetBatchSampler TransformError
        default_collate force_full_init has_named_loaders length_of open_loader
        prefetch_to_device pseudo_collate random_numbers_of sampler_with samplers_of
        worker_init_fn
    """,
    "evaluator": """
        Accuracy BaseMetric ConfusionMatrix DumpPredictions DumpResults Evaluator Mean
        MeanAbsoluteError MeanIoU Perplexity RunningMetric TorchMetric format_metrics
        format_table get_metric_value
    """,
    "optim": """
        OPTIMIZERS OPTIM_WRAPPERS OPTIM_WRAPPER_CONSTRUCTORS TORCH_OPTIMIZERS
        AmpOptimWrapper BaseOptimWrapper ConstantLR ConstantMomentum
        ConstantParamScheduler CosineAnnealingLR CosineAnnealingMomentum
        CosineAnnealingParamScheduler CosineRestartLR CosineRestartMomentum
        CosineRestartParamScheduler DefaultOptimWrapperConstructor ExponentialLR
        ExponentialMomentum ExponentialParamScheduler LinearLR LinearMomentum
        LinearParamScheduler LossNormalizer MicroBatches MultiStepLR MultiStepMomentum
        MultiStepParamScheduler OneCycleLR OneCycleParamScheduler OptimWrapper
        OptimWrapperDict PolyLR PolyMomentum PolyParamScheduler ReduceOnPlateauLR
        ReduceOnPlateauMomentum ReduceOnPlateauParamScheduler StepLR StepMomentum
        StepParamScheduler ZeroRedundancyOptimizer _ParamScheduler average_gradients
        build_optim_wrapper count_samples count_tokens evaluation_mode
    """,
    "model": """
        BaseAveragedModel BaseDataPreprocessor BaseInit BaseModel BaseModule BaseTTAModel
        Caffe2XavierInit ConstantInit DeferralError DeferredValues
        ExponentialMovingAverage ImgDataPreprocessor KaimingInit MMDistributedDataParallel
        MMFullyShard MMFullyShardedDataParallel MMSeparateDistributedDataParallel
        ModelWithLoss ModuleDict ModuleList MomentumAnnealingEMA NormalInit
        ParallelSettings ParallelSettingsError PretrainedInit Recording Sequential
        StochasticWeightAverage TruncNormalInit UniformInit UnknownPartError XavierInit
        bias_init_with_prob caffe2_xavier_init check_parallel_parts compile_parts
        constant_init convert_sync_batchnorm detect_anomalous_params
        efficient_conv_bn_eval_control efficient_conv_bn_eval_forward
        efficient_conv_bn_eval_graph_transform find_parts initialize is_model_wrapper
        kaiming_init merge_dict normal_init parallelize recompute_parts
        revert_sync_batchnorm share_initial_values stack_batch trunc_normal_
        trunc_normal_init turn_on_efficient_conv_bn_eval
        turn_on_efficient_conv_bn_eval_for_single_model uniform_init update_init_info
        wrap_for_processes wrap_forward xavier_init
    """,
    "analysis": """
        ActivationAnalyzer FlopAnalyzer JitModelAnalysis activation_count
        complexity_stats_str complexity_stats_table flop_count get_model_complexity_info
        parameter_count parameter_count_table
    """,
    "vis": """
        AimVisBackend BaseVisBackend ClearMLVisBackend DVCLiveVisBackend
        ImageFolderBackend LocalVisBackend MLflowVisBackend NeptuneVisBackend
        PredictionVisualizer TensorboardVisBackend Visualizer WandbVisBackend check_length
        check_type check_type_and_length color_str2rgb color_val_matplotlib
        convert_overlay_heatmap draw_confusion_matrix force_init_env img_from_canvas
        tensor2ndarray value2list wait_continue
    """,
    "hooks": """
        BatchRecordHook BestCheckpoint BestCheckpoints CheckpointHook CheckpointWriter
        DistSamplerSeedHook EMAHook EarlyStoppingHook EmptyCacheHook FreezeHook Hook
        HookRunState HookRunner HookTrainLoop IterTimerHook LoggerHook ModelStatisticsHook
        NaiveVisualizationHook ParamSchedulerHook ParameterReportHook PrepareTTAHook
        Priority ProfilerHook RuntimeInfoHook SlowRankHook SyncBuffersHook ThroughputHook
        TrainedOnlyHook build_runner_with_tta find_best_checkpoint get_priority hash_batch
        infer_rule read_record run_id_of scalar_of
    """,
    "runner": """
        BaseLoop BaseStrategy BatchSizeSearch BatchTrial BestScore CheckpointLoader
        ColossalAIModelWrapper ColossalAIOptimWrapper ColossalAIStrategy
        ConfusionMatrixHook DDPStrategy DeepSpeedOptimWrapper DeepSpeedStrategy
        EpochBasedTrainLoop FSDPStrategy FlexibleRunner IterBasedTrainLoop
        LearningRateCurve LogProcessor LoopRunner MMDeepSpeedEngineWrapper
        MissingLoopError Priority Progress RebuiltBatch RunState RunSummary Runner
        RunnerConfigError SingleDeviceStrategy Stateful TestLoop TrainingInterrupted
        ValLoop autocast calc_dynamic_intervals find_batch_size find_latest_checkpoint
        find_learning_rate get_deprecated_model_names get_external_models get_mmcls_models
        get_priority get_state_dict get_torchvision_models load_checkpoint load_state_dict
        rebuild_batch register_deepspeed_optimizers save_checkpoint set_random_seed
        turn_on_activation_checkpointing weights_to_cpu
    """,
    "hub": """
        MODULE2PACKAGE find_model_folder get_config get_model list_metafile_models
        names_of_model
    """,
    "infer": """
        BaseInferencer InferencerMeta PipelineInferencer
    """,
}

EXPORTS: dict[str, tuple[str, ...]] = {
    package: tuple(names.split()) for package, names in _NAMES.items()
}
