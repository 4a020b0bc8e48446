#!/bin/sh
# A virtual environment of the host's Python in $TARGET, with what the files here ask for. pip's own configuration says
# where packages come from.
set -eu
: "${TARGET:?}"
# A configuration that names folders which only another machine has.
unset PIP_FIND_LINKS
python3 -m venv "$TARGET"
pip="$TARGET/bin/python -m pip --disable-pip-version-check --no-input --no-cache-dir"
if [ -e uv.lock ] && [ ! -e requirements.txt ]; then
  python3 -m venv "$HOME/uv"
  "$HOME/uv/bin/python" -m pip --disable-pip-version-check --no-input --no-cache-dir --quiet install uv
  UV_PYTHON_DOWNLOADS=never "$HOME/uv/bin/uv" export --quiet --frozen --no-dev --no-emit-project --no-header \
    --python "$TARGET/bin/python" --format requirements-txt --output-file requirements.txt
fi
if [ -e requirements.txt ]; then
  $pip install --requirement requirements.txt
fi
