# The suite linux-arm64-python: the wheel for arm64, in Debian's Python. Sourced by build.sh.

test_linux-arm64-python() { arm64_in python test_python_in_arm64; }

test_python_in_arm64() {
    need_wheels arm64 3.11 manylinux_2_28_aarch64
    test_wheel linux-arm64-python in_arm64
}
