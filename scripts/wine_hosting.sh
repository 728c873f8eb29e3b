# The suite win-x64-hosting: the program of the hosting test, published for Windows, under Wine. Sourced by build.sh;
# docs/host-safety.md has the reasons, and scripts/hosting.sh is the test on Linux.

test_win-x64-hosting() {
    is_skipped_without_dotnet win-x64-hosting && return
    wine_in hosting test_hosting_in_wine
}

# test_hosting_in_wine: .NET must survive with the library in its process. SHMCV_HOSTING_SECONDS is the length of the run.
test_hosting_in_wine() {
    local seconds="${SHMCV_HOSTING_SECONDS:-30}" status=0 log="$build/log/hosting.log"
    publish_program win-x64 "$hosting_project" "$build/tests/hosting" -f net10.0 -p:UseAppHost=true \
        -p:BaseIntermediateOutputPath="$build/hosting/obj/" -p:BaseOutputPath="$build/hosting/bin/"
    say "  bindings/csharp/ShmCv.Hosting, $seconds s"
    # shellcheck disable=SC2016
    in_wine env 'SHMCV_LIBRARY=Z:\work\libshmcv.dll' timeout --signal=KILL $((seconds + 600)) \
        sh -c 'cd /work/tests/hosting && wine ShmCv.Hosting.exe --seconds "$1" </dev/null' sh "$seconds" >"$log" 2>&1 || status=$?
    tail -n 1 "$log" >&2
    {
        echo '<testsuites><testsuite name="win-x64-hosting"><testcase classname="net10.0" name="everything">'
        if [ "$status" != 0 ]; then
            printf '<failure message="%s">' "$(hosting_death "$status")"
            head -c 20000 "$log" | tr -cd '\11\12\40-\176' | sed 's/&/\&amp;/g; s/</\&lt;/g; s/>/\&gt;/g'
            echo '</failure>'
        fi
        echo '</testcase></testsuite></testsuites>'
    } >"$reports/win-x64-hosting.xml"
}
