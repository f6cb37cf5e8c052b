#!/usr/bin/env bash
# check_install.sh STEP BUILD SOURCE WORK: one step of the check of an installed tree, which lies in WORK/prefix.
# The steps `install` and `examples` come first; each later one runs something from there.
set -euo pipefail

step="$1" build="$2" source="$3" work="$4"
prefix="$work/prefix"
examples="$work/examples"

fail() {
  printf 'check_install: %s\n' "$*" >&2
  exit 1
}

# $1: what it is, $2: what was expected, $3: what came.
expect() {
  [[ "$2" == "$3" ]] || fail "$1: expected"$'\n'"$2"$'\n'"and got"$'\n'"$3"
}

# Leaks in the JSON report $1 whose block the source $2 itself asked for, as lines "function line door blocks bytes".
# What the C library holds at the end (the buffer of stdout, say) is not what these programs are about.
leaks() {
  jq -r --arg source "$2" '.leaks[] | . as $leak | .frames[0] | select(.file // "" | endswith($source))
    | "\(.function | sub("[(].*"; "")) \(.line) \($leak.door) \($leak.blocks) \($leak.bytes)"' "$1" | sort
}

case "$step" in
  install)
    rm -rf "$work"
    # The tree is moved after the installation: nothing in it may know where it lies.
    cmake --install "$build" --prefix "$work/elsewhere" >/dev/null
    mv "$work/elsewhere" "$prefix"
    for path in bin/mallocspy lib/libmallocspy.so include/mallocspy/spy/malloc_spy.h include/mallocspy/com/objidl.h \
      include/mallocspy/allocator/heap_check.h include/mallocspy/allocator/heap_dump.h include/mallocspy/allocator/leak_check.h \
      include/mallocspy/allocator/reference_counts.h \
      lib/cmake/mallocspy/mallocspyConfig.cmake lib/pkgconfig/mallocspy.pc share/doc/mallocspy/LICENSE; do
      [[ -f "$prefix/$path" ]] || fail "$path was not installed"
    done
    # The public headers stand alone; no other may have come along.
    expect "headers of spy/" "malloc_spy.h" "$(ls "$prefix/include/mallocspy/spy")"
    expect "headers of allocator/" "heap_check.h heap_dump.h leak_check.h reference_counts.h" "$(ls "$prefix/include/mallocspy/allocator" | xargs)"
    if grep -rlF -e "$work" -e "$build" "$prefix"/lib/cmake "$prefix"/lib/pkgconfig "$prefix"/include; then
      fail "the files above name the directory in which they were made"
    fi
    ;;

  examples)
    cmake -G Ninja -S "$source/tests/install/example" -B "$examples" -DCMAKE_PREFIX_PATH="$prefix" >/dev/null
    cmake --build "$examples" -- --quiet
    flags="$(PKG_CONFIG_PATH="$prefix/lib/pkgconfig" pkg-config --cflags --libs mallocspy)"
    # shellcheck disable=SC2086  # these are several words
    cc -std=c99 -Wall -Wextra -Werror "$source/tests/install/example/plain.c" -o "$examples/plain" \
      $flags -Wl,-rpath,"$prefix/lib"
    ;;

  spy_in_code)
    expect "output" "live: 2 blocks, 1027 bytes; size of the first: 27
revoke while blocks live: pending
live: 0 blocks, 0 bytes; references: 0" "$("$examples/spy_in_code" 2>/dev/null)"
    ;;

  windows_names)
    expect "output" "size 27, mine 1
no spy to revoke: CO_E_OBJNOTREG" "$("$examples/windows_names" 2>/dev/null)"
    ;;

  plain_c)
    expect "output" "revoked: yes
4 allocations of 777 bytes, 4 frees" "$("$examples/plain" 2>/dev/null)"
    ;;

  leak_tests)
    status=0
    output="$(MALLOCSPY_OPTIONS=report=none "$examples/leak_tests" --gtest_brief=1 2>&1)" || status=$?
    expect "exit status" 1 "$status"
    expect "failed tests" "[  FAILED  ] Numbers.AreLost (0 ms)" "$(grep -F 'FAILED' <<<"$output" | sed 's/([0-9]* ms)/(0 ms)/')"
    [[ "$output" == *leak_tests.cc:13* ]] || fail "no leak of leak_tests.cc:13 in the failure: $output"
    ;;

  linked_report)
    # Linked and started by hand, the library itself has the report printed, by the command beside it.
    report="$(MALLOCSPY_OPTIONS=record=all "$examples/task_only" 2>&1 >/dev/null)"
    [[ "$report" == *task_only.cc:13* ]] || fail "no leak of task_only.cc:13 in the report of a linked program: $report"
    [[ "$report" == *task_only.cc:14* ]] || fail "no leak of task_only.cc:14 in the report of a linked program: $report"
    [[ -z "$(MALLOCSPY_OPTIONS=report=none "$examples/task_only" 2>&1 >/dev/null)" ]] || fail "report=none printed"
    ;;

  task_only)
    status=0
    "$prefix/bin/mallocspy" run --fail-on=any --format=json --output="$work/task.json" -- "$examples/task_only" >/dev/null || status=$?
    expect "exit status" 23 "$status"
    expect "leaks with record=task" "main 13 task 1 111" "$(leaks "$work/task.json" task_only.cc)"
    status=0
    MALLOCSPY_OPTIONS=record=all "$prefix/bin/mallocspy" run --fail-on=any --format=json --output="$work/all.json" -- \
      "$examples/task_only" >/dev/null || status=$?
    expect "exit status" 23 "$status"
    expect "leaks with record=all" $'main 13 task 1 111\nmain 14 malloc 1 222' \
      "$(leaks "$work/all.json" task_only.cc)"
    ;;

  command)
    # The installed command finds its library, also through a link and with another directory as the current one.
    ln -sf "$prefix/bin/mallocspy" "$work/linked-command"
    cd /
    status=0
    "$work/linked-command" run --fail-on=any --format=json --output="$work/run.json" -- "$build/bin/demo_leak" >/dev/null || status=$?
    expect "exit status" 23 "$status"
    expect "interposed" true "$(jq .process.interposed "$work/run.json")"
    expect "leaks of demo_leak" $'LoadRates 30 new[] 4 131072\nMakeGreeting 16 malloc 3 63' \
      "$(leaks "$work/run.json" demo_leak.cc)"
    ;;

  spy_library)
    # A built-in spy, which the command finds by its name.
    rm -f "$work/trace.log"
    "$prefix/bin/mallocspy" run --spy="trace:file=$work/trace.log" --fail-on=errors --output=/dev/null -- "$build/bin/demo_leak" >/dev/null
    grep -q 'alloc 32768 bytes' "$work/trace.log" || fail "no allocation of 32768 bytes in the trace"
    ;;

  *) fail "no such step: $step" ;;
esac
