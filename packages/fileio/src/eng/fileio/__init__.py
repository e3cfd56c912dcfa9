"""One way to read and write local files, HTTP, S3, LMDB, memcached and every fsspec store."""
