#!/bin/sh
# reports_test.sh BUILD CTEST: two runs of ctest at once in one folder, set up as that build is. Each shows what its own tests
# reported, once, and nothing is left behind.
set -eu
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cp "$1/CTestCustom.cmake" "$scratch"
cat >"$scratch/CTestTestfile.cmake" <<'END'
add_test(report sh report.sh)
END
cat >"$scratch/report.sh" <<'END'
mkdir -p "$VAE_TEST_REPORTS"
echo "said by $RUN" >"$VAE_TEST_REPORTS/report.txt"
echo "$VAE_TEST_REPORTS" >"folder.$RUN"
until [ -s folder.one ] && [ -s folder.two ]; do sleep 0.1; done
END
cd "$scratch"
RUN=one "$2" --timeout 60 >one.txt &
RUN=two "$2" --timeout 60 >two.txt
wait $!
for run in one two; do
  said=$(grep said "$run.txt" || true)
  if [ "$said" != "said by $run" ]; then
    echo "run $run shows '$said'"
    exit 1
  fi
  if [ -e "$(cat "folder.$run")" ]; then
    echo "run $run leaves $(cat "folder.$run")"
    exit 1
  fi
done
