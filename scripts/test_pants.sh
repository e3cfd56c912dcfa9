#!/usr/bin/env bash
# Build every wheel by Pants, and run by it the tests of the packages that take no torch.
set -euo pipefail
cd "$(dirname "$0")/.."
export PANTS_PANTSD=false
python=.venv/bin/python

$python scripts/bootstrap_pants.py
.cache/pants/pants package ::
for package in $($python scripts/workspace.py packages); do
    compgen -G "dist/eng_${package}-*.whl" >/dev/null || { echo "Pants built no wheel of $package" >&2; exit 1; }
done
mapfile -t torch_free < <($python scripts/workspace.py torch-free | tr ' ' '\n' | sed 's#.*#packages/&::#')
.cache/pants/pants test "${torch_free[@]}"
