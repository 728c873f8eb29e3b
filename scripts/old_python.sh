# The suite old-python: the wheel on an older Linux, whose Python 3.9 is the oldest that the package is for. Sourced by build.sh.

test_old-python() { old_in python test_python_in_old; }

test_python_in_old() {
    need_wheels old 3.9 manylinux_2_28_x86_64 manylinux2014_x86_64
    test_wheel old-python in_old
}
