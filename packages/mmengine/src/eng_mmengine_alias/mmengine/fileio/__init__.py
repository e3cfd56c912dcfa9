"""Names of mmengine.fileio, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
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

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.fileio": "BaseFileHandler BaseStorageBackend FileClient HTTPBackend HardDiskBackend JsonHandler LmdbBackend LocalBackend MemcachedBackend PetrelBackend PickleHandler YamlHandler copy_if_symlink_fails copyfile copyfile_from_local copyfile_to_local copytree copytree_from_local copytree_to_local dict_from_file dump exists generate_presigned_url get get_file_backend get_local_path get_text isdir isfile join_path list_dir_or_file list_from_file load put put_text register_backend register_handler remove rmtree",
    },
    modules="backends file_client handlers io parse",
)
