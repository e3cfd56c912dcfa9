#!/usr/bin/env bash
# Packages that a change since BASE touches, with all that depend on them, for a CI matrix:
#     scripts/changed_packages.sh BASE      prints packages=["config", "runner"]
# A change of what all packages share, or a BASE that is not there, means every package.
# PANTS names another pants than the one on the path.
set -euo pipefail
cd "$(dirname "$0")/.."
base=${1:?usage: scripts/changed_packages.sh BASE}

if ! git cat-file -e "$base^{commit}" 2>/dev/null ||
    git diff --name-only "$base" -- pyproject.toml pants.toml Makefile scripts .github | grep -q .; then
    names=$(for file in packages/*/pyproject.toml; do basename "$(dirname "$file")"; done)
else
    names=$("${PANTS:-pants}" --changed-since="$base" --changed-dependents=transitive list |
        sed -n 's#^packages/\([^/:]*\)[/:].*#\1#p' | sort -u)
fi
echo "packages=$(python3 -c 'import json, sys; print(json.dumps(sys.argv[1:]))' $names)"
