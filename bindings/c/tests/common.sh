# The test scripts source this.
set -euo pipefail

fail() { echo "FAILED: $*" >&2; exit 1; }

# A folder of the test's own. The test removes it at its end.
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

warnings=(-Wall -Wextra -Wpedantic -Werror)
