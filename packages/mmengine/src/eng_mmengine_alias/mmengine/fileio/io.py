"""Names of mmengine.fileio.io, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.fileio import FileClient as FileClient
    from eng.fileio import copy_if_symlink_fails as copy_if_symlink_fails
    from eng.fileio import copyfile as copyfile
    from eng.fileio import copyfile_from_local as copyfile_from_local
    from eng.fileio import copyfile_to_local as copyfile_to_local
    from eng.fileio import copytree as copytree
    from eng.fileio import copytree_from_local as copytree_from_local
    from eng.fileio import copytree_to_local as copytree_to_local
    from eng.fileio import dump as dump
    from eng.fileio import exists as exists
    from eng.fileio import file_handlers as file_handlers
    from eng.fileio import generate_presigned_url as generate_presigned_url
    from eng.fileio import get as get
    from eng.fileio import get_file_backend as get_file_backend
    from eng.fileio import get_local_path as get_local_path
    from eng.fileio import get_text as get_text
    from eng.fileio import isdir as isdir
    from eng.fileio import isfile as isfile
    from eng.fileio import join_path as join_path
    from eng.fileio import list_dir_or_file as list_dir_or_file
    from eng.fileio import load as load
    from eng.fileio import put as put
    from eng.fileio import put_text as put_text
    from eng.fileio import register_handler as register_handler
    from eng.fileio import remove as remove
    from eng.fileio import rmtree as rmtree
    from eng.utils import is_filepath as is_filepath
    from eng.utils import is_str as is_str

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.fileio": "FileClient copy_if_symlink_fails copyfile copyfile_from_local copyfile_to_local copytree copytree_from_local copytree_to_local dump exists file_handlers generate_presigned_url get get_file_backend get_local_path get_text isdir isfile join_path list_dir_or_file load put put_text register_handler remove rmtree",
        "eng.utils": "is_filepath is_str",
    },
)
