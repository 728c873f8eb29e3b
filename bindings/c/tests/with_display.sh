#!/usr/bin/env bash
# with_display.sh [--or-without] COMMAND...: runs the command with a display of its own, an X server without a screen. If
# a tool for that is missing, the script exits with 77, which ctest counts as skipped; with --or-without it runs the
# command without a display.
set -euo pipefail
unset DISPLAY WAYLAND_DISPLAY
without=""
if [ "$1" = --or-without ]; then without=1; shift; fi
for tool in Xvfb xdotool import; do
    command -v "$tool" >/dev/null && continue
    echo "'$tool' IS NOT INSTALLED"
    [ -z "$without" ] || exec "$@"
    exit 77
done
# A server ends with this script, also if the script is killed.
with_us=()
if command -v setpriv >/dev/null; then with_us=(setpriv --pdeathsig TERM); fi
# The server writes the number of its display to the pipe as soon as it serves the display.
exec {number}< <(exec "${with_us[@]}" Xvfb -displayfd 1 -screen 0 1280x1024x24 -nolisten tcp 2>/dev/null)
server=$!
trap 'kill "$server"' EXIT
read -r display <&"$number" || { echo "Xvfb did not start" >&2; exit 1; }
DISPLAY=":$display" GDK_BACKEND=x11 "$@"
