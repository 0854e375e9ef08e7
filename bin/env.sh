# Sourced by bin/up and bin/test, in the root of the clone: makes .venv hold what a lock names.
# prepare NAME: installs locks/NAME.txt unless the stamp says that it, or a wider lock, is installed already.

oldest='3, 11'
newest='3, 13'

say() { printf '%s\n' "$*" >&2; }

stamp() { # stamp NAME: the line that stands in .venv/.installed when locks/NAME.txt is installed
    printf '%s %s python %s\n' "$1" "$(cksum <"locks/$1.txt")" "$(.venv/bin/python -c 'import platform; print(platform.python_version())')"
}

prepared() {
    [ -x .venv/bin/python ] && [ -f .venv/.installed ] && grep -qxF "$(stamp "$1" 2>/dev/null)" .venv/.installed
}

choose_python() {
    without_venv=
    for python in python3.13 python3.12 python3.11 python3; do
        "$python" -c "import sys; sys.exit(not ($oldest) <= sys.version_info[:2] <= ($newest))" 2>/dev/null || continue
        "$python" -c 'import ensurepip, venv' 2>/dev/null && return
        without_venv=${without_venv:-$python}
    done
    if [ -n "$without_venv" ]; then
        version=$("$without_venv" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
        say "$without_venv is Python $version but lacks the venv module. On Debian or Ubuntu: apt-get install python$version-venv"
    else
        found=$(python3 -V 2>/dev/null || echo 'no python3')
        say "Python 3.11, 3.12 or 3.13 is needed, and there is $found on PATH. On Debian or Ubuntu: apt-get install python3 python3-venv"
    fi
    exit 1
}

prepare() {
    prepared "$1" && return
    choose_python
    # flock(1) in three lines: two commands started at once must not install over each other.
    "$python" -c '
import fcntl, subprocess, sys
lock = open(".venv.lock", "w")
try:
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
except BlockingIOError:
    print("Waiting for another command that prepares .venv.", file=sys.stderr)
    fcntl.flock(lock, fcntl.LOCK_EX)
try:
    sys.exit(subprocess.call(sys.argv[1:]))
except KeyboardInterrupt:
    sys.exit(130)
' sh -c '. bin/env.sh; fill "$@"' prepare "$1" "$python" || exit
}

fill() { # fill NAME PYTHON, under the lock
    prepared "$1" && return # by the command we waited for
    say "Preparing .venv from locks/$1.txt; the first time this takes about half a minute."
    # Without a stamp it is half-made; with another Python's it cannot be mended.
    if ! grep -qs ' python ' .venv/.installed || ! .venv/bin/python -c '' 2>/dev/null ||
        ! grep -qF "$(stamp "$1" | sed 's/.* python/ python/')" .venv/.installed; then
        rm -rf .venv
        "$2" -m venv .venv || { say "$2 could not make .venv (see above)."; exit 1; }
    fi
    rm -f .venv/.installed
    .venv/bin/python -m pip install -qq --disable-pip-version-check --require-hashes --only-binary :all: -r "locks/$1.txt" || {
        say "Installing locks/$1.txt failed (see above). Check the network and start the command again."
        exit 1
    }
    stamp "$1" >.venv/.new
    if [ "$1" = test ]; then stamp local >>.venv/.new; fi # the test lock holds all of the local one
    mv .venv/.new .venv/.installed
}
