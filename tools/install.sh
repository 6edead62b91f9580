#!/usr/bin/env bash
# Usage: install.sh PYTHON VENV runtime|dev FILE...
# Bring the virtual environment to what the requirement FILEs say; does nothing when they have not changed.
set -euo pipefail

python=$1 venv=$2 kind=$3
shift 3
stamp="$venv/.installed-$kind"
wanted=$(cat "$@" | cksum)

if [[ -x $venv/bin/python && -f $stamp && $(<"$stamp") == "$wanted" ]]; then
  exit 0
fi

if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
  echo "Bellhop needs Python 3.11 or newer; '$python' is not. Name another one: make PYTHON=/path/to/python3.11 …" >&2
  exit 1
fi

if [[ ! -x $venv/bin/python ]] || ! "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
  if ! "$python" -m venv --clear "$venv"; then
    echo "The virtual environment could not be created; on Debian or Ubuntu install the package python3-venv." >&2
    exit 1
  fi
fi

requirements=requirements.txt
[[ $kind == dev ]] && requirements=requirements-dev.txt
echo "Installing $requirements into $venv (about a minute the first time) …"
"$venv/bin/python" -m pip install --quiet --quiet --disable-pip-version-check -r "$requirements"
echo "$wanted" >"$stamp"
