#!/bin/sh
# A virtual environment of the host's Python in $TARGET, with what the files here ask for. pip's own
# configuration says where packages come from.
set -eu
: "${TARGET:?}"
# A configuration that names folders which only another machine has.
unset PIP_FIND_LINKS
python3 -m venv "$TARGET"
pip="$TARGET/bin/python -m pip --disable-pip-version-check --no-input --no-cache-dir"
# The tool whose lock file it is says what pip shall install; it goes afterwards.
tool() {
  python3 -m venv "$HOME/tool"
  "$HOME/tool/bin/python" -m pip --disable-pip-version-check --no-input --no-cache-dir --quiet install "$@"
}
if [ -e uv.lock ]; then
  tool uv
  UV_PYTHON_DOWNLOADS=never "$HOME/tool/bin/uv" export \
    --quiet --frozen --no-dev --no-emit-project --no-header \
    --python "$TARGET/bin/python" --format requirements-txt --output-file requirements.txt
elif [ -e poetry.lock ]; then
  tool poetry poetry-plugin-export
  "$HOME/tool/bin/poetry" export --no-interaction --output requirements.exported
  # It writes down where packages come from, which is for pip's own configuration to say.
  grep -Ev '^--(extra-)?index-url|^--trusted-host' requirements.exported >requirements.txt
fi
if [ -e requirements.txt ]; then
  $pip install --requirement requirements.txt
fi
