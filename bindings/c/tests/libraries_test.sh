#!/usr/bin/env bash
# libraries_test.sh LIBRARY: fails if the library needs libraries other than libc's own.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
needed="$(ldd "$1" | awk '{print $1}')"
echo "$needed"
[ -n "$needed" ] || fail "ldd prints nothing for $1"
others="$(grep -vE '^(linux-vdso|libc|libm|libdl|libpthread|librt|.*/ld-linux[^/]*)\.so' <<<"$needed" || true)"
[ -z "$others" ] || fail "other libraries than libc's: $others"
